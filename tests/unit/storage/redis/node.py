"""A keyspace over a store, as a node has it, and one whose store is on a server: every step is a turn."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import ABSENT, COUNTS, Record, digest
from trio_dynomite.data.sequence import ListBody
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import make

SLOT_OF = make("slots", "{}").slot
NOW = 7_258_118_400_000
"""2200: no server thinks that a deadline after this has passed."""


class Node:
    """One node with its records in memory."""

    def __init__(self, number: int = 1, now_ms: int = NOW) -> None:
        self.clock = HybridClock(number)
        self.now_ms = now_ms
        self.clock.advance(now_ms)
        self.keys: set[bytes] = set()
        self.store = self.make_store()
        self.ks = StoreKeyspace(self.store, self.clock, self.clock.next(), rng=Random(1))

    def make_store(self) -> Store:
        return MemoryStore(SLOT_OF)

    def turn(
        self, act: Callable[[], Any], keys: set[bytes], pass_ms: int = 0, *, is_told: bool = True
    ) -> Any:
        """Do something with the records of some keys; the turn ends if it `is_told`."""
        self.keys |= keys
        self.now_ms += pass_ms
        self.clock.advance(self.now_ms)
        self.ks.effects = []
        self.ks.key = None
        outcome = act()
        if is_told:
            self.end_turn()
        return outcome

    def end_turn(self) -> None:
        """Nothing is to be written."""

    def run(self, *args: bytes, pass_ms: int = 0, is_told: bool = True) -> bytes:
        """One request."""

        def act() -> bytes:
            try:
                handler = lookup(list(args)).handler
                assert handler is not None
                return handler(self.ks, list(args))
            except CommandError as refusal:
                return error(str(refusal))

        reply: bytes = self.turn(act, set(args[1:]), pass_ms, is_told=is_told)
        return reply

    def expire(self, pass_ms: int) -> None:
        """Look for what has expired."""
        self.turn(lambda: expire(self.store, self.now_ms, 100), set(self.keys), pass_ms)

    def flush(self) -> None:
        """Everything goes."""
        self.turn(lambda: self.ks.flush(0, SLOTS - 1), set(self.keys))

    def record(self, key: bytes) -> Record:
        """What is known of a key."""
        return self.store.records[SLOT_OF(key)].get(key, ABSENT)


class RemoteNode(Node):
    """One node with its records on a server."""

    def __init__(self, wire: SyncConnection, number: int = 1, now_ms: int = NOW) -> None:
        self.wire = wire
        super().__init__(number, now_ms)

    def make_store(self) -> RemoteStore:
        driver, cache_bytes = RedisDriver(SLOT_OF), 64 << 20
        store = ListedStore(SLOT_OF, driver=driver, cache_bytes=cache_bytes, now_ms=lambda: self.now_ms)
        store.connection = self.wire
        return store

    def turn(
        self, act: Callable[[], Any], keys: set[bytes], pass_ms: int = 0, *, is_told: bool = True
    ) -> Any:
        self.fetch(keys)
        return super().turn(act, keys, pass_ms, is_told=is_told)

    def fetch(self, keys: set[bytes]) -> None:
        """Have the records of keys here."""
        assert isinstance(self.store, RemoteStore)
        self.store.fetch(self.store.missing(keys), lambda: None)
        self.wire.pump()

    def end_turn(self) -> None:
        self.store.commit()
        self.wire.pump()

    def forget(self) -> None:
        """Have nothing here but what the server has."""
        assert isinstance(self.store, RemoteStore)
        cache = self.store.cache
        assert not cache.busy
        cache.young.clear()
        cache.old.clear()


def plain(record: Record) -> Any:
    """All that a record knows, as something that compares and can be read."""
    body = record[COUNTS]
    told: Any = body
    if isinstance(body, Cells):
        cells = sorted([(element, repr(cell)) for element, cell in body.cells.items()])
        told = (body.kind, body.made, body.live, body.dead, body.due_ms, body.sum, cells)
    elif isinstance(body, ListBody):
        told = list(body.items)
    elif isinstance(body, StreamBody | OpaqueBody):
        told = body.pack()
    return (*record[:COUNTS], told, digest(record))
