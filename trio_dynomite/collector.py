"""The garbage collector, tuned for a process with millions of long-lived values and hardly a cycle.

Strings' records are tuples of atoms, which Python stops tracking, and the slots' dictionaries are frozen. A
collection is an object for each key, and a full collection would look at all of them: a second for some
millions. So what has been found to live is frozen as well, piece by piece: a full collection that was long
has met much that lives, and need not meet it again. Each is made when little has come since the last, and
is short. What is frozen is freed when nobody refers to it, as ever; only a cycle that was frozen alive is
not, so connections that close leave none (`hub/channel.py`). `Pauses` measures every collection.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from attrs import define

YOUNG_THRESHOLD = 5_000
"""Allocations between two collections of the young: less than a millisecond of work each."""
MIDDLE_THRESHOLD = 4
"""Collections of the young before they, and what they have left, are looked at together."""
OLD_THRESHOLD = 1
"""Such before a full one, which thus meets 50,000 new objects or a little more, and those not frozen yet."""
FREEZE_S = 0.002
"""A full collection that needed more has met enough that lives to be frozen."""
_FULL = 2


@define
class Pauses:
    """How long collections stopped the node."""

    count: int = 0
    ms_max: float = 0.0
    ms_total: float = 0.0
    _started: float = 0.0
    _started_cpu: float = 0.0

    def __call__(self, phase: str, info: dict[str, Any]) -> None:
        """`gc.callbacks` calls this as a collection starts and stops."""
        now = time.perf_counter()
        if phase == "start":
            self._started, self._started_cpu = now, time.thread_time()
            return
        # Not by the clock on the wall: a process that was paused has not met more.
        if info["generation"] == _FULL and time.thread_time() - self._started_cpu > FREEZE_S:
            gc.freeze()
        pause_ms = (now - self._started) * 1000
        self.count += 1
        self.ms_total += pause_ms
        self.ms_max = max(self.ms_max, pause_ms)


def tune(freeze: Callable[[], None]) -> Pauses:
    """Set the thresholds, freeze what lives now, and measure from here on."""
    freeze()
    gc.set_threshold(YOUNG_THRESHOLD, MIDDLE_THRESHOLD, OLD_THRESHOLD)
    pauses = Pauses()
    gc.callbacks.append(pauses)
    return pauses


def forget(pauses: Pauses) -> None:
    """Measure no more."""
    gc.callbacks.remove(pauses)
