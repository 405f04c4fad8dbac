"""Keys that leave together."""

import pytest

from tests.unit.storage.redis.looks import expected, litter, seen
from tests.unit.storage.redis.node import NOW, SLOT_OF, Node, RemoteNode, plain
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.redis.bundle import Bundle
from trio_dynomite.storage.remote.cache import Entry
from trio_dynomite.storage.remote.listed import ListedStore

MADE = {
    "nothing": (),
    "a string": ((b"SET", b"k", b"old"),),
    "a counter": ((b"SET", b"k", b"1"), (b"INCRBY", b"k", b"41")),
    "a tombstone": ((b"SET", b"k", b"old"), (b"DEL", b"k")),
    "a hash": ((b"HSET", b"k", b"f", b"v", b"g", b"w"),),
    "a set that went": ((b"SADD", b"k", b"f"), (b"SREM", b"k", b"f")),
    "a list": ((b"RPUSH", b"k", b"f", b"g"),),
    "a stream with a group": ((b"XADD", b"k", b"5-1", b"f", b"v"), (b"XGROUP", b"CREATE", b"k", b"g", b"0")),
}
THEN = {
    "no more": (),
    "counted": ((b"INCR", b"k"),),
    "longer": ((b"APPEND", b"k", b"0"),),
    "dated": ((b"PEXPIREAT", b"k", b"%d" % (NOW + 60_000)),),
    "dated and counted": ((b"PEXPIREAT", b"k", b"%d" % (NOW + 60_000)), (b"INCR", b"k")),
    "deleted": ((b"DEL", b"k"),),
    "a hash after all": ((b"DEL", b"k"), (b"HSET", b"k", b"h", b"x")),
    "a list after all": ((b"DEL", b"k"), (b"RPUSH", b"k", b"h", b"x")),
}


class BlindNode(RemoteNode):
    """A node that does not look at a key before it puts a string there."""

    def fetch(self, keys: set[bytes]) -> None:
        pass

    def run_blind(self, *commands: tuple[bytes, ...]) -> list[bytes]:
        """A SET, and others, in one turn."""
        assert isinstance(self.store, ListedStore)
        assert self.store.may_overwrite(b"k")
        replies = [self.run(*commands[0], is_told=False)]
        self.store.overwritten(b"k")
        replies += [self.run(*words, is_told=False) for words in commands[1:]]
        self.end_turn()
        return replies


@pytest.mark.parametrize("then", THEN.values(), ids=THEN)
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_a_string_over_what_nobody_has_looked_at(
    wire: SyncConnection, made: tuple[tuple[bytes, ...], ...], then: tuple[tuple[bytes, ...], ...]
) -> None:
    node, like = RemoteNode(wire), Node()
    for words in made:
        assert node.run(*words) == like.run(*words)
    after = BlindNode(wire)
    after.ks = node.ks
    after.store, after.clock = node.store, node.clock
    node.forget()
    commands = ((b"SET", b"k", b"7"), *then)
    assert after.run_blind(*commands) == [like.run(*words) for words in commands]
    node.forget()
    node.turn(lambda: None, {b"k"})
    record = node.record(b"k")
    assert plain(record) == plain(like.record(b"k"))
    assert seen(wire, b"k") == expected(record)
    assert litter(wire, {b"k": record}) == []
    assert node.store.sums == like.store.sums
    assert node.store.dead == like.store.dead
    assert node.store.key_count(0, SLOTS - 1) == like.store.key_count(0, SLOTS - 1)


def test_many_keys_leave_in_a_few_requests(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    keys = [b"key:%d" % number for number in range(2500)]
    node.fetch(set(keys))
    for number, key in enumerate(keys):
        node.run(b"SET", key, b"%d" % number, is_told=False)
    node.end_turn()
    assert len(wire.requests) == 3
    assert wire.ask("DBSIZE") == len(keys) + len(set(map(SLOT_OF, keys)))
    assert wire.ask("MGET", *keys) == [b"%d" % number for number in range(len(keys))]


def test_what_the_server_lost_does_not_hold_up_what_left_beside_it(wire: SyncConnection) -> None:
    node, like = RemoteNode(wire), Node()
    keys = [b"h:%d" % number for number in range(9)]
    for key in keys:
        for words in ((b"HSET", key, b"f", b"v"), (b"EXPIRE", key, b"99999999")):
            assert node.run(*words) == like.run(*words)
    wire.ask("UNLINK", *keys[::3])
    for key in keys:
        words = (b"HSET", key, b"g", key)
        assert node.run(*words, is_told=False) == like.run(*words)
    node.end_turn()
    assert isinstance(node.store, ListedStore)
    assert node.store.conflicts == 3
    assert not node.store.cache.busy
    assert not node.store.gate.is_shut
    node.forget()
    node.fetch(set(keys))
    for key in keys:
        assert plain(node.record(key)) == plain(like.record(key))


def test_a_refused_transaction_is_told_in_the_servers_words(wire: SyncConnection) -> None:
    bundle = Bundle(SLOT_OF)
    bundle.add(b"k", Entry((1, b"v", 0, 0, None), is_blind=True))
    refused = [b"$-1\r\n", b"+OK\r\n", b"-OOM no room\r\n", b"+QUEUED\r\n", b"-EXECABORT aborted\r\n"]
    with pytest.raises(ProtocolError, match="OOM no room"):
        bundle.done(refused)
    failed = [
        b"$-1\r\n",
        b"+OK\r\n",
        b"+QUEUED\r\n",
        b"+QUEUED\r\n",
        b"*2\r\n+OK\r\n-WRONGTYPE it is none\r\n",
    ]
    with pytest.raises(ProtocolError, match="WRONGTYPE"):
        bundle.done(failed)
