"""Warming up: a node that starts empty, or whose part of the ring has grown, learns what the others know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.model import NodeState
from trio_dynomite.peers.peer import Liveness

if TYPE_CHECKING:
    from trio_dynomite.peers.peer import Peer
    from trio_dynomite.peers.roster import Roster

_TELL_S = 2.0
"""Between two lines about a warm-up."""


def slots_to_learn(roster: Roster, peer: Peer) -> list[int]:
    """All of ours that `peer` may know something of; of several peers each begins elsewhere.

    So a node that starts empty learns a part from each, and finds that it knows the rest by then."""
    slots = roster.engine.replica.slots_to_learn_from(peer)
    near = [name for name, other in roster.peers.items() if other.node.datacenter == peer.node.datacenter]
    first = len(slots) * near.index(peer.name) // len(near)
    return slots[first:] + slots[:first]


def warm_up(roster: Roster, waited_s: float) -> None:
    """A node that starts empty serves once it knows what the others know, or that none of them does.

    So does one that serves already the keys that are its only since the ring changed."""
    engine = roster.engine
    _tell(roster)
    is_known = not any(_may_know(peer) for peer in roster.peers.values())
    if is_known or (waited_s > roster.settings.warm_up_s and not roster.syncs):
        engine.is_warm = True
        engine.replica.regained.clear()
        if engine.state is not NodeState.NORMAL:
            engine.set_state(NodeState.NORMAL)
        else:
            engine.routes_changed()
            roster.tell_state()


def _tell(roster: Roster) -> None:
    now_s, syncs = roster.engine.mono_s, roster.syncs
    if syncs and now_s >= roster.told_s + _TELL_S:
        roster.told_s = now_s
        left, records = (sum(each) for each in zip(*[(s.slots_left, s.records) for s in syncs], strict=True))
        roster.engine.log("warm_up", slots_left=left, records=records, peers=len(syncs))


def _may_know(peer: Peer) -> bool:
    """Might this peer have data that we have not heard of?"""
    if peer.is_open:
        return peer.state is NodeState.NORMAL and not (peer.synced and peer.has_told and peer.is_kin)
    return not (peer.liveness is Liveness.DOWN and peer.was_refused)
