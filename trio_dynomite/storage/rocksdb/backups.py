"""Backups of a RocksDB while it is in use: checkpoints, made by a thread.

A checkpoint is a directory with hard links to the tables, which never change, so it takes a moment and no
room, until tables that it has are replaced in the database. It has all that was committed when it was begun.
Each is whole or not there; of a node's the newest few stay.

    backup_path / node / time, as 20261124T160844.123Z
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import trio
from attrs import define
from rocksdict import Checkpoint

from trio_dynomite.storage.rocksdb.store import RocksStore
from trio_dynomite.storage.saving import Saver

_UNFINISHED = ".tmp"
"""RocksDB's ending for a checkpoint that is not whole."""


def backups_in(folder: Path) -> list[Path]:
    """Those that are whole, the oldest first."""
    if not folder.is_dir():
        return []
    return sorted([path for path in folder.iterdir() if path.is_dir() and path.suffix != _UNFINISHED])


@define(eq=False, kw_only=True)
class Backups(Saver):
    """The backups of one store."""

    what: ClassVar[str] = "backup"
    failures: ClassVar[type[Exception]] = Exception  # RocksDB's have no type of their own
    store: RocksStore
    folder: Path
    kept: int

    def __attrs_post_init__(self) -> None:
        for path in backups_in(self.folder)[-1:]:
            self.saved_ms = int(path.stat().st_mtime * 1000)

    async def make(self, time_ms: int) -> dict[str, Any]:
        """Make a checkpoint, in a thread."""
        path = self.folder / name_at(time_ms)
        with self.store.disk.held() as database:
            await trio.to_thread.run_sync(self._make, database, path)
        return {"path": str(path)}

    def _make(self, database: Any, path: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(left)
        Checkpoint(database).create_checkpoint(str(path))
        for old in backups_in(self.folder)[: -self.kept]:
            shutil.rmtree(old)


def name_at(now_ms: int) -> str:
    """The name of a backup; names sort as times do."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z"
