"""A batch: the effects of one turn for one set of replicas, and who waits for them to arrive.

All effects that a primary makes in a turn for the same replicas leave in one frame, so one acknowledgement
counts for all of them, and waiting costs an entry in a list per request.
"""

from collections.abc import Callable
from typing import Protocol

from attrs import define, field

from trio_dynomite.data.effect import Flat
from trio_dynomite.protocol.replies import error


class Waiter(Protocol):
    """Somebody who is told a reply, once."""

    def done(self, reply: bytes) -> None:
        """The reply."""


@define(eq=False)
class Batch:
    """Effects on their way to the replicas of one route."""

    effects: Flat = field(factory=list)
    waiting: list[tuple[int, Waiter, bytes]] = field(factory=list)
    """(acknowledgements needed from other replicas, who waits, the reply it gets)."""
    is_urgent: bool = False
    """Must leave at the end of this turn: something that follows in it builds on its arrival."""
    held_since_s: float | None = None
    """When it was first held back for replicas that had another to acknowledge."""
    acks: int = 0
    outstanding: int = 0
    """Replicas that have yet to acknowledge."""
    on_settled: Callable[[bool], None] | None = None
    """Told when the batch has no outstanding replica left: did all acknowledge?"""
    losses: int = 0
    is_owed: bool = False
    """What is lost of it is among the hints already."""

    def acked(self) -> None:
        """One more replica has joined the effects."""
        self.acks += 1
        self.outstanding -= 1
        if self.waiting:
            self._release()
        if not self.outstanding and self.on_settled is not None:
            self.on_settled(not self.losses)

    def _release(self) -> None:
        acks, waiting = self.acks, self.waiting
        if all([entry[0] <= acks for entry in waiting]):
            self.waiting = []
            for _, waiter, reply in waiting:
                waiter.done(reply)
            return
        self.waiting = [entry for entry in waiting if entry[0] > acks]
        for need, waiter, reply in waiting:
            if need <= acks:
                waiter.done(reply)

    def lost(self) -> None:
        """One replica's connection ended before it acknowledged."""
        self.outstanding -= 1
        self.losses += 1
        possible = self.acks + self.outstanding
        failed = [entry for entry in self.waiting if entry[0] > possible]
        self.waiting = [entry for entry in self.waiting if entry[0] <= possible]
        self._fail(failed)
        if not self.outstanding and self.on_settled is not None:
            self.on_settled(False)

    def expire(self) -> None:
        """The deadline has passed."""
        failed, self.waiting = self.waiting, []
        self._fail(failed)

    def _fail(self, failed: list[tuple[int, Waiter, bytes]]) -> None:
        for need, waiter, _ in failed:
            waiter.done(outcome_unknown(need + 1, self.acks + 1))


def outcome_unknown(required: int, received: int) -> bytes:
    """The error for a write that happened somewhere, and not in as many places as asked."""
    return error(
        f"UNKNOWN the outcome of the write is unknown: {received} of {required} replicas acknowledged"
        " in time; it may be kept"
    )


def nothing_done(reason: str) -> bytes:
    """The error for a request of which nothing happened anywhere."""
    return error(f"NOREPLICAS {reason}; nothing was written")
