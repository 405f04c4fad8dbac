"""Adoption: the members have changed, and this node's ring with them, in one turn.

Peers are made for those who came, and those who are gone for good are let go with what they were owed. A node
that has not served yet knows nothing of the ring that was; for it that is the ring of the others that serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.coordinator.changes import set_table
from trio_dynomite.coordinator.routes import make_routes
from trio_dynomite.model import Node, NodeState
from trio_dynomite.topology.view import View

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import RouteTable
    from trio_dynomite.peers.peer import Peer


def adopt(engine: Engine, nodes: list[Node]) -> None:
    """These are the nodes of the cluster from now on, this one among them."""
    roster, me = engine.roster, engine.node.name
    joined = [roster.make_peer(node) for node in nodes if node.name not in (me, *roster.peers)]
    names = {node.name for node in nodes}
    left = [peer for name, peer in roster.peers.items() if name not in names]
    for peer in left:
        del roster.peers[peer.name]
    roster.peers.update({peer.name: peer for peer in joined})
    for node in nodes:
        if node.name != me:
            roster.peers[node.name].node = node
    view = _view(engine, nodes, engine.table.view.epoch + 1)
    set_table(engine, make_routes(view, engine.node, roster.peers, engine.keyspace, _before(engine, nodes)))
    changes = {"joined": [peer.name for peer in joined], "left": [peer.name for peer in left]}
    engine.log("ring.adopted", epoch=view.epoch, members=len(nodes), ring=f"{view.ring:x}", **changes)
    for peer in joined:
        roster.members.on_joined(peer)
    for peer in left:
        _let_go(engine, peer)


def _view(engine: Engine, nodes: list[Node], epoch: int) -> View:
    return View.of(nodes, engine.table.view.partitioner, epoch, spread=engine.roster.settings.spreads)


def _before(engine: Engine, nodes: list[Node]) -> RouteTable | None:
    """The ring that was in force until now."""
    if engine.roster.has_served:
        return engine.table
    members = engine.roster.members
    serving = [node for node in nodes if members.state_of(members.known[node.name]) is NodeState.NORMAL]
    if not any(node.tokens for node in serving):
        return None
    return make_routes(_view(engine, serving, 0), engine.node, engine.roster.peers, engine.keyspace)


def _let_go(engine: Engine, peer: Peer) -> None:
    """A peer is gone for good: nothing is owed to it any more."""
    if peer.link is not None:
        peer.link.close("it was forgotten")
    for acceptor in list(engine.roster.acceptors):
        if acceptor.peer is peer:
            acceptor.pipe.close("it was forgotten")
    peer.hints.clear()
    engine.roster.members.on_left(peer)
