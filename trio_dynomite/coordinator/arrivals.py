"""Arrivals: a forwarded write is answered once this node's own copy has it.

The primary's reply and its effect come over different connections. Without this a client could be told OK
and then, reading from the copy of the node it talks to, not find what it wrote.
"""

from collections import deque
from collections.abc import Callable

from attrs import define, field

PATIENCE_S = 0.1
"""How long a reply waits at most: an effect that takes longer comes as a hint or by a sync."""
Source = tuple[int, int]
"""(the primary's node id, the route's number): effects of one source come in the order of their clocks."""


@define(eq=False)
class Arrivals:
    """What has come from every primary, and the replies that wait for more."""

    _seen: dict[Source, int] = field(factory=dict)
    _waiting: dict[Source, deque[tuple[int, float, Callable[[], None]]]] = field(factory=dict)
    """(clock, monotonic time at which patience ends, what then happens)."""

    def note(self, source: Source, clock: int) -> None:
        """Effects up to `clock` have been joined."""
        # Batches that are sent again come with older clocks.
        self._seen[source] = max(clock, self._seen.get(source, 0))
        waiting = self._waiting.get(source)
        while waiting and waiting[0][0] <= clock:
            waiting.popleft()[2]()

    def when_here(self, source: Source, clock: int, now_s: float, act: Callable[[], None]) -> None:
        """Call `act` when the effects up to `clock` are here: at once if they are."""
        if self._seen.get(source, 0) >= clock:
            act()
        else:
            self._waiting.setdefault(source, deque()).append((clock, now_s + PATIENCE_S, act))

    def forget(self) -> None:
        """Numbers of routes mean something else from now on: nothing more is waited for."""
        waiting, self._waiting = self._waiting, {}
        self._seen.clear()
        for queue in waiting.values():
            for _, _, act in queue:
                act()

    def expire(self, now_s: float) -> None:
        """Let go of what has waited long enough."""
        for waiting in self._waiting.values():
            while waiting and waiting[0][1] <= now_s:
                waiting.popleft()[2]()
