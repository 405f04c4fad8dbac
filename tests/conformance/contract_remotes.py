"""Stores on real servers, for the contract of storage: what happens between turns is waited for here.

A turn awaits nothing, so before it the records of its keys are fetched (`coordinator/here.py`); here that is
one call that sends, waits for the answers, and ends the turn of each, until nobody asks any more.
"""

import socket
from collections.abc import Callable, Iterable
from typing import ClassVar

from attrs import define, field

from tests.servers import MEMCACHED, connected, shared
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.memcached.driver import MemcachedDriver
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.redis.library import load_step
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.remote.unlisted import UnlistedStore
from trio_dynomite.storage.store import Store

NOW_MS = 7_258_118_400_000
CACHE_BYTES = 64 << 20
SlotOf = Callable[[bytes], int]


@define
class RemoteEngine:
    """A server that is used by one history after the other."""

    kind: str
    outlives: bool = True
    wire: SyncConnection = field(init=False)
    _wires: list[socket.socket] = field(factory=list)
    new_scanner: ClassVar[Callable[[], object]] = ReplyScanner

    def open(self, slot_of: SlotOf) -> RemoteStore:
        """As in `Engine`."""
        self._connect()
        self.empty()
        return self.make(slot_of)

    def _connect(self) -> None:
        wire = connected(shared(self.kind))
        self._wires.append(wire)
        self.wire = SyncConnection(wire, self.new_scanner)

    def empty(self) -> None:
        """Nothing is on the server."""
        raise NotImplementedError

    def make(self, slot_of: SlotOf) -> RemoteStore:
        """A store over the connection that is open now."""
        raise NotImplementedError

    def restart(self, store: Store, *, is_crash: bool) -> Store:
        """As in `Engine`."""
        if not is_crash:
            self.settle(store)
        self._connect()
        new = self.make(store.slot_of)
        begun: list[bool] = []
        new.begin(lambda: begun.append(True))
        self.settle(new)
        assert begun == [True]
        return new

    def end(self) -> None:
        """As in `Engine`; the server stays."""
        for wire in self._wires:
            wire.close()

    def at_hand(self, store: Store, keys: Iterable[bytes]) -> bool:
        """As in `Engine`: nothing comes while a turn is open."""
        assert isinstance(store, RemoteStore)
        self.settle(store)
        store.fetch(store.missing(keys), lambda: None)
        self.settle(store)
        return True

    def looking(self, store: Store, slots: Iterable[int], act: Callable[[], None]) -> None:
        """As in `Engine`."""
        assert isinstance(store, ListedStore)
        self.settle(store)
        done: list[bool] = []

        def ready() -> None:
            act()
            done.append(True)

        store.look(slots, ready, is_full=True)
        self.settle(store)
        assert done == [True]

    def settle(self, store: Store) -> None:
        """As in `Engine`."""
        store.commit()
        while not self.wire.is_idle:
            self.wire.pump()
            store.commit()

    def lapse(self, store: Store) -> None:
        """As in `Engine`."""
        assert isinstance(store, RemoteStore)
        self.settle(store)
        assert not store.cache.busy
        assert not store.gate.is_shut
        store.cache.young.clear()
        store.cache.old.clear()

    def overwrites(self, store: Store, key: bytes) -> bool:
        """As in `Engine`."""
        assert isinstance(store, RemoteStore)
        if not store.missing([key]):
            return True
        return isinstance(store, ListedStore) and store.may_overwrite(key)


@define
class RedisEngine(RemoteEngine):
    """A Redis or a Valkey."""

    def empty(self) -> None:
        """As in `RemoteEngine`; the functions are loaded."""
        self.wire.ask("FLUSHALL")
        step, answers = load_step(), list[bytes]()
        self.wire.send(step.request, answers.append)
        self.wire.pump()
        assert step.mistake_in(answers[0]) == ""

    def make(self, slot_of: SlotOf) -> ListedStore:
        """As in `RemoteEngine`."""
        driver = RedisDriver(slot_of)
        store = ListedStore(slot_of, driver=driver, cache_bytes=CACHE_BYTES, now_ms=lambda: NOW_MS)
        store.connection = self.wire
        return store


@define
class MemcachedEngine(RemoteEngine):
    """A memcached: what a slot's flush has left is known in this life only."""

    kind: str = MEMCACHED
    outlives: bool = False
    new_scanner: ClassVar[Callable[[], object]] = MetaReplyScanner

    def empty(self) -> None:
        """As in `RemoteEngine`."""
        self.wire.send(b"flush_all\r\n", lambda reply: None)
        self.wire.pump()

    def make(self, slot_of: SlotOf) -> UnlistedStore:
        """As in `RemoteEngine`."""
        driver = MemcachedDriver(1 << 20, grace_s=600.0)
        store = UnlistedStore(slot_of, driver=driver, cache_bytes=CACHE_BYTES, now_ms=lambda: NOW_MS)
        store.connection = self.wire
        return store
