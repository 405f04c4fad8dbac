"""Sync: learn all that one peer knows of the slots that both hold.

Slot digests go over, records of the slots that differ come back, page by page, and are joined. It is how a
node that starts empty fills itself, how a new primary learns what its predecessor left with others, and how
two nodes that lost sight of each other agree again. It may run at any time, any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.data.stamp import unpack
from trio_dynomite.peers.link import LOST, Link

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.peer import Peer

SLOTS_A_PAGE = 2048


@define(eq=False)
class Sync:
    """One sync under way."""

    engine: Engine
    peer: Peer
    link: Link
    slots: list[int]
    """The slots that both hold."""
    on_done: Callable[[bool], None]
    """Told once: was everything learned?"""
    records: int = 0
    """Records learned so far."""
    _at: int = field(default=0)

    def start(self) -> None:
        """Ask for the next page, or finish."""
        page = self.slots[self._at : self._at + SLOTS_A_PAGE]
        if not page:
            self.on_done(True)
            return
        store = self.engine.keyspace.store
        self.link.sync(page, [store.slot_digest(slot) for slot in page], self._answered)

    def _answered(self, answer: Any) -> None:
        if answer is LOST:
            self.on_done(False)
            return
        told, floors, effects = answer[0], answer[1], answer[2]
        store = self.engine.keyspace.store
        for slot, floor in floors:
            self.engine.keyspace.clock.observe(unpack(floor))
            store.flush(slot, slot, unpack(floor))
        self.records += self.engine.join_records(effects)
        self._at += told
        self.engine.soon(self.start)
