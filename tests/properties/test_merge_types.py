"""The merge of every type: nodes that write the same keys at once end alike, whatever arrives when.

Each node is a keyspace of its own, a primary that has heard of the others' writes late, twice, out of order
or, until the records are exchanged at the end, never. Clocks are skewed, and keys change their types all the
time.
"""

from contextlib import suppress
from random import Random
from typing import Any

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from tests.engines import MakeStore, examples, litter
from trio_dynomite.data.effect import FIELDS, Flat, record_effect, unpack_record
from trio_dynomite.data.record import Record, digest, newest, version
from trio_dynomite.data.stamp import NODE_BITS, HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage import expiry
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.testing.soundness import plain, unsound
from trio_dynomite.topology.partitioner import redis_slot

NOW = 7_258_118_400_000
"""2200: no server below a store thinks that a deadline after this has passed."""
KEYS = [b"k1", b"k2"]
SLOTS = {redis_slot(key) for key in KEYS}
ELEMENTS = [b"a", b"b", b"c"]
SENT = 1 << 33
APART = 1000
"""Nodes' ids do not follow each other: who writes over what has expired counts on it."""


@define
class Site:
    """One node, what it wrote, and how far its clock is off."""

    number: int
    skew_ms: int
    make_store: MakeStore
    keyspace: StoreKeyspace = field(init=False)
    told: list[Flat] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        clock = HybridClock(self.id)
        clock.advance(NOW + self.skew_ms)
        self.keyspace = StoreKeyspace(
            self.make_store(redis_slot), clock, origin=clock.next(), rng=Random(self.number)
        )

    @property
    def id(self) -> int:
        """What stands in its stamps."""
        return self.number * APART

    def write(self, act: Any, rng: Random, passed_ms: int) -> None:
        self.keyspace.clock.advance(NOW + self.skew_ms + passed_ms)
        self.keyspace.effects = effects = []
        try:
            act(self.keyspace, rng.choice(KEYS), rng)
        except CommandError:
            pass  # the key is of another type, or the field is no number
        if effects:
            self.told.append(effects)

    def hear(self, other: "Site", effects: Flat) -> None:
        clock = self.keyspace.clock
        clock.observe(max(effects[3::FIELDS]) << NODE_BITS | other.id)
        gaps = self.keyspace.store.apply(other.id, effects)
        for key in gaps:
            self.learn(key, other)

    def learn(self, key: bytes, other: "Site") -> None:
        slot = redis_slot(key)
        *_, payload, _ = record_effect(slot, key, other.keyspace.store.get(slot, key))
        record = unpack_record(payload)
        self.keyspace.clock.observe(newest(record))
        self.keyspace.store.join(slot, key, record)

    def record(self, key: bytes) -> Record:
        return self.keyspace.store.get(redis_slot(key), key)


def hash_put(ks: Any, key: bytes, rng: Random) -> None:
    ks.hash_at(key).put([(rng.choice(ELEMENTS), b"%d" % rng.randrange(9))], rng.choice([0, 0, None, NOW + 3]))


def hash_set(ks: Any, key: bytes, rng: Random) -> None:
    ks.hash_at(key).put([(rng.choice(ELEMENTS), b"%d" % rng.randrange(9))])


def hash_remove(ks: Any, key: bytes, rng: Random) -> None:
    ks.hash_at(key).remove([rng.choice(ELEMENTS)])


def hash_count(ks: Any, key: bytes, rng: Random) -> None:
    ks.hash_at(key).count(rng.choice(ELEMENTS), 1)


def hash_expire(ks: Any, key: bytes, rng: Random) -> None:
    view = ks.hash_at(key)
    view.expire(
        [e for e in ELEMENTS if e in view][: rng.randrange(1, 4)], rng.choice([0, NOW + 5, NOW + 10**6])
    )


def set_add(ks: Any, key: bytes, rng: Random) -> None:
    ks.set_at(key).add([rng.choice(ELEMENTS), rng.choice(ELEMENTS)])


def set_remove(ks: Any, key: bytes, rng: Random) -> None:
    ks.set_at(key).remove([rng.choice(ELEMENTS)])


def score(ks: Any, key: bytes, rng: Random) -> None:
    ks.sorted_set_at(key).put([(rng.choice(ELEMENTS), rng.random())])


