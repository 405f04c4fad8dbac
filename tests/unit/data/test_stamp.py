"""Stamps: one total order, never backwards, whatever the wall clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.data.stamp import NODE_MASK, HybridClock, milliseconds, pack, unpack


def test_a_stamp_tells_its_time_and_its_node() -> None:
    clock = HybridClock(0xABCD)
    clock.advance(1_700_000_000_123)

    stamp = clock.next()

    assert milliseconds(stamp) == 1_700_000_000_123
    assert stamp & NODE_MASK == 0xABCD


def test_stamps_of_one_millisecond_differ() -> None:
    clock = HybridClock(1)
    clock.advance(1000)

    assert len({clock.next() for _ in range(1000)}) == 1000


def test_a_wall_clock_that_jumps_back_changes_nothing() -> None:
    clock = HybridClock(1)
    clock.advance(2000)
    before = clock.next()
    clock.advance(1000)

    assert clock.next() > before
    assert clock.now_ms == 1000, "the time that commands see is the wall clock's"


def test_a_full_counter_carries_into_the_milliseconds() -> None:
    clock = HybridClock(7)
    clock.advance(1000)
    stamps = [clock.next() for _ in range(70_000)]

    assert milliseconds(stamps[-1]) == 1001
    assert stamps == sorted(set(stamps))
    assert all(stamp & NODE_MASK == 7 for stamp in stamps)


@pytest.mark.parametrize(("ours", "theirs"), [(1, 2), (2, 1), (1, 0xFFFF_FFFF), (0xFFFF_FFFF, 0)])
def test_what_follows_an_observed_stamp_is_newer(ours: int, theirs: int) -> None:
    other, clock = HybridClock(theirs), HybridClock(ours)
    other.advance(5000)
    clock.advance(1000)
    seen = other.next()
    clock.observe(seen)

    assert clock.next() > seen


def test_an_old_stamp_teaches_nothing() -> None:
    clock = HybridClock(1)
    clock.advance(5000)
    last = clock.last
    clock.observe(1000 << 48 | 9)

    assert clock.last == last


@given(st.integers(0, 2**96 - 1), st.integers(0, 2**96 - 1))
def test_packed_stamps_have_the_order_of_stamps(a: int, b: int) -> None:
    assert (pack(a) < pack(b)) == (a < b)
    assert unpack(pack(a)) == a
