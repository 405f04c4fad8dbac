"""The contract of storage: every engine does what a model does that is too simple to be wrong.

A node over the engine and another author write the same keys; what both tell arrives late, doubled and in any
order, mixed with flushes, expiry, collections, restarts and crashes. After every step everything that a store
tells is compared with the model. CONTRACT_EXAMPLES is the number of histories.
"""

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conformance.contract_engines import ENGINES, Engine, capabilities
from tests.conformance.store_model import Model
from tests.properties.test_merge_types import EVERYTHING, HASH, KEYS, MIXED, NOW, SET, SORTED_SET, STRINGS
from trio_dynomite.data.effect import Flat, record_effect, unpack_record
from trio_dynomite.data.record import Record, digest, is_live, kind, made, newest
from trio_dynomite.data.stamp import NODE_BITS, HybridClock, cutoff_at
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.storage.expiry import expire, expire_key
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.store import Store
from trio_dynomite.testing.soundness import plain, unsound
from trio_dynomite.topology.partitioner import redis_slot

OWN, OTHER = 1000, 2000
SKEW_MS = 5
PLACES = {redis_slot(key): key for key in KEYS}
FAMILIES = [EVERYTHING, MIXED, HASH, SET, SORTED_SET, STRINGS]
writes = st.lists(st.tuples(st.integers(0, 2**16), st.sampled_from(KEYS)), min_size=1, max_size=6)
keys = st.sampled_from(KEYS)
slots = st.sampled_from(sorted(PLACES))
seeds = st.integers(0, 2**16)


def known(record: Record) -> Any:
    """All of a record as values that compare."""
    return plain(record), made(record)


def node(store: Store, clock: HybridClock) -> StoreKeyspace:
    """A node's keys, over a store."""
    return StoreKeyspace(store, clock, origin=clock.next(), rng=Random(1))


def sent(effects: Flat) -> Flat:
    """Effects as they arrive at the other end of a connection."""
    arrived: Flat = msgspec.msgpack.decode(msgspec.msgpack.encode(effects))
    return arrived


