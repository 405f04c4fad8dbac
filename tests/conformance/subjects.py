"""Our side of the comparisons with a real Valkey: handlers over some keyspace, asked as a server is."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

from attrs import define

from tests.unit.commands.fake import FakeKeyspace
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.topology.partitioner import make


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
    clock = HybridClock(1)
    clock.advance(time.time_ns() // 1_000_000)
    store = MemoryStore(make("slots", "{}").slot)
    ks = StoreKeyspace(store, clock, clock.next(), resp=resp, rng=Random(1), may_block=True)

    def plant(key: bytes, kind: str) -> None:
        ks.delete(key)
        ks.list_at(key).push([b"item"], left=False)

    return Subject(ks, clock.advance, plant)
