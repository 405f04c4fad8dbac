"""What SAVE, BGSAVE, LASTSAVE and INFO ask, whatever a node saves: a snapshot of its memory, or a backup."""

from collections.abc import Callable
from typing import Protocol

Told = Callable[[str | None], None]
"""Told of the end of a save: why it failed, or None."""


class Saver(Protocol):
    """Makes copies of one store."""

    is_running: bool
    began_s: float
    """Monotonic time at which the last one was begun."""
    took_s: float
    """Seconds that the last one took; -1: there was none."""
    saved_ms: int
    """Wall-clock time of the last one that is there; 0: none is."""
    saves: int
    failure: str | None
    """Why the last one failed."""
    slice_ms_max: float
    """The longest that one stopped the node."""

    def want(self, told: Told = lambda failure: None) -> None:
        """Make one soon."""
