"""A server that lost something, that others write to, that refuses; a connection that ends in between."""

import time
from typing import Any

import pytest

from tests.servers import connected
from tests.unit.storage.redis.looks import expected, litter, seen
from tests.unit.storage.redis.node import SLOT_OF, Node, RemoteNode, plain
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.data.record import is_stripped
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.redis.cells import FOREIGN
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.redis.library import load_step
from trio_dynomite.storage.redis.mistakes import mistake_in
from trio_dynomite.storage.remote.driver import FullError
from trio_dynomite.storage.remote.store import RemoteStore

MAKE = {
    "string": (b"SET", b"k", b"5"),
    "hash": (b"HSET", b"k", b"f", b"v", b"g", b"w"),
    "set": (b"SADD", b"k", b"f", b"g"),
    "zset": (b"ZADD", b"k", b"1", b"f", b"2", b"g"),
    "list": (b"RPUSH", b"k", b"f", b"g"),
    "stream": (b"XADD", b"k", b"5-1", b"f", b"v"),
}
CHANGE = {
    "string": (b"INCR", b"k"),
    "hash": (b"HSET", b"k", b"f", b"new"),
    "set": (b"SADD", b"k", b"h"),
    "zset": (b"ZINCRBY", b"k", b"3", b"f"),
    "list": (b"LPUSH", b"k", b"h"),
    "stream": (b"XADD", b"k", b"6-1", b"f", b"v"),
}
KINDS = list(MAKE)
FAR = b"99999999"


def store_of(node: RemoteNode) -> RemoteStore:
    assert isinstance(node.store, RemoteStore)
    return node.store


def assert_there(node: RemoteNode, like: Node) -> None:
    """The server has the key as another node has it that did the same."""
    node.forget()
    node.fetch({b"k"})
    record = node.record(b"k")
    assert plain(record) == plain(like.record(b"k"))
    assert seen(node.wire, b"k") == expected(record) or record[1] == "zset"
    assert litter(node.wire, {b"k": record}) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["FLUSHALL", "UNLINK", "HDEL"])
def test_what_the_server_lost_is_written_anew(wire: SyncConnection, kind: str, loss: str) -> None:
    node, like = RemoteNode(wire), Node()
    for words in (MAKE[kind], (b"EXPIRE", b"k", FAR)):
        node.run(*words)
        like.run(*words)
    lost: dict[str, tuple[Any, ...]] = {
        "FLUSHALL": ("FLUSHALL",),
        "UNLINK": ("UNLINK", b"k"),
        "HDEL": ("HDEL", b"\x01t:%d" % SLOT_OF(b"k"), b"k"),
    }
    wire.ask(*lost[loss])
    assert node.run(*CHANGE[kind]) == like.run(*CHANGE[kind])
    assert store_of(node).conflicts == (0 if kind == "string" else 1)
    assert_there(node, like)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_under_way_when_the_connection_ended_is_written_whole(
    wire: SyncConnection, kind: str
) -> None:
    node, like = RemoteNode(wire), Node()
    node.run(*MAKE[kind])
    like.run(*MAKE[kind])
    entry = store_of(node).cache.find(b"k")
    assert entry is not None
    for words in (CHANGE[kind], (b"EXPIRE", b"k", FAR)):
        like.run(*words)
        node.run(*words, is_told=False)
        bundle = RedisDriver(SLOT_OF).bundle()
        bundle.add(b"k", entry)
        bundle.request()  # it left, and nobody knows what has become of it
    node.end_turn()
    assert store_of(node).conflicts == 0
    assert_there(node, like)


