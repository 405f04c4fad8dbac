"""Sync: learn all that one peer knows of the slots that both hold.

Slot digests go over, records of the slots that differ come back, page by page, and are joined. It is how a
node that starts empty fills itself, how a new primary learns what its predecessor left with others, and how
two nodes that lost sight of each other agree again. It may run at any time, any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.coordinator.here import when_here, when_open
from trio_dynomite.data.effect import FIELDS, Flat
from trio_dynomite.data.stamp import unpack
from trio_dynomite.peers.link import LOST, Link
from trio_dynomite.storage.collect import drop_until

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
    """Told once: was everything learned, and did neither side change its view of who leads meanwhile?"""
    records: int = 0
    """Records learned so far."""
    dropped: int = 0
    """Records of ours that were from before a collection, and gave way."""
    token: int | None = None
    """The number of the peer's view."""
    leaders: list[str] = field(factory=list)
    """Who leads each route in the peer's view."""
    ring: int = 0
    """The ring of which those are the routes."""
    _at: int = 0
    _own_view: int = 0

    @property
    def slots_left(self) -> int:
        """How many slots are still to be compared."""
        return max(0, len(self.slots) - self._at)

    def start(self) -> None:
        """Ask for the first page."""
        self._own_view = self.engine.view_number
        self._next()

    def _next(self) -> None:
        page = self.slots[self._at : self._at + SLOTS_A_PAGE]
        if not page and self._at:
            self.on_done(self.engine.view_number == self._own_view)
            return
        self.link.sync(page, self.engine.keyspace.store.slot_digests(page), self._answered)

    def _answered(self, answer: Any) -> None:
        if answer is LOST:
            self.on_done(False)
            return
        told, floors, effects, token, leaders, ring = answer[:6]
        if self.token not in (None, token):
            self.on_done(False)
            return
        self.token, self.leaders, self.ring = token, leaders, ring
        store = self.engine.keyspace.store
        higher = [slot for slot, _, cutoff in floors if unpack(cutoff) > store.cutoffs[slot]]
        if not when_open(self.engine, higher, lambda: self._learn_bars(told, floors, effects)):
            return
        self._learn_bars(told, floors, effects)

    def _learn_bars(self, told: int, floors: list[Any], effects: Flat) -> None:
        cutoffs: dict[int, int] = {}
        for slot, floor, cutoff in floors:
            self.engine.replica.join_floor(slot, unpack(floor))
            cutoffs[slot] = unpack(cutoff)
            self._raise_cutoff(slot, unpack(cutoff))
        self._learn(told, effects, cutoffs)

    def _learn(self, told: int, effects: Flat, cutoffs: dict[int, int]) -> None:
        keys = effects[2::FIELDS]
        if not when_here(self.engine, keys, lambda: self._learn(told, effects, cutoffs)):
            return
        self.records += self.engine.replica.join_records(effects, cutoffs)
        self._at += max(told, 1)
        self.engine.soon(self._next)

    def _raise_cutoff(self, slot: int, cutoff: int) -> None:
        """The peer has forgotten what was dead under `cutoff`, and tells here all that it knows of the slot.

        Of a store that was restored, and of a slot that was others' meanwhile, we do not know whether we had
        a part in that: what is as old goes."""
        store = self.engine.keyspace.store
        is_old = (store.is_restored and not self.peer.was_learned) or slot in self.engine.replica.regained
        if is_old and cutoff > store.cutoffs[slot]:
            self.dropped += drop_until(store, slot, cutoff)
        self.engine.repair.collection.adopt(slot, cutoff)