class Contract(RuleBasedStateMachine):
    """One engine and the model, told the same."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.store = engine.open(redis_slot)
        self.store.written = []
        self.model = Model(redis_slot)
        self.committed = self.model.copy()
        self.now_ms = NOW
        self.clocks = {OWN: HybridClock(OWN), OTHER: HybridClock(OTHER)}
        self.frames: list[tuple[int, Flat]] = []
        self.heard = 0
        """The frames before this one have arrived once at least."""

    @initialize(skew_ms=st.integers(-SKEW_MS + 1, SKEW_MS - 1), family=st.sampled_from(FAMILIES))
    def begin(self, skew_ms: int, family: list[Any]) -> None:
        """Two nodes, whose clocks differ, and what they write in this history."""
        self.skew_ms, self.acts, self.acts_there = skew_ms, family, family
        if not self.store.capabilities.has_types:
            self.acts_there = STRINGS  # as everywhere in its cluster
        self._advance()
        self.own = node(self.store, self.clocks[OWN])
        self.other = node(MemoryStore(redis_slot), self.clocks[OTHER])

    def _advance(self) -> None:
        self.clocks[OWN].advance(self.now_ms)
        self.clocks[OTHER].advance(self.now_ms + self.skew_ms)

    # What is told

    @rule(chosen=writes, seed=seeds)
    def command(self, chosen: list[tuple[int, bytes]], seed: int) -> None:
        """Commands here: what they tell is what they did."""
        for effects in self._written(self.own, self.acts, chosen, Random(seed)):
            assert self.model.tell(OWN, sent(effects)) == [], "no node has a gap at its own effects"
            self.frames.append((OWN, effects))
            self._settle()

    @rule(chosen=writes, seed=seeds)
    def command_there(self, chosen: list[tuple[int, bytes]], seed: int) -> None:
        """Commands at the other node, of which nothing is known here yet."""
        told = self._written(self.other, self.acts_there, chosen, Random(seed))
        self.frames += [(OTHER, effects) for effects in told]

    def _written(
        self, ks: StoreKeyspace, acts: list[Any], chosen: list[tuple[int, bytes]], rng: Random
    ) -> Iterator[Flat]:
        for number, key in chosen:
            act = acts[number % len(acts)]
            ks.effects = effects = []
            try:
                act(ks, key, rng)
            except CommandError:
                # What had expired is reset before a server refuses a type; and that is told.
                is_refused_late = not self.store.capabilities.has_types
                assert not effects or is_refused_late, "a command that is refused changes nothing"
            if effects:
                yield effects

    @precondition(lambda self: self.frames)
    @rule(seed=seeds, count=st.integers(1, 9))
    def hear(self, seed: int, count: int) -> None:
        """Some frames arrive, for the first time or not."""
        for frame in Random(seed).choices(self.frames, k=count):
            self._hear(*frame)

    def _hear(self, origin: int, effects: Flat) -> None:
        self._observe(max(effects[3::6]) << NODE_BITS | origin)
        gaps = self.store.apply(origin, sent(effects))
        assert set(gaps) == set(self.model.tell(origin, sent(effects)))
        for key in dict.fromkeys(gaps):
            self._learn(key, (self.own if origin == OWN else self.other).store.get(redis_slot(key), key))
        self._settle()

    def _learn(self, key: bytes, record: Record) -> None:
        effects = record_effect(redis_slot(key), key, record)
        self._observe(newest(record))
        assert self.store.apply(OTHER, sent(effects)) == self.model.tell(OTHER, sent(effects)) == []

    def _observe(self, stamp: int) -> None:
        for clock in self.clocks.values():
            clock.observe(stamp)

    @rule(key=keys)
    def put(self, key: bytes) -> None:
        """A plain string goes over whatever there is, which is not looked at where that costs something."""
        self.lapse()
        if self.engine.overwrites(self.store, key):
            self.own.effects = effects = []
            self.own.put(key, b"7")
            assert self.model.tell(OWN, sent(effects)) == []
            self.frames.append((OWN, effects))

    @rule(key=keys, there=keys, has_collected=st.booleans())
    def join(self, key: bytes, there: bytes, has_collected: bool) -> None:
        """The other node's record of a key; a second time it is no news.

        `has_collected`: what is dead there has been forgotten there, too, up to where it has been here."""
        slot = redis_slot(key)
        cutoff = self.store.cutoffs[slot] if has_collected else 0
        packed = record_effect(slot, there, self.other.store.get(redis_slot(there), there))[4]
        self._observe(newest(unpack_record(sent(packed))))
        self.store.join(slot, key, unpack_record(sent(packed)), cutoff)
        self.model.join(key, unpack_record(sent(packed)), cutoff)
        assert not self.store.join(slot, key, unpack_record(sent(packed)), cutoff)
        self._settle()

    @precondition(lambda self: self.frames)
    @rule(seed=seeds, count=st.integers(1, 9))
    def hear_there(self, seed: int, count: int) -> None:
        """The other node hears of something, so that it builds on what was written here."""
        for origin, effects in Random(seed).choices(self.frames, k=count):
            for key in self.other.store.apply(origin, sent(effects)):
                slot = redis_slot(key)
                *_, packed, _ = record_effect(slot, key, self.own.store.get(slot, key))
                self.other.store.join(slot, key, unpack_record(sent(packed)))

    # What is forgotten

    @rule(at=st.integers(0, 60), slot=slots, everywhere=st.booleans())
    def flush(self, at: int, slot: int, everywhere: bool) -> None:
        """A flush of one slot, or of all, at about now or long ago."""
        first, last = (0, 16383) if everywhere else (slot, slot)
        stamp = (self.now_ms + 2 - at) << 16 << NODE_BITS | OTHER
        self._observe(stamp)
        self.store.flush(first, last, stamp)
        self.model.flush(first, last, stamp)
        self.turn_ends()  # a flush may be written at once, and with it what was open

    @rule(pass_ms=st.sampled_from([1, 2, 4, 30]))
    def time_passes(self, pass_ms: int) -> None:
        """What is due expires."""
        self.now_ms += pass_ms
        self._advance()
        self._settle()

    def _settle(self) -> None:
        """Whatever is due has been noticed: by the calendar a moment later, by a look at once."""
        expire(self.store, self.now_ms, 100)
        for key in KEYS:
            expire_key(self.store, key, self.now_ms)
        self.model.expire(self.now_ms)

    @precondition(lambda self: self.store.capabilities.can_list)
    @rule(slot=slots)
    def collect(self, slot: int) -> None:
        """Everything has been heard of: what is dead of it goes."""
        for frame in self.frames[self.heard :]:
            self._hear(*frame)
        self.heard = len(self.frames)
        self.time_passes(2 * SKEW_MS + 1)
        cutoff = cutoff_at(self.now_ms - 2 * SKEW_MS)
        self.engine.looking(self.store, [slot], lambda: raise_cutoff(self.store, slot, cutoff) and None)
        self.model.collect(slot, cutoff)

    @rule(key=keys)
    def forget(self, key: bytes) -> None:
        """As when a range is handed over."""
        if key in self.model.facts:
            self.store.forget(redis_slot(key), key)
            self.model.forget(key)

    @rule(key=keys, there=keys)
    def lend(self, key: bytes, there: bytes) -> None:
        """Another node's record in the place of one's own, for a moment."""
        slot, (*_, packed, _) = (
            redis_slot(key),
            record_effect(0, there, self.other.store.get(redis_slot(there), there)),
        )
        own = self.store.lend(slot, key, unpack_record(sent(packed)))
        assert known(self.store.get(slot, key)) == known(unpack_record(sent(packed)))
        self.store.take_back(slot, key, own)

    # Turns and lives

    @rule()
    def turn_ends(self) -> None:
        """What was done is written."""
        self.engine.settle(self.store)
        self.committed = self.model.copy()

    @rule()
    def lapse(self) -> None:
        """What a store has at hand is not what it has."""
        self.turn_ends()
        self.engine.lapse(self.store)

    def _at_hand(self) -> None:
        if self.engine.at_hand(self.store, KEYS):
            self.committed = self.model.copy()

    @precondition(lambda self: self.engine.outlives)
    @rule(is_crash=st.booleans(), chosen=writes, seed=seeds)
    def restart(self, is_crash: bool, chosen: list[tuple[int, bytes]], seed: int) -> None:
        """After an orderly end everything is there, after a crash all but the turn that was open."""
        self.command(chosen, seed)
        self.store = self.engine.restart(self.store, is_crash=is_crash)
        if is_crash:
            self.model = self.committed.copy()
        self.committed = self.model.copy()
        self.store.written = []
        self.own = node(self.store, self.clocks[OWN])
        known_here = [self.model.get(key) for key in self.model.facts]
        assert self.store.is_restored == bool(known_here)
        assert self.store.newest >= max([newest(record) for record in known_here], default=0)
        self._at_hand()
        self._settle()

    # What must be true

    @invariant()
    def every_key_is_known_as_in_the_model(self) -> None:
        """What is told of keys, one by one."""
        self._at_hand()
        for key in KEYS:
            slot, record = redis_slot(key), self.model.get(key)
            assert known(self.store.get(slot, key)) == known(record)
            assert (key in self.store.records[slot]) == (key in self.model.facts)
            assert self.store.digest_here(slot, key) == (digest(record) if key in self.model.facts else 0)

    @invariant()
    def every_slot_is_known_as_in_the_model(self) -> None:
        """What is told of slots, in sums and by going through them."""
        if self.store.capabilities.can_list:
            self.engine.looking(self.store, PLACES, self._look)

    def _look(self) -> None:
        store, model = self.store, self.model
        for slot in PLACES:
            found = [*store.scan(slot)]
            assert sorted(key for key, _ in found) == sorted(model.keys(slot)), "every key once"
            assert {key: known(record) for key, record in found} == {
                key: known(record) for key, record in model.records(slot)
            }
            assert dict(store.digests(slot)) == {key: digest(record) for key, record in model.records(slot)}
            assert dict(store.living(slot, self.now_ms)) == {
                key: kind(record) for key, record in model.records(slot) if is_live(record, self.now_ms)
            }
            assert store.slot_digests([slot]) == [model.slot_digest(slot)]
            assert (len(store.records[slot]), store.dead[slot]) == (len(model.keys(slot)), model.dead(slot))
            assert store.key_count(slot, slot) == len(found) - model.dead(slot)
            assert store.floors[slot] == model.floor(slot)
            assert store.cutoffs[slot] == model.cutoff(slot)
            assert store.bars[slot] == model.bar(slot)

    def teardown(self) -> None:
        """Whatever is kept by difference is right in the end."""
        faults: list[str] = []
        if self.store.capabilities.can_list:
            self.engine.looking(self.store, PLACES, lambda: faults.extend(unsound(self.store)))
        self.engine.end()
        assert not faults


def histories(name: str) -> settings:
    """So many, and the same each time; others with CONTRACT_EXAMPLES."""
    asked = os.environ.get("CONTRACT_EXAMPLES")
    return settings(
        derandomize=asked is None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        max_examples=int(asked or {"memory": 150, "rocksdb": 50, "slow": 50, "crashes": 6}.get(name, 12)),
        stateful_step_count=30,
    )


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_does_what_the_model_does(name: str) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Contract(ENGINES[name]()), settings=histories(name)
    )


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_known_by_what_it_can_do(name: str) -> None:
    engine = ENGINES[name]()
    assert engine.open(redis_slot).capabilities == capabilities(name)
    engine.end()
