"""The latency monitor: the spikes of the last while by kind of event, as Redis's LATENCY keeps them.

Here two events are watched: a quick command ("fast-command") and any other ("command") that took as long as
`latency-monitor-threshold` or longer. Source: `latency.c`.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

_SAMPLES_MAX = 160


@define
class Event:
    """The spikes of one kind."""

    samples: deque[tuple[int, int]] = field(factory=lambda: deque(maxlen=_SAMPLES_MAX))
    """(Unix time, the longest milliseconds in that second), the oldest first."""
    max_ms: int = 0
    """The longest ever."""
    sum_ms: int = 0
    count: int = 0

    def add(self, time_s: int, milliseconds: int) -> None:
        """One more spike."""
        self.max_ms = max(self.max_ms, milliseconds)
        self.sum_ms += milliseconds
        self.count += 1
        samples = self.samples
        if samples and samples[-1][0] == time_s:
            samples[-1] = (time_s, max(samples[-1][1], milliseconds))
        else:
            samples.append((time_s, milliseconds))


@define
class LatencyMonitor:
    """The spikes of one node."""

    threshold_ms: int = 0
    """0: none is kept."""
    events: dict[str, Event] = field(factory=dict)

    def add(self, name: str, time_s: int, milliseconds: int) -> None:
        """Keep a spike, if it is one."""
        if 0 < self.threshold_ms <= milliseconds:
            self.events.setdefault(name, Event()).add(time_s, milliseconds)

    def reset(self, names: list[str]) -> int:
        """Forget these events, or all when none is named; how many there were."""
        found = [name for name in names or list(self.events) if name in self.events]
        for name in found:
            self.events.pop(name, None)
        return len(set(found))
