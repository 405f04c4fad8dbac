"""Hearsay: what gossip has to say to the roster, and what the roster asks it.

The links stay the authority: who was heard on its link within `down_after` is not down, whatever gossip
says, since a primary's permission counts on that. Gossip makes three things better. A peer whose link is
silent but who answers a datagram is spared for a while: it is the link that suffers. A peer that says that
it stops is down at once. And a peer that announces another address is looked for there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, evolve

from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.gossip import Gossip
from trio_dynomite.membership.member import Member, Status
from trio_dynomite.peers.peer import Liveness, Peer

if TYPE_CHECKING:
    from trio_dynomite.peers.roster import Roster

SPARED = 3
"""How many `down_after_s` a peer stays in limbo that answers datagrams, but not on its link."""
FRESH = 0.5
"""The part of `down_after_s` for which an answer to a datagram proves that a peer lives."""


class NoGossip:
    """The roster of a node that does not gossip, as in a simulation of engines, hears nothing."""

    def is_alive(self, peer: Peer) -> bool:
        """Has the peer answered a datagram of ours just now?"""
        return False

    def patience(self, peer: Peer) -> int:
        """How many `down_after_s` the peer may stay in limbo."""
        return 1

    def look(self, peer: Peer) -> None:
        """Have an answer by the time when it is decided whether a silent peer lives."""


@define(eq=False)
class Hearsay(NoGossip):
    """Gossip and the roster of one node, brought together."""

    roster: Roster
    gossip: Gossip

    def is_alive(self, peer: Peer) -> bool:
        """Has the peer answered a datagram of ours just now?"""
        fresh_s = FRESH * self.roster.settings.down_after_s
        return self.gossip.acked_s(peer.name) >= self.roster.engine.mono_s - fresh_s

    def patience(self, peer: Peer) -> int:
        """None for whoever said that it stops, and has not come back meanwhile to ask us for our word."""
        member = self.gossip.table.get(peer.name)
        if member is not None and member.status is Status.LEFT:
            return int(any(acceptor.peer is peer for acceptor in self.roster.acceptors))
        return SPARED if self.is_alive(peer) else 1

    def look(self, peer: Peer) -> None:
        """Ask a silent peer before it is decided whether it lives; whoever is new to gossip is a member."""
        heard_s = peer.since_s if peer.link is None else peer.link.heard_s
        silent_s = self.roster.engine.mono_s - heard_s
        if peer.liveness is not Liveness.DOWN and silent_s > FRESH * self.roster.settings.down_after_s:
            self.gossip.check(peer.name)
        if peer.name not in self.gossip.table.records:
            self.gossip.meet(Member.of(peer.node, 0), self.roster.engine.mono_s)

    def hear(self, events: list[Event]) -> None:
        """Tell the roster, and the log."""
        for event in events:
            member = event.member
            detail = {"at": event.detail} if event.detail else {}
            if event.happening is not Happening.CHANGED:  # peers tell us of their states, too
                self.roster.engine.log(f"gossip.{event.happening.value}", member=member.name, **detail)
            peer = self.roster.peers.get(member.name)
            if peer is not None and member.status is Status.ALIVE:
                self._move(peer, member.host, member.peer_port)

    def _move(self, peer: Peer, host: str, port: int) -> None:
        """The peer announces that it is at this address: look for it there."""
        if (peer.node.host, peer.node.peer_port) == (host, port):
            return
        peer.node = evolve(peer.node, host=host, peer_port=port)
        self.roster.engine.log("peer.moved", peer=peer.name, host=host, port=port)
        if peer.link is not None:
            peer.link.close("it announces another address")
        self.roster.on_called(peer)

    def facts(self) -> dict[str, Callable[[], object]]:
        """What INFO tells of gossip, when it is asked."""
        table, counters = self.gossip.table, self.gossip.counters
        return {
            "gossip_members": lambda: len(table.records),
            "gossip_alive": lambda: self._count(Status.ALIVE),
            "gossip_suspect": lambda: self._count(Status.SUSPECT),
            "gossip_dead": lambda: self._count(Status.DEAD),
            "gossip_left": lambda: self._count(Status.LEFT),
            "gossip_health": lambda: table.health.score,
            "gossip_epoch": lambda: table.epoch,
            "gossip_refutations": lambda: table.refutations,
            "gossip_datagrams_in": lambda: counters.datagrams_in,
            "gossip_datagrams_out": lambda: counters.datagrams_out,
            "gossip_bytes_in": lambda: counters.bytes_in,
            "gossip_bytes_out": lambda: counters.bytes_out,
            "gossip_foreign": lambda: counters.foreign,
            "gossip_malformed": lambda: counters.malformed,
        }

    def _count(self, status: Status) -> int:
        return sum(record.member.status is status for record in self.gossip.table.records.values())
