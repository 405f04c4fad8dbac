"""Shedding: what a node holds of slots that are others' since the ring changed is handed over and forgotten.

It goes once the new ring is settled and all are there. The slots are compared with a replica of today, as
anti-entropy does: what that lacks is owed to it, and when it has all of it the records here go without a
trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.coordinator.here import when_open
from trio_dynomite.model import NodeState
from trio_dynomite.repair.comparison import Comparison
from trio_dynomite.storage.contract import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.peer import Peer
    from trio_dynomite.repair.anti_entropy import AntiEntropy
    from trio_dynomite.repair.collection import Collection

EVERY_S = 5.0
_SLOTS_MAX = 1024
"""So many are handed over at a time."""
_RECORDS_A_TURN = 5000


@define(eq=False)
class Shedding:
    """What one node has yet to hand over."""

    repair: AntiEntropy
    shed: int = 0
    """Records that were forgotten so far."""
    _comparison: Comparison | None = None
    _compared: Comparison | None = None
    """One that has ended well: its peer may still be owed some of it."""
    _leaving: list[int] = field(factory=list)
    """Slots whose records go."""
    _next_s: float = 0.0

    @property
    def engine(self) -> Engine:
        """The node's."""
        return self.repair.engine

    @property
    def rate(self) -> int:
        """Bytes a second."""
        return self.repair.rate

    @property
    def collection(self) -> Collection:
        """The node's."""
        return self.repair.collection

    def known(self, slot: int) -> list[int]:
        """What is held of a slot, for a comparison."""
        return self.repair.known(slot)

    def ended(self, comparison: Comparison) -> None:
        """A comparison has come to its end, or its link has."""
        self._comparison = None
        if comparison.is_complete:
            self._compared = comparison

    def ring_changed(self) -> None:
        """Slots may be ours again, or another's."""
        self._comparison, self._compared, self._leaving = None, None, []

    def tick(self) -> None:
        """Called a few times a second."""
        if self._leaving:
            self._forget()
        elif self._comparison is not None:
            self._comparison.go_on()
        elif self._compared is not None:
            self._wait_for(self._compared)
        elif self.engine.mono_s >= self._next_s:
            self._next_s = self.engine.mono_s + EVERY_S
            if self._is_calm:
                self._begin()

    @property
    def _is_calm(self) -> bool:
        engine = self.engine
        if engine.state is not NodeState.NORMAL or not engine.is_warm or engine.table.is_changing:
            return False
        return all([p.is_serving and p.is_kin and p.is_warm for p in engine.roster.peers.values()])

    def _begin(self) -> None:
        own, store = self.engine.replica.own_slots(), self.engine.keyspace.store
        foreign = [slot for slot in range(SLOTS) if len(store.records[slot]) and slot not in own]
        peer = next((peer for slot in foreign for peer in self._holders(slot)), None)
        if peer is not None and peer.link is not None:
            slots = [slot for slot in foreign if peer in self._holders(slot)][:_SLOTS_MAX]
            now_s = self.engine.mono_s
            self._comparison = Comparison(self, peer, peer.link, slots, now_s, is_whole=False)
            self._comparison.start()

    def _holders(self, slot: int) -> list[Peer]:
        """Who holds all of a slot; the replicas of this datacenter first."""
        table = self.engine.table
        size = table.view.partitioner.ring_size // SLOTS
        route = table.of_position(slot * size)
        is_whole = table.view.range_at(slot * size) is table.view.range_at(slot * size + size - 1)
        return list(route.everywhere()) if is_whole else []

    def _wait_for(self, compared: Comparison) -> None:
        """Until the peer has all that it lacked."""
        peer = compared.peer
        if peer.link is not compared.link or not peer.is_open or not self._is_calm:
            self._compared = None
        elif not peer.hints and not peer.is_delivering:
            self._compared, self._leaving = None, list(compared.slots)

    def _forget(self) -> None:
        store, gone = self.engine.keyspace.store, 0
        while self._leaving and gone < _RECORDS_A_TURN:
            if not when_open(self.engine, self._leaving[-1:], self._forget):
                break
            slot = self._leaving.pop()
            for key in [key for key, _ in store.scan(slot)]:
                store.forget(slot, key)
                gone += 1
        self.shed += gone
        if not self._leaving:
            self._next_s = 0.0
            self.engine.log("ring.shed", records=self.shed)
