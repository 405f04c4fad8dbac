"""The snapshots of a node in memory: when they are made, and how one is found again.

A snapshot is made in slices, a moment each, with the hub's turns in between; threads write what a slice made.
It takes the place of the last one when it is whole. One that cannot be read is set aside, and the node starts
empty.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import trio
from attrs import define

from trio_dynomite.errors import SnapshotError
from trio_dynomite.storage import snapshot
from trio_dynomite.storage.files import WholeFile
from trio_dynomite.storage.saving import Saver
from trio_dynomite.storage.store import Store

FILE = "snapshot"
DAMAGED = "snapshot.damaged"
_SLICE_S = 0.002
_LAST_SLICE_S = 0.1
"""When nobody is served any more."""


@define(eq=False, kw_only=True)
class Snapshotter(Saver):
    """The snapshots of one store."""

    what: ClassVar[str] = "snapshot"
    failures: ClassVar[type[Exception]] = OSError
    store: Store
    folder: Path
    node: str
    partitioner: str
    _slice_s: float = _SLICE_S

    def __attrs_post_init__(self) -> None:
        path = self.folder / FILE
        if path.exists():
            self.saved_ms = int(path.stat().st_mtime * 1000)

    async def make(self, time_ms: int) -> dict[str, Any]:
        """Write the file, slice by slice."""
        facts = {"node": self.node, "time_ms": time_ms, "partitioner": self.partitioner}
        file = WholeFile(self.folder / FILE)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            await self._write(file, snapshot.pieces(self.store, facts))
        finally:
            file.abort()
        return {"bytes": file.size}

    async def last(self) -> None:
        """Make the last one of this life: nobody is served meanwhile."""
        self._slice_s = _LAST_SLICE_S
        try:
            await self.take()
        except trio.Cancelled:
            self.log("snapshot.given_up", told="there was no time left (timeouts.stop); the one before stays")
            raise

    async def _write(self, file: WholeFile, pieces: Iterator[bytes]) -> None:
        while data := self._slice(pieces):
            await trio.to_thread.run_sync(file.write, data)
        await trio.to_thread.run_sync(file.finish)

    def _slice(self, pieces: Iterator[bytes]) -> bytes:
        began_s, made = time.perf_counter(), []
        for piece in pieces:
            made.append(piece)
            if time.perf_counter() - began_s > self._slice_s:
                break
        self.slice_ms_max = max(self.slice_ms_max, (time.perf_counter() - began_s) * 1000)
        return b"".join(made)


def restored(
    folder: Path, make_store: Callable[[], Store], partitioner: str, log: Callable[..., None]
) -> Store:
    """A store with what the snapshot in `folder` tells; an empty one when there is none that can be read."""
    path, store = folder / FILE, make_store()
    began_s = time.monotonic()
    gc.disable()  # all that is made here stays
    try:
        with path.open("rb", 1 << 20) as file:
            facts = snapshot.load(file.read, store, partitioner)
    except FileNotFoundError:
        return store
    except (SnapshotError, OSError, ValueError, LookupError, TypeError, AttributeError) as why:
        path.replace(folder / DAMAGED)
        log("snapshot.refused", reason=str(why), told=f"the node starts empty; the file is {DAMAGED} now")
        return make_store()
    finally:
        gc.enable()
    seconds = round(time.monotonic() - began_s, 2)
    age_s = time.time() - facts["time_ms"] / 1000
    keys = store.key_count(0, len(store.records) - 1)
    log("snapshot.restored", keys=keys, age_s=round(age_s), seconds=seconds)
    return store
