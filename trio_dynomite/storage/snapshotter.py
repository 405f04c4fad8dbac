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

import trio
from attrs import define, field

from trio_dynomite.errors import SnapshotError
from trio_dynomite.storage import snapshot
from trio_dynomite.storage.files import WholeFile
from trio_dynomite.storage.saving import Told
from trio_dynomite.storage.store import Store

FILE = "snapshot"
DAMAGED = "snapshot.damaged"
_SLICE_S = 0.002
_LAST_SLICE_S = 0.1
"""When nobody is served any more."""


@define(eq=False)
class Snapshotter:
    """The snapshots of one store."""

    store: Store
    folder: Path
    node: str
    partitioner: str
    every_s: float
    turn: Callable[[Callable[[], None]], object]
    log: Callable[..., None]
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
    """The longest that a slice stopped the node."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends the task alone: then none is made but the last."""
    _wanted: trio.Event = field(factory=trio.Event)
    _told: list[Told] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        path = self.folder / FILE
        if path.exists():
            self.saved_ms = int(path.stat().st_mtime * 1000)

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

    async def take(self, slice_s: float = _SLICE_S) -> None:
        """Make one now."""
        self.is_running, self.began_s = True, time.monotonic()
        time_ms = time.time_ns() // 1_000_000
        facts = {"node": self.node, "time_ms": time_ms, "partitioner": self.partitioner}
        file = WholeFile(self.folder / FILE)
        failure = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            await self._write(file, snapshot.pieces(self.store, facts), slice_s)
            self.saved_ms = time_ms
            self.saves += 1
        except OSError as why:
            failure = str(why)
            self.log("snapshot.failed", reason=failure)
        finally:
            file.abort()
            self.is_running = False
        self._ended(failure, file.size)

    async def last(self) -> None:
        """Make the last one of this life: nobody is served meanwhile."""
        try:
            await self.take(_LAST_SLICE_S)
        except trio.Cancelled:
            self.log("snapshot.given_up", told="there was no time left (timeouts.stop); the one before stays")
            raise

    async def _write(self, file: WholeFile, pieces: Iterator[bytes], slice_s: float) -> None:
        while data := self._slice(pieces, slice_s):
            await trio.to_thread.run_sync(file.write, data)
        await trio.to_thread.run_sync(file.finish)

    def _slice(self, pieces: Iterator[bytes], slice_s: float) -> bytes:
        began_s, made = time.perf_counter(), []
        for piece in pieces:
            made.append(piece)
            if time.perf_counter() - began_s > slice_s:
                break
        self.slice_ms_max = max(self.slice_ms_max, (time.perf_counter() - began_s) * 1000)
        return b"".join(made)

    def _ended(self, failure: str | None, size: int) -> None:
        self.failure, self.took_s = failure, time.monotonic() - self.began_s
        if failure is None:
            self.log("snapshot.made", bytes=size, seconds=round(self.took_s, 2))
        told, self._told = self._told, []

        def tell() -> None:
            for one in told:
                one(failure)

        if told:
            self.turn(tell)


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
