"""What one change of a large collection sends does not depend on its size."""

import pytest

from tests.unit.storage.redis.looks import expected, seen
from tests.unit.storage.redis.node import RemoteNode
from tests.unit.storage.redis.sync_connection import SyncConnection

MANY = 5000
BYTES_MAX = 1000


def filled(node: RemoteNode, *head: bytes, pair: bool = False, score: bool = False) -> None:
    """A collection of many elements, made by a few requests."""
    for start in range(0, MANY, 500):
        words: list[bytes] = []
        for number in range(start, start + 500):
            words += [b"%d" % number] if score else []
            words += [b"element %d" % number]
            words += [b"value %d" % number] if pair else []
        node.run(*head, *words)


CHANGES = {
    "hash": [
        (b"HSET", b"k", b"element 17", b"other"),
        (b"HSET", b"k", b"new", b"value"),
        (b"HDEL", b"k", b"element 18"),
        (b"HINCRBY", b"k", b"number", b"3"),
        (b"HPEXPIRE", b"k", b"100000", b"FIELDS", b"1", b"element 19"),
    ],
    "set": [(b"SADD", b"k", b"new"), (b"SREM", b"k", b"element 17"), (b"SPOP", b"k")],
    "zset": [
        (b"ZADD", b"k", b"7", b"new"),
        (b"ZADD", b"k", b"-0", b"element 17"),
        (b"ZINCRBY", b"k", b"7", b"element 18"),
        (b"ZREM", b"k", b"element 19"),
        (b"ZPOPMAX", b"k"),
    ],
    "list": [
        (b"RPUSH", b"k", b"new"),
        (b"LPUSH", b"k", b"new"),
        (b"LPOP", b"k"),
        (b"RPOP", b"k", b"3"),
        (b"LSET", b"k", b"2000", b"other"),
        (b"LSET", b"k", b"-2", b"other"),
        (b"LINSERT", b"k", b"BEFORE", b"element 2500", b"between"),
        (b"LREM", b"k", b"1", b"element 2501"),
        (b"LTRIM", b"k", b"3", b"-3"),
        (b"LMOVE", b"k", b"k", b"LEFT", b"RIGHT"),
    ],
    "stream": [
        (b"XADD", b"k", b"*", b"field", b"value"),
        (b"XADD", b"k", b"MAXLEN", b"4990", b"*", b"field", b"value"),
        (b"XDEL", b"k", b"17-1"),
        (b"XTRIM", b"k", b"MAXLEN", b"4980"),
    ],
}


def fill(node: RemoteNode, kind: str) -> None:
    if kind == "stream":
        for number in range(1, MANY):
            node.run(b"XADD", b"k", b"%d-1" % number, b"field", b"value %d" % number)
    else:
        command = {"hash": b"HSET", "set": b"SADD", "zset": b"ZADD", "list": b"RPUSH"}[kind]
        filled(node, command, b"k", pair=kind == "hash", score=kind == "zset")


@pytest.mark.parametrize("kind", CHANGES)
def test_one_change_sends_a_few_bytes(wire: SyncConnection, kind: str) -> None:
    node = RemoteNode(wire)
    fill(node, kind)
    for is_fresh in (False, True):
        for change in CHANGES[kind]:
            if is_fresh:
                node.forget()
                node.fetch({b"k"})
            before = wire.sent
            assert not node.run(*change).startswith(b"-"), change
            assert 0 < wire.sent - before < BYTES_MAX, change
    record = node.record(b"k")
    there, here = seen(wire, b"k"), expected(record)
    if kind == "zset":
        assert list(map(float, there[1][1::2])) == list(map(float, here[1][1::2]))
        assert there[1][::2] == here[1][::2]
    else:
        assert there == here


def test_a_deadline_does_not_send_the_value(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    node.run(b"SET", b"k", b"x" * 100_000)
    for change in ((b"PEXPIRE", b"k", b"100000"), (b"PERSIST", b"k"), (b"EXPIRE", b"k", b"1000", b"NX")):
        before = wire.sent
        assert node.run(*change) == b":1\r\n"
        assert wire.sent - before < BYTES_MAX
        assert seen(wire, b"k") == expected(node.record(b"k"))


def test_changes_of_one_turn_are_sent_together(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    fill(node, "list")

    def act() -> None:
        view = node.ks.list_at(b"k")
        for _ in range(100):
            view.push([b"job"], left=False)
            view.pop(1, left=True)

    before = wire.sent
    node.turn(act, {b"k"})
    assert wire.sent - before < 100 * 80
    assert seen(wire, b"k") == expected(node.record(b"k"))
