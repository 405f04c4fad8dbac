"""A module's command that writes, on an engine whose server answers when the test lets it.

The server has no module: `X.SET` reaches it as `SET`, and so on.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from tests.servers import connected, started
from tests.unit.coordinator.lone_node import Lone, decoded
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.commands.module_rows import rows_of
from trio_dynomite.commands.table import learn, lookup
from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.data.record import DEADLINE, VALUE, Record
from trio_dynomite.model import Level, NodeState
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.redis.library import load_step
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import EPOCH_MS
from trio_dynomite.topology.partitioner import Partitioner

NAMES = (b"set", b"append", b"del", b"get", b"lpush")
KEY = b"k"


class Renaming(SyncConnection):
    """Gives the server its own names of commands."""

    def send(self, data: bytes, on_reply: Callable[[Any], None]) -> None:
        for name in map(bytes.upper, NAMES):
            size = len(name)
            data = data.replace(b"$%d\r\nX.%b\r\n" % (size + 2, name), b"$%d\r\n%b\r\n" % (size, name))
        super().send(data, on_reply)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started("redis", tmp_path_factory.mktemp("redis")) as socket:
        yield socket


@pytest.fixture
def wire(path: str) -> Iterator[Renaming]:
    with connected(path) as opened:
        connection = Renaming(opened)
        connection.ask("FLUSHALL")
        connection.send(load_step().request, lambda reply: None)
        connection.pump()
        yield connection


@pytest.fixture
def node(wire: Renaming) -> Iterator["Node"]:
    yield Node(wire)
    learn([])


class Node:
    """A cluster of one, and what its clients were told."""

    def __init__(self, wire: Renaming) -> None:
        self.wire = wire

        def make_store(partitioner: Partitioner) -> ListedStore:
            driver = RedisDriver(partitioner.slot)
            store = ListedStore(
                partitioner.slot, driver=driver, cache_bytes=1 << 20, now_ms=lambda: self.engine.now_ms
            )
            store.connection = wire
            return store

        log = lambda event, **facts: None  # noqa: E731
        self.engine = build_engine(layout([1]), "d1r1n1", EPOCH_MS, log, Random(1), make_store)
        self.lone = Lone(self.engine)
        self.store = self.engine.keyspace.store
        assert isinstance(self.store, ListedStore)
        self.engine.begin(EPOCH_MS, 0.0)
        self.store.begin(lambda: None)
        wire.pump()
        rows = rows_of(
            [
                [
                    b"x." + name,
                    -2,
                    [b"readonly" if name == b"get" else b"write", b"module"],
                    1,
                    1,
                    1,
                    [],
                    [],
                    [],
                    [],
                ]
                for name in NAMES
            ]
        )
        self.store.module_commands = frozenset([row.name for row in learn(rows)])
        self.engine.set_state(NodeState.NORMAL)
        self.lone.turn()

    def submit(self, *args: bytes, resp: int = 2, level: Level = Level.DC_QUORUM) -> list[bytes]:
        """What the client is told, as soon as it is."""
        said: list[bytes] = []
        client = Client(level, level, said.append, resp)
        reply = self.engine.submit(lookup(list(args)), list(args), client)
        return said if reply is None else [reply]

    def settle(self) -> None:
        """Let the server answer, until nothing is under way."""
        for _ in range(6):
            self.wire.pump()
            self.lone.turn()

    def run(self, *args: bytes) -> Any:
        said = self.submit(*args)
        self.settle()
        (reply,) = said
        return decoded(reply)

    def record(self, key: bytes = KEY) -> Record:
        return self.store.get(self.store.slot_of(key), key)


def test_what_it_made_is_a_record_like_any_other(node: Node) -> None:
    assert node.run(b"X.SET", KEY, b"v", b"PX", b"5000000000000") == b"OK"
    assert node.record()[VALUE] == b"v"
    assert node.record()[DEADLINE] > EPOCH_MS
    assert node.run(b"APPEND", KEY, b"w") == 2
    assert node.run(b"X.GET", KEY) == b"vw"
    assert node.run(b"X.DEL", KEY) == 1
    assert node.run(b"EXISTS", KEY) == 0
    assert node.engine.in_flight == node.engine.waiting_bytes == 0
    assert not node.store.cache.locked  # type: ignore[attr-defined]


def test_what_it_wrote_is_its_clients_own(node: Node) -> None:
    own: list[list[bytes]] = []
    node.engine.written.on_written = lambda keys: None
    node.engine.written.on_own = lambda waiter, keys: own.append(keys)
    node.engine.written.listen()
    assert node.run(b"X.SET", KEY, b"v") == b"OK"
    assert own
    assert set(own[-1]) == {KEY}


def test_an_error_changes_nothing(node: Node) -> None:
    assert node.run(b"SET", KEY, b"v") == b"OK"
    before = node.record()
    assert "WRONGTYPE" in str(node.run(b"X.LPUSH", KEY, b"x"))
    assert node.record() == before


def test_a_key_that_the_server_lost_is_put_back_first(node: Node) -> None:
    assert node.run(b"SET", KEY, b"v") == b"OK"
    node.wire.ask("DEL", KEY)
    assert node.run(b"X.APPEND", KEY, b"w") == 2
    assert node.wire.ask("GET", KEY) == b"vw"
    assert node.record()[VALUE] == b"vw"


def test_who_was_told_that_nobody_knows_is_told_nothing_more(node: Node) -> None:
    node.run(b"GET", KEY)
    said = node.submit(b"X.SET", KEY, b"v")
    node.lone.now_s += 60
    node.lone.turn()
    node.engine.tick()
    assert len(said) == 1
    assert said[0].startswith(b"-UNKNOWN")
    node.settle()
    assert len(said) == 1
    assert node.run(b"GET", KEY) == b"v"
    assert node.engine.in_flight == node.engine.waiting_bytes == 0


def test_who_leads_no_more_does_not_know(node: Node) -> None:
    node.run(b"GET", KEY)
    said = node.submit(b"X.SET", KEY, b"v")
    node.engine.table.of_key(KEY).stint += 1
    node.settle()
    assert said[0].startswith(b"-UNKNOWN another node may have led")
    assert node.record()[VALUE] == b"v"


def test_what_is_asked_of_the_key_meanwhile_waits_in_order(node: Node) -> None:
    node.run(b"GET", KEY)
    asked = [
        (b"X.SET", KEY, b"1"),
        (b"INCR", KEY),
        (b"X.GET", KEY),
        (b"X.APPEND", KEY, b"0"),
        (b"GET", KEY),
        (b"DEL", KEY),
        (b"X.GET", KEY),
        (b"X.SET", KEY, b"z"),
        (b"GET", KEY),
    ]
    said = [node.submit(*args, level=Level.DC_ONE) for args in asked]
    assert not any(said)
    for _ in range(4):
        node.settle()
    assert [decoded(one) for (one,) in said] == [b"OK", 2, b"2", 2, b"20", 1, None, b"OK", b"z"]
    assert node.wire.ask("GET", KEY) == b"z"


def test_what_a_quorum_reads_is_asked_again_when_it_has_changed_meanwhile(node: Node) -> None:
    assert node.run(b"SET", KEY, b"v") == b"OK"
    said = node.submit(b"X.GET", KEY)
    assert node.submit(b"SET", KEY, b"w") == [b"+OK\r\n"]
    node.settle()
    assert said == [b"$1\r\nw\r\n"]
    assert node.engine.in_flight == 0


def test_the_servers_loss_ends_it_without_a_word(node: Node) -> None:
    node.run(b"GET", KEY)
    said = node.submit(b"X.SET", KEY, b"v")
    node.wire.lose()
    assert said == []


def test_the_connection_speaks_resp2_again_afterwards(node: Node) -> None:
    said = node.submit(b"X.GET", KEY, resp=3, level=Level.DC_ONE)
    more = node.submit(b"X.SET", KEY, b"v", resp=3)
    again = node.submit(b"X.GET", b"other")
    node.settle()
    assert (said, more, again) == ([b"_\r\n"], [b"+OK\r\n"], [b"$-1\r\n"])
