"""The garbage collector, tuned for a process with millions of small values and hardly a cycle.

Records are tuples of atoms, which Python stops tracking; the slots' dictionaries are frozen. What is left
is small, so a young collection is rare and short, and a full one is made only when somebody asks. `Pauses`
measures every one.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from attrs import define

YOUNG_THRESHOLD = 20_000
"""Allocations between two collections of the young: about a millisecond of work each."""


@define
class Pauses:
    """How long collections stopped the node."""

    count: int = 0
    ms_max: float = 0.0
    ms_total: float = 0.0
    _started: float = 0.0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """`gc.callbacks` calls this as a collection starts and stops."""
        now = time.perf_counter()
        if phase == "start":
            self._started = now
            return
        pause_ms = (now - self._started) * 1000
        self.count += 1
        self.ms_total += pause_ms
        self.ms_max = max(self.ms_max, pause_ms)


def tune(freeze: Callable[[], None]) -> Pauses:
    """Set the thresholds, freeze what lives now, and measure from here on."""
    freeze()
    gc.set_threshold(YOUNG_THRESHOLD, 20, 100)
    pauses = Pauses()
    gc.callbacks.append(pauses)
    return pauses


def forget(pauses: Pauses) -> None:
    """Measure no more."""
    gc.callbacks.remove(pauses)
