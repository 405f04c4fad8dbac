"""Saving: when copies of a store are made, and what SAVE, BGSAVE, LASTSAVE and INFO ask of them.

A copy is a snapshot of memory (`snapshotter.py`) or a backup of a database (`rocksdb/backups.py`); what
differs is how one is made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar

import trio
from attrs import define, field

Told = Callable[[str | None], None]
"""Told of the end of a save: why it failed, or None."""


@define(eq=False, kw_only=True)
class Saver:
    """Makes copies of one store, one after the other."""

    what: ClassVar[str]
    """What a copy is called in the log."""
    failures: ClassVar[type[Exception]]
    """What may come of a disk, and ends nothing but this copy."""
    turn: Callable[[Callable[[], None]], object]
    """Runs something in a turn of the hub."""
    log: Callable[..., None]
    every_s: float = math.inf
    """When nobody has wanted one for so long, it is time for one."""
    is_running: bool = False
    began_s: float = 0.0
    """Monotonic time at which the last one was begun."""
    took_s: float = -1.0
    """Seconds that the last one took; -1: there was none."""
    saved_ms: int = 0
    """Wall-clock time of the last one that is there; 0: none is."""
    saves: int = 0
    failure: str | None = None
    """Why the last one failed."""
    slice_ms_max: float = 0.0
    """The longest that one stopped the node."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends the task alone."""
    _wanted: trio.Event = field(factory=trio.Event)
    _told: list[Told] = field(factory=list)

    async def make(self, time_ms: int) -> dict[str, Any]:
        """Make a copy, or raise one of `failures`; what the log should tell of it."""
        raise NotImplementedError

    async def run(self) -> None:
        """Make one whenever it is time, or somebody wants it, until cancelled."""
        with self.scope:
            while True:
                with trio.move_on_after(self.every_s):
                    await self._wanted.wait()
                self._wanted = trio.Event()
                await self.take()

    def want(self, told: Told = lambda failure: None) -> None:
        """Make one soon."""
        self._told.append(told)
        self._wanted.set()

    async def take(self) -> None:
        """Make one now; whoever wanted one by now is told."""
        told, self._told = self._told, []
        self.is_running, self.began_s = True, time.monotonic()
        time_ms = time.time_ns() // 1_000_000
        try:
            facts = await self.make(time_ms)
            self.failure, self.saved_ms = None, time_ms
            self.saves += 1
            self.log(f"{self.what}.made", **facts, seconds=round(time.monotonic() - self.began_s, 2))
        except self.failures as why:
            self.failure = str(why)
            self.log(f"{self.what}.failed", reason=self.failure)
        finally:
            self.is_running, self.took_s = False, time.monotonic() - self.began_s
        self._ended(told, self.failure)

    def _ended(self, told: list[Told], failure: str | None) -> None:
        def tell() -> None:
            for one in told:
                one(failure)

        if told:
            self.turn(tell)
