"""Our side of the comparisons with a real Valkey where the records are on a Redis: each request is a turn.

What it needs is fetched before it, as `coordinator/fetching.py` does; now and then all that is at hand goes,
so that it comes from the server again.
"""

import atexit
import time
from functools import cache
from random import Random

from attrs import define

from tests.conformance.contract_remotes import RedisEngine
from tests.conformance.subjects import SLOT_OF, Subject
from tests.servers import KINDS
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.remote.listed import ListedStore


@define
class OnRedis(Subject):
    """Handlers over a keyspace whose records are on a server."""

    engine: RedisEngine
    store: ListedStore
    rng: Random

    def __call__(self, *args: bytes) -> bytes:
        if self.rng.random() < 0.15:
            self.engine.lapse(self.store)
        try:
            row = lookup(list(args))
        except CommandError:
            return Subject.__call__(self, *args)
        if row.spread is Spread.KEYSPACE:
            return self._looking(args)
        self._fetch(row, list(args))
        return Subject.__call__(self, *args)

    def _fetch(self, row: Row, args: list[bytes]) -> None:
        self.engine.at_hand(self.store, row.keys(args))
        if row.leads_to is not None:
            try:
                self.engine.at_hand(self.store, [*row.keys(args), *row.leads_to(self.ks, args)])
            except CommandError:
                pass  # which the command will say, too

    def _looking(self, args: tuple[bytes, ...]) -> bytes:
        replies: list[bytes] = []
        self.engine.looking(self.store, range(SLOTS), lambda: replies.append(Subject.__call__(self, *args)))
        return replies[0]


def redis_subject(resp: int) -> OnRedis:
    """Over one server for the whole run; nothing is there."""
    engine, clock = _served()
    engine.empty()
    store = engine.make(SLOT_OF)
    clock.advance(time.time_ns() // 1_000_000)
    ks = StoreKeyspace(store, clock, clock.next(), resp=resp, rng=Random(1), may_block=True)

    def plant(key: bytes, kind: str) -> None:
        engine.at_hand(store, [key])
        ks.delete(key)
        ks.list_at(key).push([b"item"], left=False)

    return OnRedis(ks, clock.advance, plant, engine, store, Random(1))


@cache
def _served() -> tuple[RedisEngine, HybridClock]:
    engine, clock = RedisEngine(KINDS[-1]), HybridClock(1)
    engine.open(SLOT_OF)
    atexit.register(engine.end)
    return engine, clock
