"""The store without stamps: what peers tell is run, or dropped; and only then it counts as told."""

import pytest

from tests.unit.plain_server import Queue, TinyServer
from trio_dynomite.data.effect import FLUSH, PUT, RECORD, SAID
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.plain import PlainStore
from trio_dynomite.storage.servers.handshake import packed
from trio_dynomite.topology.partitioner import make


@pytest.fixture
def later() -> Queue:
    return Queue()


@pytest.fixture
def server(later: Queue) -> TinyServer:
    return TinyServer(later)


@pytest.fixture
def store(server: TinyServer) -> PlainStore:
    return server.open_store(make("slots", "{}"))


def test_what_is_told_is_run_in_order_and_counts_when_it_is(
    store: PlainStore, server: TinyServer, later: Queue
) -> None:
    requests = [packed("SET", "a", "1"), packed("INCR", "a"), packed("DEL", "b")]
    effects = [part for said in requests for part in (SAID, 0, b"a", 1, said, 0)]
    assert store.apply(7, effects) == []
    assert store.peer_gate.is_shut
    later.run()
    assert not store.peer_gate.is_shut
    assert server.held == {b"a": b"2"}
    assert [args[0] for args in server.heard] == [b"SET", b"INCR", b"DEL"]


def test_what_the_server_refuses_is_dropped_with_all_its_keys(
    store: PlainStore, server: TinyServer, later: Queue
) -> None:
    server.held |= {b"a": b"old", b"b": b"old"}
    server.refuses = {b"a"}
    store.apply(7, [SAID, 0, b"a", 1, packed("MSET", "a", "1", "b", "2"), 0])
    later.run()
    assert server.held == {}
    assert store.dropped == 1
    assert not store.peer_gate.is_shut


def test_a_hint_drops_and_a_flush_drops_everything(
    store: PlainStore, server: TinyServer, later: Queue
) -> None:
    server.held |= {b"a": b"old", b"b": b"kept"}
    store.apply(7, [RECORD, 0, b"a", 0, [], 0])
    later.run()
    assert server.held == {b"b": b"kept"}
    store.apply(7, [FLUSH, 0, b"", 0, [0, 16383], 0])
    later.run()
    assert server.held == {}


def test_what_has_no_meaning_here_breaks_the_protocol(store: PlainStore) -> None:
    with pytest.raises(ProtocolError, match="no meaning without stamps"):
        store.apply(7, [PUT, 0, b"a", 1, b"1", 0])


@pytest.mark.parametrize("has_library", [False, True])
def test_a_life_begins_empty_but_not_over_keys_of_others(
    store: PlainStore, server: TinyServer, later: Queue, has_library: bool
) -> None:
    begun: list[bool] = []
    server.held[b"a"] = b"1"
    server.has_library = has_library
    store.begin(lambda: begun.append(True))
    later.run()
    assert bool(begun) is has_library
    assert server.held == ({} if has_library else {b"a": b"1"})
    assert ("would be emptied" in server.why_closed) is not has_library


def test_the_protocol_is_changed_when_another_is_wanted(
    store: PlainStore, server: TinyServer, later: Queue
) -> None:
    for resp in (2, 3, 3, 2):
        store.speak(resp)
    later.run()
    assert server.heard == [[b"HELLO", b"3"], [b"HELLO", b"2"]]
