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
    assert hints.take(2) == [b"b"]
    assert hints.take(2) == []
    assert (len(hints), hints.used, hints.budget.used) == (0, 0, 0)


def test_of_heavy_ones_fewer_are_taken_and_one_at_least() -> None:
    hints = queue()
    hints.append(1, effects(b"a", b"b", b"c", b"d"))
    weights = {b"a": 5, b"b": 6, b"c": 90, b"d": 1}

    assert hints.take(4, 10, weights.__getitem__) == [b"a", b"b"]
    assert hints.take(4, 10, weights.__getitem__) == [b"c"]
    assert hints.take(4, 10, weights.__getitem__) == [b"d"]


def test_a_key_missed_again_after_it_was_taken_is_kept_again() -> None:
    hints = queue()
    hints.append(1, effects(b"a"))
    hints.take(1)
    hints.append(1, effects(b"a"))

    assert hints.take(10) == [b"a"]


def test_what_finds_no_room_is_refused_and_counted() -> None:
    hints = queue(bytes_max=2 * ENTRY)
    hints.append(1, effects(b"a", b"b", b"c", b"d", b"a"))

    assert len(hints) == 2
    assert hints.refused == 2
    hints.take(1)
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


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 1), st.lists(st.binary(max_size=3), max_size=4)),
            st.tuples(st.integers(0, 1), st.integers(0, 5)),
            st.integers(0, 1),
        )
    )
)
def test_the_budget_is_always_what_the_queues_hold(
    events: list[tuple[int, list[bytes]] | tuple[int, int] | int],
) -> None:
    budget = HintBudget(600)
    queues = [HintQueue(budget, 450), HintQueue(budget, 450)]
    for event in events:
        if isinstance(event, int):
            queues[event].clear()
        elif isinstance(event[1], int):
            assert len(queues[event[0]].take(event[1])) <= event[1]
        else:
            queues[event[0]].append(1, effects(*event[1]))
        assert budget.used == sum(hints.used for hints in queues) <= 600
        for hints in queues:
            assert hints.used == sum(len(key) + 100 for key in hints._keys) <= 450