@pytest.mark.parametrize("kind", KINDS)
def test_native_keys_go_with_their_deadlines(wire: SyncConnection, kind: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    node = RemoteNode(wire, now_ms=now_ms)
    node.run(*MAKE[kind])
    node.run(b"PEXPIRE", b"k", b"30")
    deadline = node.record(b"k")[3]
    assert deadline == now_ms + 30
    while wire.ask("EXISTS", b"k"):
        time.sleep(0.005)
    node.forget()
    node.fetch({b"k"})
    assert is_stripped(node.record(b"k"))
    node.expire(1000)
    assert node.run(*CHANGE[kind])[:1] in b":$"
    assert seen(wire, b"k")[0] == kind
    assert seen(wire, b"k")[2] == 0
    assert litter(wire, {b"k": node.record(b"k")}) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_deadline_that_moves_when_the_server_has_dropped_the_key(wire: SyncConnection, kind: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    node = RemoteNode(wire, now_ms=now_ms)
    node.run(*MAKE[kind])
    node.run(b"PEXPIRE", b"k", b"30")
    while wire.ask("EXISTS", b"k"):
        time.sleep(0.005)
    assert node.run(b"PEXPIRE", b"k", b"100000000") == b":1\r\n", "by the node's clock no time has passed"
    assert seen(wire, b"k")[0] == kind
    assert seen(wire, b"k")[2] == now_ms + 100_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_were_there_before_are_older_than_all(wire: SyncConnection, kind: str) -> None:
    wire.ask(*MAKE[kind])
    node, like = RemoteNode(wire), Node()
    like.run(*MAKE[kind])
    node.fetch({b"k"})
    assert expected(node.record(b"k")) == expected(like.record(b"k"))
    assert max(node.record(b"k")[0], getattr(node.record(b"k")[4], "made", 0)) == FOREIGN
    assert node.run(*CHANGE[kind]) == like.run(*CHANGE[kind])
    node.forget()
    node.fetch({b"k"})
    assert expected(node.record(b"k")) == expected(like.record(b"k"))


def test_a_change_of_type_leaves_nothing_of_the_old_one(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    for kind in (*KINDS, *KINDS[::-1]):
        node.run(b"DEL", b"k")
        node.run(*MAKE[kind])
        if kind == "stream":
            node.run(b"XGROUP", b"CREATE", b"k", b"readers", b"0")
        assert seen(wire, b"k")[0] == kind
        assert litter(wire, {b"k": node.record(b"k")}) == []
    node.run(b"SET", b"k", b"string over a string")
    node.run(b"DEL", b"k")
    assert wire.ask("KEYS", b"*") == [b"\x01t:%d" % SLOT_OF(b"k")]


def test_groups_are_sent_when_they_changed(wire: SyncConnection) -> None:
    node, like = RemoteNode(wire), Node()
    for words in (
        (b"XADD", b"k", b"5-1", b"f", b"v"),
        (b"XGROUP", b"CREATE", b"k", b"readers", b"0"),
        (b"XREADGROUP", b"GROUP", b"readers", b"one", b"STREAMS", b"k", b">"),
        (b"XADD", b"k", b"6-1", b"f", b"v"),
        (b"XACK", b"k", b"readers", b"5-1"),
        (b"XGROUP", b"DESTROY", b"k", b"readers"),
    ):
        assert node.run(*words) == like.run(*words)
        assert (b"readers" in b"".join(wire.requests)) == (
            words[0] not in (b"XADD",) and words[1] != b"DESTROY"
        )
        assert_there(node, like)


def test_large_collections_are_written_whole_and_wiped(wire: SyncConnection) -> None:
    node = RemoteNode(wire)
    many = [b"%d" % number for number in range(12_000)]
    node.run(b"HSET", b"h", *many)
    node.run(b"RPUSH", b"l", *many)
    node.run(b"SADD", b"s", *many)
    for key in (b"h", b"l", b"s"):
        assert seen(wire, key) == expected(node.record(key))
    driver = RedisDriver(SLOT_OF)
    wire.ask("SET", b"foreign", b"value")
    for key in (b"h", b"l", b"s"):
        wire.send(driver.wipe(SLOT_OF(key)), lambda reply: None)
        wire.pump()
    assert wire.ask("KEYS", b"*") == [b"foreign"]


def test_an_entry_with_more_fields_than_a_function_can_hand_on(wire: SyncConnection) -> None:
    node, like = RemoteNode(wire), Node()
    wide = [b"%d" % number for number in range(20_000)]
    for words in (
        (b"XADD", b"k", b"5-1", b"f", b"v"),
        (b"XGROUP", b"CREATE", b"k", b"readers", b"0"),
        (b"XADD", b"k", b"6-1", *wide),
        (b"XADD", b"k", b"7-1", b"f", b"v"),
        (b"XDEL", b"k", b"5-1"),
    ):
        assert node.run(*words) == like.run(*words)
        assert_there(node, like)


def test_notes(wire: SyncConnection) -> None:
    driver = RedisDriver(SLOT_OF)
    answers: list[bytes] = []
    for request in (
        driver.note(b"floors", b"\x00\r\n"),
        driver.note(b"floors", b"1"),
        driver.note(b"x", b""),
    ):
        wire.send(request, lambda reply: None)
    wire.send(driver.notes(), answers.append)
    wire.send(driver.flush(), lambda reply: None)
    wire.send(driver.notes(), answers.append)
    wire.pump()
    assert driver.noted(answers[0]) == {b"floors": b"1", b"x": b""}
    assert driver.noted(answers[1]) == {}
    assert driver.noted(b"%1\r\n$1\r\na\r\n$1\r\nb\r\n") == {b"a": b"b"}


def test_keys_of_the_nodes_own_are_refused() -> None:
    driver = RedisDriver(SLOT_OF)
    assert "byte 1" in (driver.refusal(b"\x01t:7") or "")
    assert driver.refusal(b"") is None
    assert driver.refusal(b"k\x01") is None


def test_errors_of_the_server_are_told(wire: SyncConnection) -> None:
    driver = RedisDriver(SLOT_OF)
    with pytest.raises(ProtocolError, match="read a key: OOM"):
        driver.found(b"k", b"-OOM no memory\r\n")
    with pytest.raises(ProtocolError, match="list its keys"):
        driver.listed(b"-WRONGTYPE\r\n")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_full_server_refuses_is_written_when_it_has_room(wire: SyncConnection, kind: str) -> None:
    node, like = RemoteNode(wire), Node()
    node.run(*MAKE[kind])
    like.run(*MAKE[kind])
    wire.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        for words in (CHANGE[kind], (b"EXPIRE", b"k", FAR), (b"SET", b"other", b"value")):
            assert node.run(*words) == like.run(*words)
            assert "OOM" in (node.store.failure or "")
    finally:
        wire.ask("CONFIG", "SET", "maxmemory", "0")
    assert node.store.is_behind
    node.turn(lambda: node.store.recover(100.0), set())
    assert (node.store.failure, node.store.is_behind) == (None, False)
    assert wire.ask("GET", b"other") == b"value"
    assert_there(node, like)


def test_which_mistakes_pass() -> None:
    assert isinstance(mistake_in(b"-MISCONF Errors writing to the AOF file: no room\r\n", "write"), FullError)
    replica = mistake_in(b"-READONLY You can't write against a read only replica.\r\n", "write a key")
    assert not isinstance(replica, FullError), "what it has will change: this life is over"
    assert "write a key: READONLY" in str(replica)


def test_a_user_who_may_not_load_functions_is_told(wire: SyncConnection, socket_path: str) -> None:
    wire.ask("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "-function")
    with connected(socket_path) as opened:
        limited = SyncConnection(opened)
        limited.ask("AUTH", "limited", "any")
        step, answers = load_step(), list[bytes]()
        limited.send(step.request, answers.append)
        limited.pump()
    assert "does not permit functions" in step.mistake_in(answers[0])
    assert "does not take" in step.mistake_in(b"-ERR Error compiling function\r\n")
