"""The views over a real keyspace, where the random tests of merges and commands do not look."""

from random import Random

import pytest

from tests.engines import MakeStore, rocks_store
from trio_dynomite.data.cells import ORDERED_FROM
from trio_dynomite.data.effect import FIELDS, pack_record, unpack_record
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.topology.partitioner import redis_slot

NOW = 1_700_000_000_000


@pytest.fixture
def ks(make_store: MakeStore) -> StoreKeyspace:
    clock = HybridClock(1)
    clock.advance(NOW)
    return StoreKeyspace(make_store(redis_slot), clock, origin=clock.next(), rng=Random(1))


def replica_of(ks: StoreKeyspace) -> StoreKeyspace:
    """Another node, with another engine or the same, that has heard of everything in order."""
    clock = HybridClock(2)
    clock.advance(ks.now_ms)
    there = StoreKeyspace(rocks_store(redis_slot), clock, origin=clock.next(), rng=Random(2))
    assert there.store.apply(1, ks.effects or []) == []
    return there


def test_a_write_after_the_deadline_begins_anew(ks: StoreKeyspace) -> None:
    ks.hash_at(b"k").put([(b"old", b"1")])
    ks.expire(b"k", NOW + 10)
    ks.clock.advance(NOW + 11)
    assert len(ks.hash_at(b"k")) == 0
    assert ks.hash_at(b"k").put([(b"new", b"2")]) == 1
    for node in (ks, replica_of(ks)):
        assert list(node.hash_at(b"k").items()) == [(b"new", b"2")]
        assert node.deadline(b"k") == 0


def test_the_last_element_takes_the_deadline_of_the_key_with_it(ks: StoreKeyspace) -> None:
    ks.set_at(b"k").add([b"a"])
    ks.expire(b"k", NOW + 10)
    ks.set_at(b"k").remove([b"a"])
    ks.set_at(b"k").add([b"b"])
    for node in (ks, replica_of(ks)):
        assert node.deadline(b"k") == 0
        node.clock.advance(NOW + 11)
        assert list(node.set_at(b"k")) == [b"b"]


def test_a_stripped_record_asks_for_the_whole_when_something_late_arrives(ks: StoreKeyspace) -> None:
    ks.set_at(b"k").add([b"a"])
    ks.expire(b"k", NOW + 10)
    late_at = len(ks.effects or [])
    ks.set_at(b"k").add([b"b"])
    early, late = (ks.effects or [])[:late_at], (ks.effects or [])[late_at:]
    there = MemoryStore(redis_slot)
    there.apply(1, early)
    assert expire(there, NOW + 2000, 10)
    assert there.apply(1, late) == [b"k"]


def test_fields_expire_by_themselves_and_the_last_takes_the_key(ks: StoreKeyspace) -> None:
    view = ks.hash_at(b"k")
    view.put([(b"a", b"1"), (b"b", b"2")], NOW + 10)
    view.expire([b"b"], NOW + 20)
    ks.clock.advance(NOW + 15)
    assert list(ks.hash_at(b"k").items()) == [(b"b", b"2")]
    ks.clock.advance(NOW + 25)
    assert ks.kind(b"k") is None
    assert len(ks.hash_at(b"k")) == 0


def test_an_unread_hash_is_swept_in_time(ks: StoreKeyspace) -> None:
    slot = redis_slot(b"k")
    ks.hash_at(b"k").put([(b"a", b"1")], NOW + 10)
    ks.hash_at(b"k").put([(b"b", b"1")], NOW + 5000)
    before = ks.store.slot_digests([slot])[0]
    assert expire(ks.store, NOW + 2000, 10) == 1
    assert ks.store.records[slot][b"k"][4].live == 1
    assert expire(ks.store, NOW + 7000, 10) == 1
    assert ks.store.key_count(slot, slot) == 0
    assert ks.store.slot_digests([slot])[0] == before


def test_removed_members_are_remembered_and_counted_as_absent(ks: StoreKeyspace) -> None:
    ks.set_at(b"k").add([b"a"])
    assert ks.set_at(b"k").remove([b"a", b"a", b"x"]) == 1
    assert ks.kind(b"k") is None
    assert ks.delete(b"k") is False
    assert ks.sorted_set_at(b"k").increment(b"m", 2.0) == 2.0
    assert replica_of(ks).sorted_set_at(b"k").score(b"m") == 2.0


def test_scores_that_are_not_whole_are_not_counted(ks: StoreKeyspace) -> None:
    view = ks.sorted_set_at(b"k")
    assert view.increment(b"m", 1.0) == 1.0
    assert view.increment(b"m", 0.5) == 1.5
    assert view.increment(b"m", 1.0) == 2.5
    assert view.increment(b"m", float("inf")) == float("inf")
    with pytest.raises(CommandError, match="not a number"):
        view.increment(b"m", float("-inf"))
    assert replica_of(ks).sorted_set_at(b"k").slice(0, 9) == [(b"m", float("inf"))]


