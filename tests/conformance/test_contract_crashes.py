"""The contract of a store on a server, when the connection ends in the middle of what is under way.

Several turns are on their way at once; of what was sent a part arrives, and of the answers a part. Then
another life begins. What the gate said to be safe is there, and every key is as that turn left it or a later.
"""

from random import Random
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.contract_engines import ENGINES, ON_SERVERS
from tests.conformance.contract_remotes import NOW_MS, RemoteEngine
from tests.conformance.test_contract import histories, known, node
from tests.properties.test_merge_types import EVERYTHING, KEYS, STRINGS
from trio_dynomite.data.record import newest
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.testing.soundness import unsound
from trio_dynomite.topology.partitioner import redis_slot

OWN = 1000
SLOTS = sorted({redis_slot(key) for key in KEYS})
Known = dict[bytes, Any]
MOST_UNDER_WAY = 12
"""Requests, about."""


@define
class Lives:
    """One life after the other, over one server."""

    engine: RemoteEngine
    rng: Random
    store: RemoteStore = field(init=False)
    ks: StoreKeyspace = field(init=False)
    clock: HybridClock = field(factory=lambda: HybridClock(OWN))
    turns: list[tuple[int, Known]] = field(factory=list)
    """The number of each turn's commit, and what was known then."""

    def begin(self, store: RemoteStore) -> None:
        """A life."""
        self.clock.advance(NOW_MS)
        self.store, self.ks = store, node(store, self.clock)
        self.engine.at_hand(store, KEYS)
        self.turns = [(store.gate.made, self.known())]

    def known(self) -> Known:
        """What is known of every key that is at hand."""
        return {key: known(self.store.get(redis_slot(key), key)) for key in KEYS}

    def turn(self) -> None:
        """Some commands, or now and then a flush; it leaves."""
        if self.store.capabilities.can_list and self.rng.random() < 0.15:
            self.store.flush(0, 16383, self.clock.next())
        else:
            self.commands()
        self.store.commit()
        self.turns.append((self.store.gate.made, self.known()))

    def commands(self) -> None:
        """A few."""
        acts = EVERYTHING if self.store.capabilities.has_types else STRINGS
        for _ in range(self.rng.randrange(1, 4)):
            try:
                self.rng.choice(acts)(self.ks, self.rng.choice(KEYS), self.rng)
            except CommandError:
                pass  # the key is of another type

    def crash(self) -> None:
        """The connection ends, and the next life begins."""
        arriving = self.rng.randrange(MOST_UNDER_WAY)
        self.engine.wire.cut(arriving, self.rng.randrange(arriving + 1))
        before, turns, safe = self.store, self.turns, self.store.gate.safe
        store = self.engine.restart(before, is_crash=True)
        assert isinstance(store, RemoteStore)
        self.begin(store)
        first = max([at for at, (number, _) in enumerate(turns) if number <= safe])
        for key, now in self.known().items():
            assert now in [found[key] for _, found in turns[first:]], (key, safe)
        if store.capabilities.can_list:
            self.engine.looking(store, SLOTS, self.look)

    def look(self) -> None:
        """What is kept beside the records is right."""
        assert not list(unsound(self.store))
        found = dict(self.store.scan(SLOTS[0])) | dict(self.store.scan(SLOTS[1]))
        assert set(found) == {key for key in KEYS if key in self.store.records[redis_slot(key)]}
        assert self.store.newest >= max(map(newest, found.values()), default=0)


@pytest.mark.parametrize("name", ON_SERVERS)
def test_a_connection_that_ends_takes_nothing_that_was_safe(name: str) -> None:
    @histories("crashes")
    @given(seed=st.integers(0, 2**32))
    def check(seed: int) -> None:
        engine, rng = ENGINES[name](), Random(seed)
        assert isinstance(engine, RemoteEngine)
        lives = Lives(engine, rng)
        try:
            lives.begin(engine.open(redis_slot))
            for _ in range(3):
                for _ in range(rng.randrange(1, 5)):
                    lives.turn()
                    if rng.random() < 0.3:
                        engine.settle(lives.store)
                lives.crash()
        finally:
            engine.end()

    check()
