"""Hints: each missed key once, oldest first, bounded, and flushes before everything."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.data.effect import EXPIRE, FLUSH, PUT
from trio_dynomite.handoff.hints import HintBudget, HintQueue

ENTRY = 100 + 1


def effects(*keys: bytes, kind: int = PUT) -> list[Any]:
    return [value for key in keys for value in (kind, 3, key, 1, b"v", 0)]


def flush(clock: int, first: int = 0, last: int = 255) -> list[Any]:
    return [FLUSH, first, b"", clock, [first, last], 0]


def queue(bytes_max: int = 10_000, budget: HintBudget | None = None) -> HintQueue:
    return HintQueue(budget or HintBudget(100_000), bytes_max)


def test_each_key_is_kept_once_however_often_it_was_written() -> None:
    hints = queue()
    hints.append(1, effects(b"a", b"b", b"a"))
    hints.append(2, effects(b"b", kind=EXPIRE))

    assert len(hints) == 2
    assert hints.used == hints.budget.used == 2 * ENTRY


def test_the_oldest_go_first_and_are_gone_once_taken() -> None:
    hints = queue()
    hints.append(1, effects(b"c", b"a", b"b"))

    assert hints.take(2) == [b"c", b"a"]
    assert hints.take(2) == [], "one delivery at a time"
    assert len(hints) == 3, "nobody has acknowledged them"
    hints.acknowledged()
    assert hints.take(2) == [b"b"]
    hints.acknowledged()
    assert hints.take(2) == []
    assert hints.delivered == 3
    assert (len(hints), hints.used, hints.budget.used) == (0, 0, 0)


def test_of_heavy_ones_fewer_are_taken_and_one_at_least() -> None:
    hints = queue()
    hints.append(1, effects(b"a", b"b", b"c", b"d"))
    weights = {b"a": 5, b"b": 6, b"c": 90, b"d": 1}

    for expected in ([b"a", b"b"], [b"c"], [b"d"]):
        assert hints.take(4, 10, weights.__getitem__) == expected
        hints.acknowledged()


def test_a_key_missed_again_after_it_was_taken_is_kept_again() -> None:
    hints = queue()
    hints.append(1, effects(b"a"))
    hints.take(1)
    hints.append(1, effects(b"a"))
    hints.acknowledged()

    assert hints.take(10) == [b"a"]


def test_what_was_given_back_goes_first_and_is_kept_once() -> None:
    hints = queue()
    hints.append(1, effects(b"a", b"b", b"c", b"d") + flush(5))
    assert hints.take_flushes() == [(1, flush(5))]
    hints.take(2)
    hints.give_back()
    hints.append(1, effects(b"b", b"a"))
    assert hints.take(1) == [b"a"]
    hints.give_back()

    assert len(hints) == 5
    assert hints.take_flushes() == [(1, flush(5))]
    assert hints.take(9) == [b"a", b"b"]
    hints.acknowledged()
    assert hints.take(9) == [b"c", b"d"]
    hints.acknowledged()
    assert (len(hints), hints.delivered) == (0, 4)


def test_who_is_away_for_too_long_gets_no_more() -> None:
    hints = queue(budget=HintBudget(10_000, window_ms=1000, now_ms=5000))
    hints.left()
    hints.append(1, effects(b"a", b"b") + flush(5))
    hints.budget.now_ms = 6000
    assert hints.expire() == 0
    assert hints.age_s == 1
    hints.budget.now_ms = 6001
    assert hints.expire() == 2
    hints.append(1, effects(b"c") + flush(6))

    assert (len(hints), hints.used, hints.budget.used) == (0, 0, 0)
    assert (hints.expired, hints.is_incomplete) == (3, True)
    hints.returned()
    hints.append(1, effects(b"c"))
    assert hints.take(9) == [b"c"]


def test_the_age_is_that_of_the_oldest_key_that_nobody_acknowledged() -> None:
    hints = queue()
    for second, key in enumerate([b"a", b"b", b"c"]):
        hints.budget.now_ms = second * 1000
        hints.append(1, effects(key))
    hints.budget.now_ms = 10_000
    assert hints.age_s == 10
    hints.take(2)
    assert hints.age_s == 10
    hints.acknowledged()
    assert hints.age_s == 8


def test_what_finds_no_room_is_refused_and_counted() -> None:
    hints = queue(bytes_max=2 * ENTRY)
    hints.append(1, effects(b"a", b"b", b"c", b"d", b"a"))

    assert len(hints) == 2
    assert hints.refused == 2
    assert hints.is_incomplete
    hints.take(1)
    hints.acknowledged()
    hints.append(1, effects(b"c"))
    assert hints.take(10) == [b"b", b"c"]


def test_all_queues_share_one_budget() -> None:
    budget = HintBudget(3 * ENTRY)
    one, other = queue(budget=budget), queue(budget=budget)
    one.append(1, effects(b"a", b"b"))
    other.append(1, effects(b"a", b"b"))

    assert (len(one), len(other), other.refused) == (2, 1, 1)
    one.clear()
    other.append(1, effects(b"c"))
    assert len(other) == 2


def test_flushes_are_told_as_they_were() -> None:
    hints = queue()
    hints.append(7, flush(5, 16128, 16383) + effects(b"a"))
    hints.append(8, flush(6))

    assert len(hints) == 3
    assert hints.take_flushes() == [(7, flush(5, 16128, 16383)), (8, flush(6))]
    assert hints.take_flushes() == []
    assert hints.take(9) == [b"a"]
    hints.acknowledged()
    assert len(hints) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 1), st.lists(st.binary(max_size=3), max_size=4)),
            st.tuples(st.integers(0, 1), st.integers(0, 5)),
            st.tuples(st.integers(0, 1), st.sampled_from(["acknowledged", "give_back", "clear"])),
        )
    )
)
def test_the_budget_is_always_what_the_queues_hold(events: list[tuple[int, list[bytes] | int | str]]) -> None:
    budget = HintBudget(600)
    queues = [HintQueue(budget, 450), HintQueue(budget, 450)]
    for at, event in events:
        hints = queues[at]
        if isinstance(event, str):
            getattr(hints, event)()
        elif isinstance(event, int):
            assert len(hints.take(event)) <= event
        else:
            hints.append(1, effects(*event))
        assert budget.used == sum(hints.used for hints in queues) <= 600
        for hints in queues:
            keys = [*hints._taken, *hints._first, *hints._keys]
            assert hints.used == sum(len(key) + 100 for key in keys) <= 450
            assert hints._next - hints.first == len(keys) == len(hints)
