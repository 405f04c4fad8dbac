"""A full disk: writes are refused in so many words, reads go on, and all is well again when there is room.

The store says whether it can write (`storage.store.Store.failure`). While it cannot, this node refuses writes
as a primary. As a replica it joins what it is told, which stays in memory until it can be written, and
acknowledges nothing that is there only: nobody counts on a copy that a crash would take away. When that is
too much it takes no more from its peers, to whom it is down then, until there is room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.internal import OWNED, VERSIONS
from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine


BEHIND_MAX = 64 << 20


@define(eq=False)
class FullDisk:
    """What one node does about it."""

    engine: Engine
    refused: int = 0
    """Writes so far."""
    behind_bytes: int = 0
    """What peers have told since the store is behind, about."""
    _told: str | None = None

    def tick(self) -> None:
        """Called a few times a second: look whether the store can write."""
        engine = self.engine
        store = engine.keyspace.store
        store.recover(engine.mono_s)
        if not store.is_behind:
            self.behind_bytes = 0
        if store.failure is not None:
            engine.is_limited = True
        if (store.failure is None) != (self._told is None):
            self._changed(store.failure)
        self._told = store.failure

    def _changed(self, failure: str | None) -> None:
        if failure is not None:
            self.engine.log("disk.full", reason=failure, told="writes are refused until there is room")
            return
        self.engine.log("disk.healed")
        self.engine.eviction.configure()
        for acceptor in self.engine.roster.acceptors:
            self.engine.touch_acceptor(acceptor)

    def takes(self, size: int) -> bool:
        """May a peer tell so many bytes more, though nothing can be written?"""
        self.behind_bytes += size
        return self.behind_bytes <= BEHIND_MAX

    def refusal(self, row: Row, args: list[bytes]) -> bytes | None:
        """The refusal of a write that cannot be stored, or for which memory has no room."""
        failure = self.engine.keyspace.store.failure
        if failure is None:
            return self.engine.eviction.refusal(row, args)
        if row is VERSIONS or row is OWNED:
            return None
        self.refused += 1
        return error(f"MISCONF {self.engine.node.name} cannot write to its disk: {failure}; nothing was done")
