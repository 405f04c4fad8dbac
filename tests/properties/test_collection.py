"""The law of collection: forgetting what is dead, and known to be by all, changes nothing that anybody sees.

The same nodes write and hear the same things twice: once they keep every tombstone for ever, and once each
of its own, up to a cutoff that all had agreed before. Effects come late, twice, out of order, some even from
before the cutoff.
"""

from random import Random
from typing import Any

from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from tests.engines import MakeStore, examples
from tests.properties import test_merge_types as types
from tests.properties.test_merge_types import ELEMENTS, KEYS, NOW, SLOTS, Site, assert_alike, assert_sound
from trio_dynomite.data.effect import Flat
from trio_dynomite.data.record import is_live, newest
from trio_dynomite.data.stamp import NODE_BITS, cutoff_at
from trio_dynomite.storage import expiry
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.topology.partitioner import redis_slot

STEP_MS = 10
EPOCH_STEPS = 12
MARGIN_MS = 50
"""By how much a cutoff is older than the agreement; clocks differ by less."""


def hash_put(ks: Any, key: bytes, rng: Random) -> None:
    deadline = rng.choice([0, 0, None, ks.now_ms + 3 * STEP_MS])
    ks.hash_at(key).put([(rng.choice(ELEMENTS), b"%d" % rng.randrange(9))], deadline)


def hash_expire(ks: Any, key: bytes, rng: Random) -> None:
    view = ks.hash_at(key)
    fields = [e for e in ELEMENTS if e in view][: rng.randrange(1, 4)]
    view.expire(fields, ks.now_ms + rng.choice([5 * STEP_MS, 10**6]))


def set_string(ks: Any, key: bytes, rng: Random) -> None:
    ks.put(key, b"7", rng.choice([0, 0, ks.now_ms + 4 * STEP_MS]))


def expire(ks: Any, key: bytes, rng: Random) -> None:
    if ks.kind(key):
        ks.expire(key, rng.choice([0, ks.now_ms + 6 * STEP_MS, ks.now_ms + 10**6]))


HASH = [hash_put, types.hash_remove, types.hash_count, hash_expire]
COUNTS = [types.count, types.delete, types.hash_count, types.hash_remove, types.add_score, types.unscore]
LISTS = [types.push, types.pop, set_string, types.delete, expire]
EVERYTHING = [*HASH, *COUNTS, *LISTS, types.set_add, types.set_remove, types.score, types.copy]


@define
class Cluster:
    """Three nodes, and the cutoff that each may raise when it likes."""

    sites: list[Site]
    collects: bool
    cutoff: int = 0
    agreed: int = 0

    def step(self, rng: Random, number: int, acts: list[Any]) -> None:
        """One node writes, some hear something, and one may collect."""
        rng.choice(self.sites).write(rng.choice(acts), rng, number * STEP_MS)
        for site in self.sites:
            site.keyspace.clock.advance(NOW + site.skew_ms + number * STEP_MS)
            expiry.expire(site.keyspace.store, site.keyspace.now_ms, 100)
        for _ in range(rng.randrange(4)):
            to, by = rng.sample(self.sites, 2)
            at = rng.randrange(10**6)
            if by.told and self.may_come(effects := by.told[at % len(by.told)]):
                to.hear(by, effects)
        if rng.random() < 0.2:
            self.collect(rng.choice(self.sites))

    def may_come(self, effects: Flat) -> bool:
        """What was under way when all agreed has arrived; what is older than the cutoff is told once more."""
        return not self.cutoff < effects[3] << NODE_BITS <= self.agreed

    def collect(self, site: Site) -> None:
        """It raises its cutoffs to what was agreed."""
        if self.collects:
            for slot in SLOTS:
                raise_cutoff(site.keyspace.store, slot, self.cutoff)

    def agree(self, now_ms: int) -> None:
        """All learn what the others know; then nothing older can come any more."""
        for _ in range(3):
            for to in self.sites:
                for by in self.sites:
                    self.learn(to, by)
        self.cutoff, self.agreed = cutoff_at(now_ms - MARGIN_MS), cutoff_at(now_ms + MARGIN_MS)

    def learn(self, to: Site, by: Site) -> None:
        """What a repair does: the higher cutoff first, then the records."""
        mine, theirs = to.keyspace.store, by.keyspace.store
        for key in KEYS if to is not by else ():
            slot = redis_slot(key)
            raise_cutoff(mine, slot, theirs.cutoffs[slot])
            if key in theirs.records[slot]:
                record = types.unpack_record(types.record_effect(slot, key, theirs.records[slot][key])[4])
                to.keyspace.clock.observe(newest(record))
                mine.join(slot, key, record, theirs.cutoffs[slot])


