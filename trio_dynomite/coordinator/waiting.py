"""Waiting rooms: who waits for which key at its primary, first come, first served.

A primary that could not serve a blocking command keeps its place here. When the key is written, the first
in the queue is **called**: one who waits on this node runs the command at once; one who waits on another is
told, and the key is held for it, for a moment, until it has run its command or has left. Whoever finds
nothing after all gets back the place that it had.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from attrs import define, field

HOLD_S = 1.0
"""How long a key is held for one who was called and says nothing."""


@define(eq=False)
class Seat:
    """One who waits for some keys of one route."""

    number: int
    """Given at the first attempt, and kept."""
    keys: list[bytes]
    call: Callable[[], bool]
    """Something is there. True: it was served or has gone; False: it is held, or there was nothing for it."""
    wants_end: bool = False
    """It must hear when its key has gone, too (XREADGROUP, whose group goes with it)."""
    held_until_s: float = 0.0
    """It was called and has yet to come; the keys wait for it."""

    def __lt__(self, other: Seat) -> bool:
        return self.number < other.number


@define(eq=False)
class WaitingRoom:
    """All that wait at one node."""

    queues: dict[bytes, list[Seat]] = field(factory=dict)
    numbers: int = 0

    def __len__(self) -> int:
        return len(self.queues)

    def next_number(self) -> int:
        """A place behind everybody who came before."""
        self.numbers += 1
        return self.numbers

    def sit(self, seat: Seat) -> None:
        """Wait for the keys of a seat, in the order of the numbers."""
        for key in dict.fromkeys(seat.keys):
            insort(self.queues.setdefault(key, []), seat)

    def leave(self, seat: Seat) -> None:
        """Wait no more."""
        for key in dict.fromkeys(seat.keys):
            queue = self.queues.get(key, [])
            if seat in queue:
                queue.remove(seat)
                if not queue:
                    del self.queues[key]

    def written(self, key: bytes, now_s: float, is_there: Callable[[bytes], bool], after: int = 0) -> None:
        """`key` was written: call those who wait for it, as long as it is there for somebody.

        `after`: only those behind this number; the others were called before."""
        seats = [seat for seat in self.queues.get(key, ()) if seat.number > after]
        if not is_there(key):
            for seat in seats:
                if seat.wants_end and seat.call():
                    self.leave(seat)
            return
        for seat in seats:
            if seat.held_until_s > now_s:
                return
            if seat not in self.queues.get(key, ()):
                continue
            if seat.call():
                self.leave(seat)
                if not is_there(key):
                    return
            elif seat.held_until_s > now_s:
                return
