"""Delivery: hints on their way to peers that are back.

One frame of records at a time to each peer, the next when that is acknowledged: live traffic comes in
between, and goes first where much of it is under way. All peers together get no more than so many bytes a
second. Beside it the hints of those who are away for too long expire, and who has missed more than its hints
tell is compared with by anti-entropy as soon as it is back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.here import when_here
from trio_dynomite.coordinator.replica import PAGE_BYTES
from trio_dynomite.data.effect import Flat
from trio_dynomite.handoff.hints import HintBudget
from trio_dynomite.model import NodeState
from trio_dynomite.peers.link import Link, encode_effects

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.peer import Peer
    from trio_dynomite.peers.roster import RosterSettings

HINTS_A_FRAME = 500
_BURST_S = 0.1
"""So much of the rate may be used at once."""
_LIVE_SHARE = 64
"""Hints wait while more than this part of `limits.peer_output` is under way."""


@define(eq=False)
class Delivery:
    """One node's."""

    engine: Engine
    budget: HintBudget
    settings: RosterSettings
    sent_bytes: int = 0
    yielded: int = 0
    """How often hints waited for live traffic."""
    _next_s: float = 0.0
    """When more may be sent."""

    def tick(self, peers: Iterable[Peer]) -> None:
        """Called a few times a second."""
        self.budget.now_ms = self.engine.now_ms
        for peer in peers:
            hints = peer.hints
            if peer.is_open:
                self.deliver(peer)
            elif hints.away_ms is None:
                hints.left()
            elif not hints.is_over and (count := hints.expire()):
                self.engine.log("hints.expired", peer=peer.name, hints=count)

    def peer_back(self, peer: Peer) -> None:
        """Its link is open."""
        peer.hints.returned()
        if peer.hints.is_incomplete:
            self.engine.repair.hurry(peer)
        self.deliver(peer)

    def deliver(self, peer: Peer) -> None:
        """Send the next hints, and more when these are acknowledged."""
        if peer.is_delivering or not peer.hints or not peer.is_open or not self._may_send(peer):
            return
        if not when_here(self.engine, peer.hints.peek(HINTS_A_FRAME), lambda: self.deliver(peer)):
            return
        assert peer.link is not None
        link, hints, replica = peer.link, peer.hints, self.engine.replica
        peer.is_delivering = True
        for origin, effects in hints.take_flushes():
            self._send(link, origin, effects, Batch(is_owed=True))
        effects = replica.records_of(hints.take(HINTS_A_FRAME, PAGE_BYTES, replica.weight_of))
        batch = Batch(is_owed=True, on_settled=lambda _: self._settled(peer, link))
        self._send(link, self.engine.node.id, effects, batch)

    def _may_send(self, peer: Peer) -> bool:
        assert peer.link is not None
        state = self.engine.state
        if state.is_warming or self.engine.mono_s < self._next_s:
            return False  # a node that has not learned what the others know may have lost what it owes
        if state is NodeState.STANDBY and peer.hints.is_logged:
            return False  # it leaves, and goes on when it is back
        if peer.link.unacked_bytes > self.settings.peer_output_max // _LIVE_SHARE:
            self.yielded += 1
            return False
        return True

    def _send(self, link: Link, origin: int, effects: Flat, batch: Batch) -> None:
        batch.effects = effects
        body = encode_effects(origin, effects)
        self.sent_bytes += len(body)
        self._next_s = max(self._next_s, self.engine.mono_s - _BURST_S) + len(body) / self.settings.hints_rate
        link.send_effects(body, batch, origin, effects)

    def _settled(self, peer: Peer, link: Link) -> None:
        """It was acknowledged (one that is doubted was joined, too), or its link has ended."""
        peer.is_delivering = False
        if link.is_closed:
            peer.hints.give_back()
        else:
            peer.hints.acknowledged()
            if peer.hints:
                self.engine.soon(lambda: self.deliver(peer))
