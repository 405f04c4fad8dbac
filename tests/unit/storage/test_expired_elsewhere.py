"""What has expired where a clock is ahead may live on at the primary: replicas come to agree all the same."""

from random import Random

import pytest

from trio_dynomite.data.effect import record_effect, unpack_record
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.topology.partitioner import redis_slot

NOW = 1_700_000_000_000


def node(number: int) -> StoreKeyspace:
    clock = HybridClock(number)
    clock.advance(NOW)
    return StoreKeyspace(MemoryStore(redis_slot), clock, origin=clock.next(), rng=Random(number))


@pytest.fixture
def ks() -> StoreKeyspace:
    return node(1)


def replica_of(ks: StoreKeyspace) -> StoreKeyspace:
    """Another node that has heard of everything in order."""
    there = node(2)
    assert there.store.apply(1, ks.effects or []) == []
    return there


@pytest.mark.parametrize("by", ["the key", "the field"])
def test_a_count_told_to_a_node_where_it_has_expired_asks_for_the_whole(ks: StoreKeyspace, by: str) -> None:
    ks.hash_at(b"k").put([(b"f", b"100"), (b"g", b"1")])
    if by == "the key":
        ks.expire(b"k", NOW + 10)
    else:
        ks.hash_at(b"k").expire([b"f"], NOW + 10)
    ahead, late_at = replica_of(ks), len(ks.effects or [])
    expire(ahead.store, NOW + 2000, 9)
    ks.hash_at(b"k").count(b"f", 1)
    assert ahead.store.apply(1, (ks.effects or [])[late_at:]) == [b"k"]


def test_a_clock_that_goes_back_meets_what_it_has_stripped(ks: StoreKeyspace) -> None:
    ks.hash_at(b"k").put([(b"old", b"1")])
    ks.expire(b"k", NOW + 10)
    there = replica_of(ks)
    expire(ks.store, NOW + 2000, 9)
    late_at = len(ks.effects or [])
    assert ks.hash_at(b"k").put([(b"new", b"2")]) == 1
    assert there.store.apply(1, (ks.effects or [])[late_at:]) == []
    for node in (ks, there):
        assert list(node.hash_at(b"k").items()) == [(b"new", b"2")]
        assert node.deadline(b"k") == 0


@pytest.mark.parametrize("knows_all", [True, False])
def test_a_copy_that_lacks_something_has_expired_with_the_whole(ks: StoreKeyspace, knows_all: bool) -> None:
    ks.sorted_set_at(b"k").put([(b"m", 1.0)])
    ks.expire(b"k", NOW + 10)
    behind = replica_of(ks)
    ks.sorted_set_at(b"k").put([(b"m", 2.0)])
    ahead = replica_of(ks)
    copy = replica_of(ks) if knows_all else behind
    expire(ahead.store, NOW + 2000, 9)
    slot = redis_slot(b"k")
    copy.store.join(slot, b"k", ahead.store.get(slot, b"k"))
    assert copy.sorted_set_at(b"k").score(b"m") == (2.0 if knows_all else None)


def test_a_field_that_comes_back_from_a_slower_clock_expires_once_more(ks: StoreKeyspace) -> None:
    ks.hash_at(b"k").put([(b"f", b"1")], NOW + 10)
    ks.hash_at(b"k").put([(b"g", b"1")])
    ahead, slot = replica_of(ks), redis_slot(b"k")
    expire(ahead.store, NOW + 2000, 9)
    *_, payload, _ = record_effect(slot, b"k", ks.store.get(slot, b"k"))
    ahead.store.join(slot, b"k", unpack_record(payload))
    assert expire(ahead.store, NOW + 3000, 9) == 1
    ahead.clock.advance(0)
    assert ahead.hash_at(b"k").get(b"f") is None


def test_a_flush_that_takes_the_deadline_of_what_was_stripped_leaves_a_key_that_can_be_written(
    ks: StoreKeyspace,
) -> None:
    ks.hash_at(b"k").put([(b"old", b"1")])
    ks.expire(b"k", NOW + 10)
    flushed = ks.clock.next()
    ks.hash_at(b"k").put([(b"later", b"1")])
    slot = redis_slot(b"k")
    expire(ks.store, NOW + 2000, 9)
    ks.store.flush(slot, slot, flushed)
    assert ks.hash_at(b"k").put([(b"new", b"1")]) == 1
    assert list(ks.hash_at(b"k").items()) == [(b"new", b"1")]
