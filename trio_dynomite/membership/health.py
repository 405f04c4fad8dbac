"""Local health (Lifeguard): how far this node should doubt itself before it doubts others.

Whoever misses answers from several members, was paused, or hears itself accused, is probably the one that is
slow. The score goes up then, and down with every answered probe; timeouts stretch with it.
"""

from attrs import define

SCORE_MAX = 8


@define
class Health:
    """The score of one node: 0 is well."""

    score: int = 0

    @property
    def stretch(self) -> int:
        """What the times of a probe are multiplied by."""
        return self.score + 1

    @property
    def patience(self) -> float:
        """What the time of a suspect is multiplied by."""
        return 1 + self.score / 2

    def answered(self) -> None:
        """A probe of ours was answered in time."""
        self.score = max(0, self.score - 1)

    def missed(self, points: int = 1) -> None:
        """Something speaks against ourselves."""
        self.score = min(SCORE_MAX, self.score + points)
