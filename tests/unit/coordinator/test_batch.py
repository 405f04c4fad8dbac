"""A batch: everybody who waits is told once, as soon as it is known."""

import random

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.coordinator.batch import Batch


@define(eq=False)
class Caller:
    replies: list[bytes] = field(factory=list)

    def done(self, reply: bytes) -> None:
        self.replies.append(reply)


def sent_to(replicas: int, *needs: int) -> tuple[Batch, list[Caller]]:
    """A batch on its way to so many replicas, and who waits for so many acknowledgements."""
    batch, callers = Batch(outstanding=replicas), [Caller() for _ in needs]
    batch.waiting = [(need, caller, b"+%d\r\n" % need) for need, caller in zip(needs, callers, strict=True)]
    return batch, callers


def test_each_is_told_with_the_acknowledgement_that_it_needs() -> None:
    batch, (one, two) = sent_to(2, 1, 2)
    batch.acked()
    assert (one.replies, two.replies) == ([b"+1\r\n"], [])
    batch.acked()

    assert (one.replies, two.replies) == ([b"+1\r\n"], [b"+2\r\n"])


def test_one_loss_fails_only_who_can_no_longer_have_enough() -> None:
    batch, (one, two) = sent_to(2, 1, 2)
    batch.lost()

    assert one.replies == []
    assert [reply[:8] for reply in two.replies] == [b"-UNKNOWN"]
    batch.acked()
    assert one.replies == [b"+1\r\n"]


def test_the_error_counts_the_primary_itself() -> None:
    batch, (two,) = sent_to(2, 2)
    batch.acked()
    batch.lost()

    assert b"2 of 3 replicas acknowledged" in two.replies[0]


def test_the_deadline_fails_who_still_waits_and_late_acknowledgements_change_nothing() -> None:
    batch, (one, two) = sent_to(2, 1, 2)
    batch.acked()
    batch.expire()
    batch.acked()
    batch.expire()

    assert one.replies == [b"+1\r\n"]
    assert [reply[:8] for reply in two.replies] == [b"-UNKNOWN"]


@pytest.mark.parametrize(
    ("outcomes", "complete"), [("aa", True), ("al", False), ("la", False), ("ll", False)]
)
def test_it_is_settled_once_when_nobody_is_outstanding(outcomes: str, complete: bool) -> None:
    told: list[bool] = []
    batch = Batch(outstanding=2, on_settled=told.append)
    for number, outcome in enumerate(outcomes):
        assert told == [], f"settled after {number} of 2"
        batch.acked() if outcome == "a" else batch.lost()

    assert told == [complete]


@given(st.lists(st.integers(1, 4), max_size=5), st.text("al", min_size=4, max_size=4), st.randoms())
def test_everybody_is_told_exactly_once(needs: list[int], outcomes: str, rng: random.Random) -> None:
    batch, callers = sent_to(4, *needs)
    for outcome in outcomes:
        batch.acked() if outcome == "a" else batch.lost()
    if rng.random() < 0.5:
        batch.expire()

    acks = outcomes.count("a")
    for need, caller in zip(needs, callers, strict=True):
        assert len(caller.replies) == 1
        assert (caller.replies[0] == b"+%d\r\n" % need) == (acks >= need)