def add_score(ks: Any, key: bytes, rng: Random) -> None:
    ks.sorted_set_at(key).increment(rng.choice(ELEMENTS), rng.choice([1.0, 2.0, 0.5]))


def unscore(ks: Any, key: bytes, rng: Random) -> None:
    ks.sorted_set_at(key).remove([rng.choice(ELEMENTS)])


def push(ks: Any, key: bytes, rng: Random) -> None:
    ks.list_at(key).push([rng.choice(ELEMENTS)], left=rng.random() < 0.5)


def pop(ks: Any, key: bytes, rng: Random) -> None:
    ks.list_at(key).pop(1, left=rng.random() < 0.5)


def set_string(ks: Any, key: bytes, rng: Random) -> None:
    ks.put(key, b"7", rng.choice([0, 0, NOW + 4]))


def set_plain(ks: Any, key: bytes, rng: Random) -> None:
    ks.put(key, b"7")


def set_marked(ks: Any, key: bytes, rng: Random) -> None:
    ks.put_item(key, rng.choice([b"", b"7"]), rng.choice([0, 0, NOW + 4]), rng.choice([0, 5, SENT]))


def mark(ks: Any, key: bytes, rng: Random) -> None:
    item = ks.item(key)
    if item is not None and not item[1] & SENT:
        ks.mark(key, item[1] | SENT)


def append(ks: Any, key: bytes, rng: Random) -> None:
    value = ks.get(key)
    if value is not None:
        ks.patch(key, value + b"1", b"append", b"1")


def count(ks: Any, key: bytes, rng: Random) -> None:
    ks.count(key, 1)


def delete(ks: Any, key: bytes, rng: Random) -> None:
    ks.delete(key)


def expire(ks: Any, key: bytes, rng: Random) -> None:
    if ks.kind(key):
        ks.expire(key, rng.choice([0, NOW + 6, NOW + 10**6]))


def put_module(ks: Any, key: bytes, rng: Random) -> None:
    ks.put_opaque(
        key, rng.choice(["MBbloom--", "vectorset"]), rng.choice(ELEMENTS), rng.choice([0, 0, NOW + 4])
    )


def put_filter(ks: Any, key: bytes, rng: Random) -> None:
    ks.put_opaque(key, "MBbloom--", rng.choice(ELEMENTS), 0)


def copy(ks: Any, key: bytes, rng: Random) -> None:
    ks.copy(KEYS[0], KEYS[1])


HASH = [hash_put, hash_remove, hash_count, hash_expire]
SET = [set_add, set_remove]
SORTED_SET = [score, add_score, unscore]
MIXED = [hash_set, hash_remove, set_add, set_remove, score, unscore, delete, set_plain, put_filter]
STRINGS = [set_string, set_plain, set_marked, mark, append, count, delete, expire, copy]
EVERYTHING = [*HASH, *SET, *SORTED_SET, push, pop, put_module, *STRINGS]


