"""Forgetting instead of repair: where only values are kept, what may be wrong is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.repair.anti_entropy import AntiEntropy
from trio_dynomite.storage.contract import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.peers.peer import Peer


@define(eq=False)
class Forgetting(AntiEntropy):
    """In the place of anti-entropy, for an engine without stamps."""

    def tick(self) -> None:
        """There is nothing to compare."""

    def hurry(self, peer: Peer, slots: range | None = None) -> None:
        """`peer` has missed more than its hints tell: it is to forget everything."""
        engine = self.engine
        clock = engine.keyspace.clock.next() >> NODE_BITS
        peer.hints.add_flush((engine.node.id, 0, SLOTS - 1), clock)
        peer.hints.is_incomplete = False
        engine.log("missed more than hints tell: it forgets everything", peer=peer.name)

    def repair(self, slots: range | None) -> int:
        """Nothing can be repaired."""
        return 0

    def ring_changed(self) -> None:
        """As before; what this node has of slots that are its own again is old."""
        AntiEntropy.ring_changed(self)
        engine = self.engine
        if engine.replica.regained:
            engine.keyspace.store.flush(0, SLOTS - 1, engine.keyspace.clock.next())
