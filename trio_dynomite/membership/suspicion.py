"""One suspicion: how long the suspect has to contradict, which shrinks with every independent accuser.

A single accuser may itself be the sick one, so it has to wait `MAX_FACTOR` times as long (Lifeguard, "LHA
Suspicion"). The time shrinks with the logarithm: the first who agree say most.
"""

import math

from attrs import define, field

MAX_FACTOR = 3.0
ACCUSERS_MAX = 8
"""Accusers that one suspicion keeps, and that are believed in one rumour."""


@define
class Suspicion:
    """A member is suspected; pure but for being told the time."""

    started_s: float
    min_s: float
    expected: int
    """Accusers besides the first that make the wait as short as it gets."""
    accusers: dict[str, None] = field(factory=dict)
    earliest_s: float = 0.0
    """Not before this time, whoever accuses: this node had not listened for a while."""
    asked_s: float | None = None
    """When we asked the suspect itself for a last time."""

    def accuse(self, accuser: str) -> bool:
        """Is this accuser news that others should hear as well?"""
        if accuser in self.accusers or len(self.accusers) > min(self.expected, ACCUSERS_MAX - 1):
            return False
        self.accusers[accuser] = None
        return True

    @property
    def deadline_s(self) -> float:
        """When the suspect is dead."""
        return max(self.earliest_s, self.started_s + self._wait_s())

    def _wait_s(self) -> float:
        if self.expected < 1:
            return self.min_s
        agreed = min(len(self.accusers) - 1, self.expected)
        share = math.log(max(agreed, 0) + 1) / math.log(self.expected + 1)
        return self.min_s * (MAX_FACTOR - (MAX_FACTOR - 1) * share)

    def pause(self, lapse_s: float, earliest_s: float) -> None:
        """This node itself was paused for `lapse_s`: that time does not count."""
        self.started_s += lapse_s
        self.earliest_s = earliest_s
