"""The laws of what is forgotten: what was collected or flushed stays dead, whoever tells of it.

And nothing else is dead by that. Two replicas, one over each engine and one in memory; before one of them
collects, both have heard of everything that is as old.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from attrs import define

from tests.conformance.contract_engines import ENGINES, LISTING, Engine
from tests.conformance.test_contract import known, sent
from trio_dynomite.data.effect import Flat, record_effect, unpack_record
from trio_dynomite.data.record import Record
from trio_dynomite.data.stamp import NODE_BITS, HybridClock, cutoff_at
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import redis_slot

NOW = 7_258_118_400_000
HERE, THERE = 1, 2
KEY = b"k"
SLOT = redis_slot(KEY)
Act = Callable[[Any], object]


@define
class Replica:
    """A node over a store."""

    engine: Engine
    store: Store
    ks: StoreKeyspace

    def run(self, act: Act, at_ms: int) -> Flat:
        """What a command tells that runs so many milliseconds after the beginning."""
        self.engine.at_hand(self.store, [KEY])
        self.ks.clock.advance(NOW + at_ms)
        self.ks.effects = effects = []
        act(self.ks)
        self.engine.settle(self.store)
        assert effects
        return sent(effects)

    def hear(self, origin: int, effects: Flat) -> list[bytes]:
        """The effects of a frame arrive."""
        self.engine.at_hand(self.store, [KEY])
        gaps = self.store.apply(origin, effects)
        self.engine.settle(self.store)
        return gaps

    def collect(self, at_ms: int) -> None:
        """Everybody has heard of all until then."""
        cutoff = cutoff_at(NOW + at_ms)

        def act() -> None:
            raise_cutoff(self.store, SLOT, cutoff)

        self.engine.looking(self.store, [SLOT], act)

    def flush(self, at_ms: int) -> None:
        """Everything until then is dead."""
        self.store.flush(SLOT, SLOT, (NOW + at_ms) << 16 << NODE_BITS | THERE)
        self.engine.settle(self.store)

    def join(self, record: Record, cutoff_there: int) -> bool:
        """A record arrives."""
        self.engine.at_hand(self.store, [KEY])
        is_news = self.store.join(SLOT, KEY, record, cutoff_there)
        self.engine.settle(self.store)
        return is_news

    def told(self) -> Record:
        """The record, as it arrives somewhere else."""
        self.engine.at_hand(self.store, [KEY])
        return unpack_record(sent(record_effect(SLOT, KEY, self.store.get(SLOT, KEY))[4]))

    def forget(self) -> None:
        """As when a range is handed over, or the record is lost."""
        self.engine.at_hand(self.store, [KEY])
        self.store.forget(SLOT, KEY)
        self.engine.settle(self.store)

    def known(self) -> tuple[Any, int]:
        """What is known of the key, and the slot's digest, as the engine has it."""
        self.engine.lapse(self.store)
        self.engine.at_hand(self.store, [KEY])
        return known(self.store.get(SLOT, KEY)), self.store.slot_digests([SLOT])[0]


def replica(engine: Engine, store: Store, number: int) -> Replica:
    """A node that has begun."""
    clock = HybridClock(number)
    clock.advance(NOW)
    return Replica(engine, store, StoreKeyspace(store, clock, origin=clock.next(), rng=Random(1)))


@pytest.fixture(params=LISTING)
def here(request: pytest.FixtureRequest) -> Iterator[Replica]:
    """The replica under test."""
    engine = ENGINES[request.param]()
    yield replica(engine, engine.open(redis_slot), HERE)
    engine.end()


@pytest.fixture
def there() -> Replica:
    """Another, in memory."""
    return replica(ENGINES["memory"](), MemoryStore(redis_slot), THERE)


def put(*elements: bytes) -> Act:
    return lambda ks: ks.hash_at(KEY).put([(element, b"v") for element in elements])


def remove(element: bytes) -> Act:
    return lambda ks: ks.hash_at(KEY).remove([element])