@pytest.mark.parametrize("size", [5, ORDERED_FROM * 3, 3000])
def test_ranks_choices_and_cursors_of_small_and_large_collections(ks: StoreKeyspace, size: int) -> None:
    members = [b"m%04d" % number for number in range(size)]
    view = ks.sorted_set_at(b"k")
    for number, member in enumerate(members):
        view.put([(member, float(number // 2))])
    view.remove(members[::5])
    kept = [member for at, member in enumerate(members) if at % 5]
    assert [member for member, _ in view.slice(0, size)] == kept
    assert [view.rank(member) for member in kept[:50]] == list(range(len(kept)))[:50]
    assert view.below(1.0) == sum(members.index(m) // 2 < 1 for m in kept)
    assert view.below(1.0, or_at=True) == sum(members.index(m) // 2 <= 1 for m in kept)
    found: list[bytes] = []
    cursor, pages = 0, 0
    while pages == 0 or cursor:
        cursor, page = view.scan(cursor, 10)
        found += [member for member, _ in page]
        pages += 1
    assert sorted(found) == kept
    assert len({member for member, _ in view.random(len(kept) // 2, distinct=True)}) == len(kept) // 2
    assert sorted(member for member, _ in view.random(10**6, distinct=True)) == kept
    assert {member for member, _ in view.random(20, distinct=False)} <= set(kept)


def test_choices_are_fair(ks: StoreKeyspace) -> None:
    view = ks.set_at(b"k")
    view.add([b"%d" % number for number in range(2000)])
    hits: dict[bytes, int] = {}
    for member in view.random(40_000, distinct=False):
        hits[member] = hits.get(member, 0) + 1
    assert len(hits) > 1990
    assert max(hits.values()) < 60


def test_lists_patch_each_other(ks: StoreKeyspace) -> None:
    view = ks.list_at(b"k")
    view.push([b"%d" % n for n in range(10)], left=False)
    view = ks.list_at(b"k")
    view.push([b"x", b"y"], left=True)
    assert view.pop(1, left=True) == [b"y"]
    view.set(3, b"three")
    view.insert(1, b"in")
    view.remove([0, 4, 5])
    view.keep(1, 7)
    kept = list(ks.list_at(b"k"))
    assert list(replica_of(ks).list_at(b"k")) == kept
    assert [ks.list_at(b"k").slice(a, b) for a, b in [(0, 2), (4, 6), (2, 99)]] == [
        kept[0:2],
        kept[4:6],
        kept[2:],
    ]
    assert ks.list_at(b"k").pop(99, left=False) == kept[::-1]
    assert replica_of(ks).kind(b"k") is None


def test_the_effects_of_a_write_are_few(ks: StoreKeyspace) -> None:
    ks.hash_at(b"k").put([(b"f%d" % n, b"v") for n in range(100)])
    ks.set_at(b"s").add([b"m%d" % n for n in range(100)])
    ks.list_at(b"l").push([b"v"] * 100, left=False)
    assert len(ks.effects or []) == 3 * FIELDS


def test_a_copy_is_another_record(ks: StoreKeyspace) -> None:
    ks.sorted_set_at(b"a").increment(b"m", 3.0)
    ks.hash_at(b"h").put([(b"f", b"v")], NOW + 50)
    ks.list_at(b"l").push([b"1"], left=True)
    for source in (b"a", b"h", b"l"):
        ks.copy(source, source + b"2")
    ks.sorted_set_at(b"a").increment(b"m", 1.0)
    ks.list_at(b"l").push([b"2"], left=True)
    for node in (ks, replica_of(ks)):
        assert node.sorted_set_at(b"a2").score(b"m") == 3.0
        assert node.hash_at(b"h2").deadline(b"f") == NOW + 50
        assert list(node.list_at(b"l2")) == [b"1"]


def test_a_gap_in_one_field_leaves_the_others_and_the_digest_alone(ks: StoreKeyspace) -> None:
    slot = redis_slot(b"k")
    ks.hash_at(b"k").put([(b"known", b"1")])
    there = replica_of(ks)
    ks.hash_at(b"k").put([(b"unknown", b"1")])
    ks.effects = effects = []
    ks.hash_at(b"k").expire([b"known", b"unknown"], NOW + 1000)
    assert there.store.apply(1, effects) == [b"k"]
    there.store.join(slot, b"k", unpack_record(pack_record(ks.store.get(slot, b"k"))))
    assert there.store.slot_digests([slot])[0] == ks.store.slot_digests([slot])[0]


def test_what_expires_is_told(ks: StoreKeyspace) -> None:
    told: list[tuple[str, bytes]] = []
    ks.store.on_expired = lambda event, key: told.append((event, key))
    ks.put(b"s", b"v", NOW + 10)
    ks.hash_at(b"h").put([(b"a", b"1")], NOW + 10)
    ks.hash_at(b"h").put([(b"b", b"1")], NOW + 500)
    assert expire(ks.store, NOW + 200, 10) == 2
    assert sorted(told) == [("expired", b"s"), ("hexpired", b"h")]
    assert expire(ks.store, NOW + 700, 10) == 1
    assert told[2:] == [("hexpired", b"h"), ("del", b"h")]
