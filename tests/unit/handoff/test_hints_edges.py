"""Hints of flushes: bounded as all hints are."""

from tests.unit.handoff.test_hints import flush, queue


def test_a_later_flush_of_the_same_slots_takes_the_earlier_ones_place() -> None:
    hints = queue()
    for clock in range(1, 1001):
        for first in range(0, 16384, 256):
            hints.append(1, flush(clock, first, first + 255))

    assert len(hints) == 64
    told = hints.take_flushes()
    assert sorted(told) == sorted((1, flush(1000, first, first + 255)) for first in range(0, 16384, 256))


def test_flushes_that_come_in_another_order_leave_the_newest() -> None:
    hints = queue()
    hints.append(1, flush(9))
    hints.append(1, flush(8))

    assert hints.take_flushes() == [(1, flush(9))]