def test_what_is_forgotten_of_a_collection_does_not_come_back_with_a_record(
    here: Replica, there: Replica
) -> None:
    here.hear(THERE, there.run(put(b"a", b"b"), 1))
    there.hear(HERE, here.run(remove(b"a"), 2))
    here.collect(3)
    before = here.known()
    assert not here.join(there.told(), 0), "there the tombstone is kept"
    assert here.known() == before
    there.run(put(b"c"), 4)
    assert here.join(there.told(), 0)
    there.collect(3)
    assert here.known() == there.known()
    there.run(put(b"a"), 5)
    assert here.join(there.told(), 0)
    assert here.known() == there.known(), "it was put there anew"


EFFECTS: dict[str, tuple[Act, Act]] = {
    "field": (put(b"a"), remove(b"a")),
    "member": (lambda ks: ks.set_at(KEY).add([b"a"]), lambda ks: ks.set_at(KEY).remove([b"a"])),
    "score": (
        lambda ks: ks.sorted_set_at(KEY).put([(b"a", 1.0)]),
        lambda ks: ks.sorted_set_at(KEY).remove([b"a"]),
    ),
    "string": (lambda ks: ks.put(KEY, b"v"), lambda ks: ks.delete(KEY)),
    "count": (lambda ks: ks.count(KEY, 1), lambda ks: ks.delete(KEY)),
    "list": (lambda ks: ks.list_at(KEY).push([b"a"], left=True), lambda ks: ks.delete(KEY)),
}
BESIDE: dict[str, Act] = {
    "field": put(b"b"),
    "member": lambda ks: ks.set_at(KEY).add([b"b"]),
    "score": lambda ks: ks.sorted_set_at(KEY).put([(b"b", 1.0)]),
}
"""What keeps the key alive."""


@pytest.mark.parametrize("kind", EFFECTS)
@pytest.mark.parametrize("is_alive", [False, True])
def test_an_effect_that_comes_once_more_after_a_collection_does_nothing(
    here: Replica, there: Replica, kind: str, is_alive: bool
) -> None:
    add, take = EFFECTS[kind]
    late = there.run(add, 1)
    here.hear(THERE, late)
    here.ks.clock.observe(there.ks.clock.last)
    if is_alive and kind in BESIDE:
        here.run(BESIDE[kind], 2)
    here.run(take, 3)
    here.collect(4)
    before = here.known()
    assert here.hear(THERE, late) == [], "no gap: it is known to be dead"
    assert here.known() == before


@pytest.mark.parametrize("kind", EFFECTS)
def test_who_has_collected_as_much_is_believed(here: Replica, there: Replica, kind: str) -> None:
    add, _ = EFFECTS[kind]
    here.hear(THERE, there.run(add, 1))
    there.collect(2)
    here.collect(2)
    here.forget()
    assert here.join(there.told(), there.store.cutoffs[SLOT])
    assert here.known() == there.known()


@pytest.mark.parametrize("kind", EFFECTS)
def test_who_has_not_collected_as_much_tells_of_what_is_dead(
    here: Replica, there: Replica, kind: str
) -> None:
    add, take = EFFECTS[kind]
    here.hear(THERE, there.run(add, 1))
    here.ks.clock.observe(there.ks.clock.last)
    there.hear(HERE, here.run(take, 2))
    here.collect(3)
    before = here.known()
    assert not here.join(there.told(), 0)
    assert here.known() == before


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("has_collected", [False, True])
def test_of_a_record_that_is_partly_older_than_a_flush_only_the_rest_is_believed(
    here: Replica, there: Replica, kind: str, has_collected: bool
) -> None:
    there.run(EFFECTS[kind][0], 1)
    there.run(BESIDE[kind], 4)
    here.flush(2)
    if has_collected:
        here.collect(3)
    assert here.join(there.told(), here.store.cutoffs[SLOT])
    there.flush(2)
    if has_collected:
        there.collect(3)
    assert here.known() == there.known()
