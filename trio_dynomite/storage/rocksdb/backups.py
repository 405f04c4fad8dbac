"""Backups of a RocksDB while it is in use: checkpoints, made by a thread.

A checkpoint is a directory with hard links to the tables, which never change, so it takes a moment and no
room, until tables that it has are replaced in the database. It has all that was committed when it was begun.
Each is whole or not there; of a node's the newest few stay.

    backup_path / node / time, as 20261124T160844.123Z
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio
from attrs import define, field
from rocksdict import Checkpoint

from trio_dynomite.storage.rocksdb.store import RocksStore
from trio_dynomite.storage.saving import Told

_UNFINISHED = ".tmp"
"""RocksDB's ending for a checkpoint that is not whole."""


def backups_in(folder: Path) -> list[Path]:
    """Those that are whole, the oldest first."""
    if not folder.is_dir():
        return []
    return sorted([path for path in folder.iterdir() if path.is_dir() and path.suffix != _UNFINISHED])


@define(eq=False)
class Backups:
    """The backups of one store."""

    store: RocksStore
    folder: Path
    kept: int
    turn: Callable[[Callable[[], None]], object]
    log: Callable[..., None]
    is_running: bool = False
    began_s: float = 0.0
    took_s: float = -1.0
    saved_ms: int = 0
    saves: int = 0
    failure: str | None = None
    slice_ms_max: float = 0.0
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends the task alone."""
    _wanted: trio.Event = field(factory=trio.Event)
    _told: list[Told] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        for path in backups_in(self.folder)[-1:]:
            self.saved_ms = int(path.stat().st_mtime * 1000)

    async def run(self) -> None:
        """Make one whenever somebody wants it, until cancelled."""
        with self.scope:
            while True:
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
        now_ms = time.time_ns() // 1_000_000
        path = self.folder / name_at(now_ms)
        try:
            with self.store.disk.held() as database:
                await trio.to_thread.run_sync(self._make, database, path)
            self.failure, self.saved_ms = None, now_ms
            self.saves += 1
            self.log("backup.made", path=str(path), seconds=round(time.monotonic() - self.began_s, 2))
        except Exception as why:  # RocksDB's have no type of their own
            self.failure = str(why)
            self.log("backup.failed", reason=self.failure)
        finally:
            self.is_running, self.took_s = False, time.monotonic() - self.began_s
        self._ended(told)

    def _make(self, database: Any, path: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(left)
        Checkpoint(database).create_checkpoint(str(path))
        for old in backups_in(self.folder)[: -self.kept]:
            shutil.rmtree(old)

    def _ended(self, told: list[Told]) -> None:
        failure = self.failure

        def tell() -> None:
            for one in told:
                one(failure)

        if told:
            self.turn(tell)


def name_at(now_ms: int) -> str:
    """The name of a backup; names sort as times do."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z"
