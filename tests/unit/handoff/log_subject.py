"""What the tests of hint logs share: a folder that fails when told to, and lives of one queue over it."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from tests.unit.handoff.test_hints import effects
from trio_dynomite.handoff.hints import HintBudget, HintQueue
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.handoff.log import HintLog
from trio_dynomite.testing.folder import SimFolder


@define(eq=False)
class FullFolder(SimFolder):
    """A folder on a disk with so much room."""

    room: int = 1 << 60

    def _fitting(self, data: bytes) -> bytes:
        return data[: max(self.room - sum(map(len, self.files.values())), 0)]

    def append(self, name: str, data: bytes) -> None:
        fits = self._fitting(data)
        super().append(name, fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, name: str, parts: Iterable[bytes]) -> int:
        data = b"".join(parts)
        if len(self._fitting(data)) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(name, [data])


@define(eq=False)
class Life:
    """A node's life: one queue and its log."""

    folder: SimFolder
    bytes_max: int = 100_000
    queue: HintQueue = field(init=False)
    log: HintLog = field(init=False)
    keeper: HintKeeper = field(init=False)
    told: list[tuple[str, dict[str, Any]]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        budget = HintBudget(10 * self.bytes_max, now_ms=1_000_000)
        self.queue = HintQueue(budget, self.bytes_max)
        self.keeper = HintKeeper(budget, lambda target: self.folder, self._note)
        self.keeper.match({"target": self.queue})
        self.log = self.keeper.logs[self.queue]

    def _note(self, event: str, **pairs: Any) -> None:
        self.told.append((event, pairs))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.told]

    def miss(self, *keys: bytes) -> None:
        """A turn in which the target misses some keys."""
        self.queue.append(1, effects(*keys))
        self.keeper.commit()

    def deliver(self, count: int) -> list[bytes]:
        """A turn in which so many are taken, and one in which they are acknowledged."""
        self.queue.take_flushes()
        taken = self.queue.take(count)
        self.keeper.commit()
        self.queue.acknowledged()
        self.keeper.commit()
        return taken

    def work(self) -> bool:
        """What the task does; was there anything?"""
        job = self.log.job()
        if job is None:
            return False
        failure = None
        try:
            job()
        except OSError as why:
            failure = why
        self.log.worked(failure)
        return True

    def later(self, ms: int) -> None:
        self.queue.budget.now_ms += ms

    def pending(self) -> list[bytes]:
        """What the target has not acknowledged."""
        return [*self.queue._taken, *self.queue._first, *self.queue._keys]
