"""Our side of the comparisons with a real Valkey: handlers over some keyspace, asked as a server is."""

import atexit
import time
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from attrs import define

from tests.engines import folder
from tests.unit.commands.fake import FakeKeyspace
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.rocksdb.store import open_store
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import make

SLOT_OF = make("slots", "{}").slot


@define
class Subject:
    """Our side: handlers over some keyspace."""

    ks: Any
    tell_time: Callable[[int], None]
    """Sets the keyspace's clock."""
    plant: Callable[[bytes, str], None] | None
    """Makes a key hold another type than a string; None when this keyspace knows strings only."""

    def __call__(self, *args: bytes) -> bytes:
        self.tell_time(time.time_ns() // 1_000_000)
        try:
            handler = lookup(list(args)).handler
            assert handler is not None
            keyspace: Keyspace = self.ks
            return handler(keyspace, list(args))
        except CommandError as refusal:
            return error(str(refusal))


def fake_subject(resp: int) -> Subject:
    ks = FakeKeyspace(resp=resp)
    return Subject(ks, lambda now_ms: setattr(ks, "now_ms", now_ms), ks.plant)


def store_subject(resp: int) -> Subject:
    return _over(MemoryStore(SLOT_OF), _clock(), resp)


def rocks_subject(resp: int) -> Subject:
    """Over the one store on disk that this process opens for it; what was there before is flushed.

    Turns last for some requests, so that some is still to be written when it is asked for, and some not."""
    store, clock = _on_disk()
    clock.advance(time.time_ns() // 1_000_000)
    store.flush(0, SLOTS - 1, clock.next())
    subject, rng = _over(store, clock, resp), Random(1)

    def turn(now_ms: int) -> None:
        clock.advance(now_ms)
        if rng.random() < 0.4:
            store.commit()

    subject.tell_time = turn
    return subject


def _clock() -> HybridClock:
    clock = HybridClock(1)
    clock.advance(time.time_ns() // 1_000_000)
    return clock


@cache
def _on_disk() -> tuple[Store, HybridClock]:
    place = folder()
    store = open_store(place.name, SLOT_OF, "slots")
    atexit.register(place.cleanup)
    atexit.register(store.close)
    return store, _clock()


def _over(store: Store, clock: HybridClock, resp: int) -> Subject:
    ks = StoreKeyspace(store, clock, clock.next(), resp=resp, rng=Random(1), may_block=True)

    def plant(key: bytes, kind: str) -> None:
        ks.delete(key)
        ks.list_at(key).push([b"item"], left=False)

    return Subject(ks, clock.advance, plant)
