"""The keyspace: what a command's change leaves behind here, and the effect that tells the others."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines import MakeStore, examples
from trio_dynomite.data.effect import COUNT, EXPIRE, FIELDS, FLUSH, PATCH, PUT
from trio_dynomite.data.stamp import NODE_BITS, HybridClock, pack
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.topology.partitioner import redis_slot

NOW = 1_700_000_000_000
SLOT = redis_slot(b"k")
MOST = 2**63 - 1


def make_keyspace(make_store: MakeStore) -> StoreKeyspace:
    clock = HybridClock(9)
    clock.advance(NOW)
    return StoreKeyspace(make_store(redis_slot), clock, origin=clock.next(), rng=Random(1))


@pytest.fixture
def ks(make_store: MakeStore) -> StoreKeyspace:
    return make_keyspace(make_store)


def told(ks: StoreKeyspace) -> list[tuple[object, ...]]:
    """The effects since the last look, without their clocks, which must grow."""
    flat = ks.effects
    assert flat is not None
    effects = [tuple(flat[at : at + FIELDS]) for at in range(0, len(flat), FIELDS)]
    flat.clear()
    clocks = [effect[3] for effect in effects]
    assert clocks == sorted(set(clocks))
    assert all(clock << NODE_BITS | 9 <= ks.clock.last for clock in clocks)
    return [(kind, slot, key, payload, deadline) for kind, slot, key, _, payload, deadline in effects]


def stamp_of(ks: StoreKeyspace, key: bytes = b"k") -> int:
    return ks.store.get(redis_slot(key), key)[0]


def at(ks: StoreKeyspace, later_ms: int) -> None:
    ks.clock.advance(NOW + later_ms)


def test_a_put_is_read_back(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v")

    assert (ks.get(b"k"), ks.kind(b"k"), ks.deadline(b"k")) == (b"v", "string", 0)
    assert told(ks) == [(PUT, SLOT, b"k", b"v", 0)]


def test_what_is_absent(ks: StoreKeyspace) -> None:
    assert (ks.get(b"k"), ks.kind(b"k"), ks.deadline(b"k")) == (None, None, 0)
    assert not ks.delete(b"k")
    assert not ks.touch(b"k")
    assert told(ks) == []


def test_a_deadline_hides_the_key_when_it_comes_before_any_sweep(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v", NOW + 100)
    assert ks.deadline(b"k") == NOW + 100
    at(ks, 99)
    assert ks.get(b"k") == b"v"
    at(ks, 100)

    assert (ks.get(b"k"), ks.kind(b"k"), ks.deadline(b"k")) == (None, None, 0)
    assert not ks.touch(b"k")
    assert not ks.delete(b"k")


@pytest.mark.parametrize("deadline_ms", [1, NOW - 1, NOW])
def test_a_deadline_that_has_passed_makes_the_key_absent_at_once(ks: StoreKeyspace, deadline_ms: int) -> None:
    ks.put(b"k", b"old")
    told(ks)
    ks.put(b"k", b"new", deadline_ms)

    assert ks.get(b"k") is None
    assert told(ks) == [(PUT, SLOT, b"k", None, 0)]


def test_writing_anew_forgets_the_deadline(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v", NOW + 100)
    ks.put(b"k", b"w")
    at(ks, 1000)

    assert ks.get(b"k") == b"w"


def test_a_deadline_moves_and_goes(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v")
    ks.expire(b"k", NOW + 50)
    assert ks.deadline(b"k") == NOW + 50
    ks.expire(b"k", 0)
    assert ks.deadline(b"k") == 0
    ks.expire(b"k", NOW)
    assert ks.get(b"k") is None

    assert [effect[0] for effect in told(ks)] == [PUT, EXPIRE, EXPIRE, PUT]


def test_a_delete_leaves_a_tombstone(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v", NOW + 100)
    told(ks)

    assert ks.delete(b"k")
    assert not ks.delete(b"k")
    assert told(ks) == [(PUT, SLOT, b"k", None, 0)]
    assert ks.store.key_count(0, 16383) == 0


def test_a_patch_names_its_parent_and_keeps_the_deadline(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"a", NOW + 100)
    parent = stamp_of(ks)
    told(ks)
    ks.patch(b"k", b"ab", b"append", b"b")

    assert (ks.get(b"k"), ks.deadline(b"k")) == (b"ab", NOW + 100)
    assert told(ks) == [(PATCH, SLOT, b"k", [pack(parent), b"append", b"b"], NOW + 100)]
    assert stamp_of(ks) > parent


def test_a_patch_of_a_counted_number_tells_the_whole_value(ks: StoreKeyspace) -> None:
    """A replica may have other counts under the same stamp."""
    ks.count(b"k", 5)
    ks.patch(b"k", b"51", b"append", b"1")

    assert ks.get(b"k") == b"51"
    assert told(ks)[-1] == (PUT, SLOT, b"k", b"51", 0)
    assert ks.count(b"k", 1) == 52


def test_counting(ks: StoreKeyspace) -> None:
    assert [ks.count(b"k", delta) for delta in (1, 10, -20)] == [1, 11, -9]
    assert ks.get(b"k") == b"-9"
    origin = pack(ks.origin)
    assert told(ks) == [
        (COUNT, SLOT, b"k", [pack(0), origin, sequence, total], 0)
        for sequence, total in [(1, 1), (2, 11), (3, -9)]
    ]


def test_counting_keeps_the_deadline_and_starts_anew_after_it(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"10", NOW + 100)
    assert ks.count(b"k", 1) == 11
    assert ks.deadline(b"k") == NOW + 100
    at(ks, 100)

    assert ks.count(b"k", 1) == 1
    assert ks.deadline(b"k") == 0
    assert ks.get(b"k") == b"1"


@pytest.mark.parametrize("forget", [StoreKeyspace.delete, lambda ks, key: ks.flush(0, 16383)])
def test_counting_starts_anew_after_a_delete_or_a_flush(ks: StoreKeyspace, forget: object) -> None:
    ks.count(b"k", 5)
    forget(ks, b"k")  # type: ignore[operator]

    assert ks.get(b"k") is None
    assert ks.count(b"k", 2) == 2
    assert ks.get(b"k") == b"2"


@pytest.mark.parametrize(
    "value", [b"a", b"1.0", b" 1", b"1 ", b"+1", b"01", b"-0", b"9223372036854775808", b"-"]
)
def test_what_is_no_integer_is_not_counted(ks: StoreKeyspace, value: bytes) -> None:
    ks.put(b"k", value)
    told(ks)

    with pytest.raises(CommandError, match="ERR value is not an integer or out of range"):
        ks.count(b"k", 1)
    assert ks.get(b"k") == value
    assert told(ks) == []


@pytest.mark.parametrize(
    ("value", "delta"), [(2**63 - 1, 1), (-(2**63), -1), (1, 2**63 - 1), (-2, -(2**63) + 1)]
)
def test_counting_beyond_64_bits_is_refused(ks: StoreKeyspace, value: int, delta: int) -> None:
    ks.put(b"k", b"%d" % value)
    told(ks)

    with pytest.raises(CommandError, match="ERR increment or decrement would overflow"):
        ks.count(b"k", delta)
    assert ks.get(b"k") == b"%d" % value
    assert told(ks) == []


def test_a_copy_has_the_value_and_the_deadline(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v", NOW + 100)
    ks.copy(b"k", b"other")
    ks.delete(b"k")

    assert (ks.get(b"other"), ks.deadline(b"other")) == (b"v", NOW + 100)


def test_a_copy_of_a_number_counts_on_by_itself(ks: StoreKeyspace) -> None:
    ks.count(b"k", 5)
    ks.copy(b"k", b"other")
    ks.count(b"k", 1)

    assert (ks.count(b"other", 10), ks.get(b"k")) == (15, b"6")


def test_a_flush_deletes_its_slots_and_tells_it_once(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v")
    ks.put(b"{k}2", b"v")
    ks.put(b"elsewhere", b"v")
    told(ks)
    ks.flush(SLOT, SLOT)

    assert (ks.get(b"k"), ks.get(b"{k}2"), ks.get(b"elsewhere")) == (None, None, b"v")
    assert told(ks) == [(FLUSH, SLOT, b"", [SLOT, SLOT], 0)]
    ks.put(b"k", b"again")
    assert ks.get(b"k") == b"again"


def test_idle_time_counts_from_the_last_write_or_touch(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"v")
    at(ks, 5000)
    assert ks.idle_s(b"k") == 5
    assert ks.touch(b"k")
    at(ks, 7000)
    assert ks.idle_s(b"k") == 2
    ks.expire(b"k", NOW + 100_000)

    assert ks.idle_s(b"k") == 0
    assert ks.get(b"k") == b"v"


def test_touching_is_nobody_elses_business_and_is_remembered_for_a_bounded_number(ks: StoreKeyspace) -> None:
    for number in range(5000):
        ks.put(b"%d" % number, b"v")
    told(ks)
    for number in range(5000):
        assert ks.touch(b"%d" % number)

    assert told(ks) == []
    assert len(ks.touched) == 4096


def test_with_nobody_to_tell_nothing_is_collected(ks: StoreKeyspace) -> None:
    ks.effects = None
    ks.put(b"k", b"1", NOW + 100)
    ks.count(b"k", 1)
    ks.expire(b"k", 0)
    ks.patch(b"k", b"2x", b"append", b"x")
    ks.flush(0, 16383)
    ks.put(b"k", b"v")
    ks.delete(b"k")

    assert ks.effects is None


def test_the_slot_of_the_key_located_last_is_not_taken_for_anothers(make_store: MakeStore) -> None:
    @examples(make_store, 100)
    @given(st.lists(st.binary(min_size=1, max_size=3), min_size=1))
    def check(keys: list[bytes]) -> None:
        ks = make_keyspace(make_store)
        ks.key, ks.slot = keys[0], redis_slot(keys[0])
        for key in keys:
            ks.put(key, b"v" + key)

        assert all(ks.store.records[redis_slot(key)][key][1] == b"v" + key for key in keys)

    check()
