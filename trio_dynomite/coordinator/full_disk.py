"""No room: writes are refused in so many words, reads go on, and all is well again when there is room.

The store says whether it can write (`storage.store.Store.failure`), to its disk or to its server. While it
cannot, this node refuses writes as a primary. As a replica it joins what it is told, which stays in memory
until it can be written, and acknowledges nothing that is there only: nobody counts on a copy that a crash
would take away. When that is too much it takes no more from its peers, to whom it is down then.

A server's memory that is nearly full (`Store.shortage`) is less: what needs none is done, deletes above all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.internal import OWNED, TRANSACTION, VERSIONS, may_grow
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
    _told_shortage: str | None = None
    _was_behind: bool = False

    def __attrs_post_init__(self) -> None:
        self.engine.keyspace.store.on_refused = self._refused

    def _refused(self) -> None:
        """In this turn it has come out that something was not written: nobody else begins, and what waits for
        others to have it waits in vain, for this replica does not count."""
        self.engine.is_limited = self._was_behind = True
        for route in self.engine.dirty:
            route.batch.expire()
        for peer in self.engine.roster.peers.values():
            if peer.link is not None:
                peer.link.give_up_waiting()

    def tick(self) -> None:
        """Called a few times a second: look whether the store can write."""
        engine = self.engine
        store = engine.keyspace.store
        store.recover(engine.mono_s)
        if not store.is_behind:
            self.behind_bytes = 0
            if self._was_behind:
                self._caught_up()
        self._was_behind = store.is_behind
        if store.failure is not None or store.shortage is not None:
            engine.is_limited = True
        if (store.failure is None) != (self._told is None):
            self._changed(store.failure)
        if (store.shortage is None) != (self._told_shortage is None):
            self._shortage_changed(store.shortage)
        self._told, self._told_shortage = store.failure, store.shortage

    def _changed(self, failure: str | None) -> None:
        if failure is not None:
            self.engine.log("disk.full", reason=failure, told="writes are refused until there is room")
            return
        self.engine.log("disk.healed")
        self.engine.eviction.configure()

    def _shortage_changed(self, shortage: str | None) -> None:
        if shortage is not None:
            self.engine.log("memory.full", reason=shortage, told="writes that need memory are refused")
            return
        self.engine.log("memory.healed")
        self.engine.eviction.configure()

    def _caught_up(self) -> None:
        """All is written: peers may count on it."""
        for acceptor in self.engine.roster.acceptors:
            self.engine.touch_acceptor(acceptor)

    def takes(self, size: int) -> bool:
        """May a peer tell so many bytes more, though nothing can be written?"""
        self.behind_bytes += size
        return self.behind_bytes <= BEHIND_MAX

    def refusal(self, row: Row, args: list[bytes]) -> bytes | None:
        """The refusal of a write that cannot be stored, or for which memory has no room."""
        store = self.engine.keyspace.store
        if store.failure is None:
            if store.shortage is not None:
                return self._too_large(row, args, store.shortage)
            return self.engine.eviction.refusal(row, args)
        if row is VERSIONS or row is OWNED:
            return None
        self.refused += 1
        where = "" if store.capabilities.is_remote else " to its disk"
        return self._misconfigured(f"{where}: {store.failure}")

    def refusal_of_flush(self) -> bytes | None:
        """The refusal of a flush that would be kept in memory only, and so be undone by a crash."""
        store = self.engine.keyspace.store
        if not (store.is_behind and store.capabilities.is_remote):
            return None
        return self._misconfigured(f": {store.failure or 'it catches up'}")

    def _misconfigured(self, why: str) -> bytes:
        return error(f"MISCONF {self.engine.node.name} cannot write{why}; nothing was done")

    def _too_large(self, row: Row, args: list[bytes], shortage: str) -> bytes | None:
        if not (may_grow(args) if row is TRANSACTION else "denyoom" in row.flags):
            return None
        self.refused += 1
        told = f"OOM command not allowed: {self.engine.node.name}: {shortage}"
        return error(f"EXECABORT Transaction discarded because of: {told}" if row is TRANSACTION else told)
