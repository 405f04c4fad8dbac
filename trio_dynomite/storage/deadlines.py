"""Deadlines: which keys to look at, and when, because something of theirs may expire.

They are remembered by the tenth of a second in which they fall, each key once, at the earliest: whoever looks
then sees what else is to come. So a key whose deadline moves all the time does not fill the calendar.
"""

from collections.abc import Iterator, Set
from typing import Protocol

from attrs import define, field

_MOMENT_MS = 100
"""What expires is looked for that often."""


class Calendar(Protocol):
    """Which keys to look at, and when."""

    def __len__(self) -> int: ...

    def plan(self, key: bytes, deadline_ms: int) -> None:
        """Remember when to look at `key`."""

    def take(self, now_ms: int, limit: int) -> Iterator[bytes]:
        """At most `limit` keys that are due; each is gone when it was looked at, and may be planned anew."""

    def has(self, key: bytes, slot: int, deadline_ms: int) -> bool:
        """Will `key`, of that slot, be looked at when `deadline_ms` has passed?"""

    def all_keys(self) -> Set[bytes]:
        """All keys in it."""


@define(eq=False)
class Deadlines:
    """The calendar of a store in memory."""

    due: dict[int, set[bytes]] = field(factory=dict)
    """Moment → keys that may expire in it."""
    planned: dict[bytes, int] = field(factory=dict)
    """Key → the moment of `due` in which it stands."""
    _next: int = 0

    def plan(self, key: bytes, deadline_ms: int) -> None:
        """Remember when to look at `key`, unless an earlier look is planned, which will see the deadline."""
        moment = max(deadline_ms // _MOMENT_MS + 1, self._next)
        planned = self.planned.get(key)
        if planned is not None:
            if planned <= moment:
                return
            self.due[planned].discard(key)
        self.planned[key] = moment
        self.due.setdefault(moment, set()).add(key)

    def take(self, now_ms: int, limit: int) -> Iterator[bytes]:
        """At most `limit` keys whose moment has come; each is forgotten then, and may be planned anew."""
        for moment in self._moments(now_ms):
            keys = self.due[moment]
            while keys and limit:
                limit -= 1
                key = keys.pop()
                del self.planned[key]
                yield key
            if keys:
                return
            del self.due[moment]

    def __len__(self) -> int:
        return len(self.planned)

    def has(self, key: bytes, slot: int, deadline_ms: int) -> bool:
        """As in `Calendar`."""
        moment = self.planned.get(key)
        return moment is not None and key in self.due.get(moment, ())

    def all_keys(self) -> Set[bytes]:
        """All keys in it."""
        return self.planned.keys()

    def _moments(self, now_ms: int) -> list[int]:
        now = now_ms // _MOMENT_MS
        self._next = now + 1
        return sorted([moment for moment in self.due if moment <= now]) if self.due else []


@define(eq=False)
class NoDeadlines(Deadlines):
    """The calendar of a store in which nothing is looked after."""

    def plan(self, key: bytes, deadline_ms: int) -> None:
        """Nobody will look."""