def run(make_store: MakeStore, seed: int, acts: list[Any], *, deliver: float) -> list[Site]:
    """Some nodes write and hear of each other by chance; `deliver`: how much of it arrives in the end."""
    rng = Random(seed)
    sites = [Site(number, rng.randrange(-3, 4), make_store) for number in (1, 2, 3)]
    heard: set[tuple[int, int, int]] = set()
    for step in range(rng.randrange(1, 40)):
        rng.choice(sites).write(rng.choice(acts), rng, step // 4)
        for _ in range(rng.randrange(3)):
            _hear_one(rng, sites, heard)
    pending = [(to.number, by.number, at) for to in sites for by in sites for at in range(len(by.told))]
    rng.shuffle(pending)
    for to, by, at in pending:
        if to != by and rng.random() < deliver:
            sites[to - 1].hear(sites[by - 1], sites[by - 1].told[at])
    return sites


def _hear_one(rng: Random, sites: list[Site], heard: set[tuple[int, int, int]]) -> None:
    to, by = rng.sample(sites, 2)
    if by.told:
        to.hear(by, rng.choice(by.told))


def exchange(sites: list[Site]) -> None:
    """What anti-entropy does: everyone learns all that the others know, until nothing is news."""
    for _ in range(3):
        for to in sites:
            for by in sites:
                if to is not by:
                    for key in KEYS:
                        to.learn(key, by)
    for site in sites:
        site.keyspace.clock.advance(NOW + 60_000)
        while expiry.expire(site.keyspace.store, NOW + 60_000, 1000):
            pass


def assert_sound(site: Site) -> None:
    """What is kept by difference is what one finds by counting."""
    assert not list(unsound(site.keyspace.store))
    assert not litter(site.keyspace.store)


def assert_alike(sites: list[Site]) -> None:
    """All know the same, and their digests say so."""
    for key in KEYS:
        first, *others = [plain(site.record(key)) for site in sites]
        assert all(other == first for other in others)
    assert len({tuple(site.keyspace.store.slot_digests(sorted(SLOTS))) for site in sites}) == 1


seeds = st.integers(0, 2**32)
FEW: list[Any] = [SET, SORTED_SET, [hash_set, hash_remove, hash_count]]


def test_all_types_converge_once_records_are_exchanged(make_store: MakeStore) -> None:
    @examples(make_store, 400)
    @given(seeds)
    def check(seed: int) -> None:
        sites = run(make_store, seed, EVERYTHING, deliver=0.7)
        for site in sites:
            assert_sound(site)
        exchange(sites)
        for site in sites:
            assert_sound(site)
        assert_alike(sites)

    check()


def test_strings_with_marks_converge_once_records_are_exchanged(make_store: MakeStore) -> None:
    @examples(make_store, 200)
    @given(seeds)
    def check(seed: int) -> None:
        sites = run(make_store, seed, STRINGS, deliver=0.7)
        for site in sites:
            assert_sound(site)
        exchange(sites)
        assert_alike(sites)
        versions = {tuple(version(site.record(key)) for key in KEYS) for site in sites}
        assert len(versions) == 1

    check()


def test_the_version_of_a_value_grows_with_it_and_with_nothing_else(make_store: MakeStore) -> None:
    @examples(make_store, 100)
    @given(seeds)
    def check(seed: int) -> None:
        rng = Random(seed)
        site = Site(1, 0, make_store)
        for step in range(30):
            before, seen = site.record(KEYS[0]), site.keyspace.item(KEYS[0])
            act = rng.choice(STRINGS[:-1])
            with suppress(CommandError):  # it is no number
                act(site.keyspace, KEYS[0], rng)
            after, item = site.record(KEYS[0]), site.keyspace.item(KEYS[0])
            if act in (mark, expire) and item is not None:
                assert seen is not None
                assert item[2] == seen[2]
            elif after != before:
                assert version(after) > version(before), (step, act)

    check()


def test_cells_converge_by_effects_alone(make_store: MakeStore) -> None:
    @examples(make_store, 400)
    @given(seeds, st.sampled_from(FEW))
    def check(seed: int, acts: list[Any]) -> None:
        sites = run(make_store, seed, acts, deliver=1.0)
        for site in sites:
            assert_sound(site)
            assert [plain(site.record(key)) for key in KEYS] == [plain(sites[0].record(key)) for key in KEYS]

    check()


def test_types_that_change_converge_by_effects_alone(make_store: MakeStore) -> None:
    @examples(make_store, 400)
    @given(seeds)
    def check(seed: int) -> None:
        sites = run(make_store, seed, MIXED, deliver=1.0)
        for site in sites:
            assert [plain(site.record(key)) for key in KEYS] == [plain(sites[0].record(key)) for key in KEYS]

    check()


def test_a_record_travels_unchanged(make_store: MakeStore) -> None:
    @examples(make_store, 400)
    @given(seeds)
    def check(seed: int) -> None:
        for site in run(make_store, seed, EVERYTHING, deliver=0.5):
            for key in KEYS:
                record = site.record(key)
                *_, payload, _ = record_effect(0, key, record)
                there = unpack_record(payload)
                assert plain(there) == plain(record)
                assert digest(there) == digest(record)

    check()


def test_the_order_of_exchange_does_not_matter(make_store: MakeStore) -> None:
    def joined(seed: int, turns: list[int]) -> Any:
        sites = run(make_store, seed, EVERYTHING, deliver=0.3)
        fresh = Site(9, 0, make_store)
        for turn in turns:
            for key in KEYS:
                fresh.learn(key, sites[turn])
        return [plain(fresh.record(key)) for key in KEYS]

    @examples(make_store, 400)
    @given(seeds, st.permutations([0, 1, 2]))
    def check(seed: int, order: list[int]) -> None:
        assert joined(seed, order) == joined(seed, [0, 1, 2])

    check()
