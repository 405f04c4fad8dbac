"""Syncing: what was written is made to outlive the machine, by a thread, while turns go on.

RocksDB has given each commit to the operating system when the turn ends, so a process that is killed loses
nothing. Against a loss of power its log is synced:

* `always`: as soon as something was committed and no sync runs. The store's gate holds back what was said in
  a turn until a sync that began later has ended; so one sync is for all turns since the last.
* `everysec`: each second, if there was anything.
* `none`: when the node stops.

A sync that fails is a disk that fails (`coordinator/full_disk.py`): nothing is acknowledged until the
database could be opened anew, which writes its log into tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.storage.rocksdb.opening import ALWAYS, NEVER
from trio_dynomite.storage.rocksdb.store import RocksStore

_SECOND = 1.0


@define(eq=False)
class Syncing:
    """The syncs of one store."""

    store: RocksStore
    turn: Callable[[Callable[[], None]], object]
    """Runs something in a turn of the hub."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends the task alone."""
    _wanted: trio.Event = field(factory=trio.Event)

    async def run(self) -> None:
        """Sync when it is time, until cancelled."""
        durability = self.store.disk.tuning.durability
        with self.scope:
            if durability == NEVER:
                return
            if durability == ALWAYS:
                self.store.on_commit = self.wake
                self.wake()
                await self._always()
            while True:
                await trio.sleep(_SECOND)
                await self._sync()

    def wake(self) -> None:
        """Something was committed."""
        self._wanted.set()

    async def _always(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            await self._sync()

    async def _sync(self) -> None:
        """Sync what is committed by now, if it is not."""
        store = self.store
        number = store.unsynced()
        if number is None:
            return
        began_s, failure = time.monotonic(), None
        with store.disk.held() as database:
            try:
                await trio.to_thread.run_sync(database.flush_wal, True)
            except Exception as why:
                failure = str(why)
        took_s = time.monotonic() - began_s
        self.turn(lambda: store.synced(number, took_s, failure))
