"""Simulated disks: a node's records and the logs of its hints outlive its process, as on a real one.

What a crash does to the logs is drawn from the seed: the newest block may be cut anywhere, files that were
deleted may be back. A record is there when its turn was over.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from attrs import define, field

from trio_dynomite.coordinator.build import in_memory
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.data.record import newest
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.storage.store import Store
from trio_dynomite.testing.folder import SimFolder
from trio_dynomite.topology.partitioner import Partitioner

_WORK_EVERY = 20
"""Ticks."""


@define(eq=False)
class SimDisk:
    """The disk of one node."""

    rng: random.Random
    folders: dict[str, SimFolder] = field(factory=dict)
    is_gentle: bool = False
    """A crash leaves the logs as they are."""
    _store: Store | None = None
    _keeper: HintKeeper | None = None
    _ticks: int = 0

    def open_store(self, partitioner: Partitioner) -> Store:
        """The store as the last life left it, and nobody listens to it any more."""
        store = self._store
        if store is None:
            self._store = store = in_memory(partitioner)
        store.written = store.on_new = store.usage = None
        stamps = [newest(record) for records in store.records for record in records.values()]
        store.newest = max([*store.bars, *stamps])
        return store

    def attach(self, engine: Engine, log: Callable[..., None]) -> None:
        """A life begins: its hints go on where the last one ended."""
        self._keeper = HintKeeper(engine.roster.hints, self._folder, log)
        self._keeper.match(engine.roster.hint_queues())

    def _folder(self, target: str) -> SimFolder:
        return self.folders.setdefault(target, SimFolder())

    def commit(self) -> None:
        """A turn is over."""
        if self._keeper is not None:
            self._keeper.commit()

    def tick(self) -> None:
        """Now and then the jobs are done that a real node does in a thread."""
        self._ticks += 1
        if self._ticks % _WORK_EVERY == 0 and self._keeper is not None:
            for log in self._keeper.logs.values():
                job = log.job()
                if job is not None:
                    job()
                    log.worked(None)

    def crash(self) -> None:
        """The process has ended; the machine may have, too."""
        self._keeper = None
        for folder in () if self.is_gentle else self.folders.values():
            if folder.files and self.rng.random() < 0.5:
                name = max(folder.files)
                data = folder.files[name]
                folder.files[name] = data[: self.rng.randint(max(len(data) - 60, 0), len(data))]
            if self.rng.random() < 0.5:
                folder.files = {**folder.deleted, **folder.files}
            folder.deleted.clear()
