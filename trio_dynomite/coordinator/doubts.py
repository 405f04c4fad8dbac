"""Doubts: writes of this primary that a replica joined and did not count.

A replica counts a write only if the sender is the primary in the replica's view too; views change a moment
apart when a node comes or goes. Effects are idempotent, so a doubted batch is simply sent again, with what
was learned about the replica's view meanwhile, until somebody counts it or its waiters' deadline has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.data.effect import Flat
from trio_dynomite.peers.link import Link, encode_effects

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine


@define(eq=False)
class Doubts:
    """The doubted batches of one node."""

    engine: Engine
    doubted: int = 0
    """Frames so far."""
    _waiting: list[tuple[Link, Batch, int, Flat]] = field(factory=list)

    def add(self, link: Link, batch: Batch, origin: int, effects: Flat) -> None:
        """`link`'s peer doubts a batch: learn its view, and try again."""
        self.doubted += 1
        self.engine.roster.disagree(link.peer)
        self._waiting.append((link, batch, origin, effects))

    def retry(self) -> None:
        """Called a few times a second."""
        waiting, self._waiting = self._waiting, []
        for link, batch, origin, effects in waiting:
            if not batch.waiting and batch.on_settled is None:
                continue
            if link.is_closed:
                batch.lost()
            elif not link.peer.synced:
                self._waiting.append((link, batch, origin, effects))
            else:
                self._send_again(link, batch, origin, effects)

    def _send_again(self, link: Link, batch: Batch, origin: int, effects: Flat) -> None:
        # All effects of a batch are of one route, whose leader we were when they were made.
        route = self.engine.replica.route_of_effects(effects)
        batch.outstanding -= 1
        token = self.engine.token_for(route, link.peer)
        link.send_effects(encode_effects(origin, effects), batch, origin, effects, token=token)