def seen(ks: Any, key: bytes) -> Any:
    """What a client sees at `key`."""
    record = ks.store.get(redis_slot(key), key)
    if not is_live(record, ks.now_ms):
        return None
    kind = ks.kind(key)
    views = {"hash": ks.hash_at, "set": ks.set_at, "zset": ks.sorted_set_at, "list": ks.list_at}
    if kind == "string":
        return ks.get(key), ks.deadline(key)
    view = views[kind](key) if kind else ()
    dates = [view.deadline(field) for field in ELEMENTS] if kind == "hash" else []
    content = view.items() if kind in ("hash", "zset") else view
    return kind, (list(content) if kind == "list" else sorted(content)), ks.deadline(key), dates


def run(make_store: MakeStore, seed: int, acts: list[Any], skews: list[int], *, collects: bool) -> Cluster:
    rng = Random(seed)
    sites = [Site(number, skew, make_store) for number, skew in enumerate(skews, 1)]
    cluster = Cluster(sites, collects)
    number = 1
    for _ in range(rng.randrange(1, 5)):
        for _ in range(rng.randrange(EPOCH_STEPS)):
            number += 1
            cluster.step(rng, number, acts)
        number += rng.choice([1, 1, 30])
        for site in sites:
            site.keyspace.clock.advance(NOW + site.skew_ms + number * STEP_MS)
        cluster.agree(NOW + number * STEP_MS)
    for site in sites:
        cluster.collect(site)
    cluster.agree(NOW + number * STEP_MS)
    return cluster


seeds = st.integers(0, 2**32)
ALIKE: list[Any] = [
    [types.hash_set, types.hash_remove, types.hash_count, types.delete],
    [hash_put, types.hash_remove, hash_expire, types.delete, expire],
    [types.score, types.add_score, types.unscore, types.delete],
    [types.count, types.set_plain, types.delete],
    [types.set_add, types.set_remove, types.delete, expire],
    LISTS,
]
"""Where it matters not who was first to count: a count that finds a tombstone of another type starts anew,
and so does one that finds something expired; where those were collected it adds up with others."""
TYPES: list[Any] = [HASH, COUNTS, LISTS, EVERYTHING]


def test_nobody_sees_that_tombstones_were_collected(make_store: MakeStore) -> None:
    @examples(make_store, 300)
    @given(seeds, st.sampled_from(ALIKE))
    def check(seed: int, acts: list[Any]) -> None:
        kept = run(make_store, seed, acts, [0, 0, 0], collects=False)
        collected = run(make_store, seed, acts, [0, 0, 0], collects=True)
        for before, after in zip(kept.sites, collected.sites, strict=True):
            for key in KEYS:
                assert seen(after.keyspace, key) == seen(before.keyspace, key)

    check()


def test_replicas_that_collect_at_different_times_converge(make_store: MakeStore) -> None:
    @examples(make_store, 300)
    @given(seeds, st.sampled_from(TYPES))
    def check(seed: int, acts: list[Any]) -> None:
        sites = run(make_store, seed, acts, [-20, 0, 17], collects=True).sites
        for site in sites:
            assert_sound(site)
        assert_alike(sites)

    check()


def test_what_is_dead_is_gone_in_the_end(make_store: MakeStore) -> None:
    @examples(make_store, 100)
    @given(seeds)
    def check(seed: int) -> None:
        cluster = run(
            make_store, seed, [types.set_add, types.set_remove, types.delete], [0, 0, 0], collects=True
        )
        for site in cluster.sites:
            store = site.keyspace.store
            for slot in SLOTS:
                raise_cutoff(store, slot, cutoff_at(NOW + 10**9))
            assert not sum(store.dead)
            assert all(not record[4].dead for slot in SLOTS for _, record in store.scan(slot))

    check()
