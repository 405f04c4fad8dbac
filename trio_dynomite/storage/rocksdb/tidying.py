"""Tidying: the room of what was deleted in large ranges comes back at once, and not when it so happens.

RocksDB drops what is deleted when it compacts the tables that have it, and it compacts where much is written.
A database that was flushed, or has lost a large collection, may see no writes there for long.
"""

from __future__ import annotations

import trio
from attrs import define, field

from trio_dynomite.storage.rocksdb.disk import Disk

_EVERY_S = 1.0
_RANGES_MAX = 100
"""Of so many ranges at once the newest are left to RocksDB."""


@define(eq=False)
class Tidying:
    """What compacts the deleted ranges of one database."""

    disk: Disk
    ranges: int = 0
    """Compacted so far."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Ends the task alone."""

    async def run(self) -> None:
        """Compact what was deleted, until cancelled."""
        with self.scope:
            while True:
                await trio.sleep(_EVERY_S)
                await self.tidy()

    async def tidy(self) -> None:
        """Compact what was deleted by now."""
        hollow, self.disk.hollow = self.disk.hollow, []
        for lower, upper in dict.fromkeys(hollow[:_RANGES_MAX]):
            if self.disk.error is not None:
                return
            with self.disk.held() as database:
                await trio.to_thread.run_sync(database.compact_range, lower, upper)
            self.ranges += 1
