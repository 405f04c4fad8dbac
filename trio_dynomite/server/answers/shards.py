"""The cluster as Redis Cluster clients see it: which nodes lead which slots now, and who else has copies.

Redis Cluster knows one primary a slot. Here each datacenter has its own, so a node tells its own datacenter's
primary as it acts now (clients follow a fail-over by asking anyone), then the other replicas there, then
those of the other datacenters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.model import Node, NodeState
from trio_dynomite.peers.peer import Liveness, Peer

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route


@define
class Shard:
    """What one node leads."""

    primary: Node
    slots: list[tuple[int, int]] = field(factory=list)
    """First and last of each run, both included, in order."""
    replicas: dict[str, Node] = field(factory=dict)
    """By name, who has a copy of any of it, dead ones included."""

    def add(self, first: int, last: int, replicas: Iterable[Node]) -> None:
        """Also the slots `first` to `last`, which come after those it has."""
        if self.slots and self.slots[-1][1] == first - 1:
            first = self.slots.pop()[0]
        self.slots.append((first, last))
        self.replicas.update({node.name: node for node in replicas if node is not self.primary})


def replicas_of(route: Route, engine: Engine) -> list[Node]:
    """All replicas of a route in the order in which clients should turn to them; the acting primary first."""
    order = [engine.node if peer is None else peer.node for peer in route.order]
    leader = leader_of(route, engine)
    here = [node for node in order if node is not leader]
    away = [peer.node for peers in route.remote.values() for peer in peers]
    return [*([] if leader is None else [leader]), *here, *away]


def leader_of(route: Route, engine: Engine) -> Node | None:
    """The acting primary of a route; None when nobody leads it."""
    if route.leads:
        return engine.node
    return None if route.leader is None else route.leader.node


def alive(nodes: Iterable[Node], engine: Engine) -> list[Node]:
    """Those of `nodes` that are not down."""
    return [node for node in nodes if not is_down(node, engine)]


def is_down(node: Node, engine: Engine) -> bool:
    """Has this node found that one dead?"""
    peer = peer_of(node, engine)
    return peer is not None and peer.liveness is Liveness.DOWN


def peer_of(node: Node, engine: Engine) -> Peer | None:
    """The peer that `node` is to this node; None when it is this node."""
    return engine.roster.peers.get(node.name)


def flag_of(node: Node, engine: Engine) -> str:
    """What CLUSTER NODES flags a node with for its health: "fail", "fail?" (its link broke) or ""."""
    peer = peer_of(node, engine)
    if peer is None or peer.is_open:
        return ""
    return "fail" if peer.liveness is Liveness.DOWN else "fail?"


def health_of(node: Node, engine: Engine) -> str:
    """What CLUSTER SHARDS says of a node's health: online, loading or fail."""
    peer = peer_of(node, engine)
    if peer is not None and peer.liveness is Liveness.DOWN:
        return "fail"
    state = engine.state if peer is None else peer.state
    return "online" if state is NodeState.NORMAL else "loading"


def slot_map(engine: Engine) -> list[tuple[int, int, list[Node]]]:
    """(first slot, last slot, live replicas with the primary first), in order of the slots.

    Neighbours that are served alike are one. Slots whose replicas are all dead are left out.
    """
    known = {id(route): alive(replicas_of(route, engine), engine) for route in engine.table.routes}
    found: list[tuple[int, int, list[Node]]] = []
    for part in engine.table.view.ranges:
        nodes = known[id(engine.table.of_position(part.first))]
        if not nodes:
            continue
        first = part.first
        if found and found[-1][1] == first - 1 and found[-1][2] == nodes:
            first = found.pop()[0]
        found.append((first, part.last, nodes))
    return found


def shards(engine: Engine) -> list[Shard]:
    """A shard for each node that clients should take for a primary, in order of their first slots."""
    made: dict[str, Shard] = {}
    members = {id(route): replicas_of(route, engine) for route in engine.table.routes}
    for part in engine.table.view.ranges:
        nodes = members[id(engine.table.of_position(part.first))]
        living = alive(nodes, engine)
        if living:
            shard = made.setdefault(living[0].name, Shard(living[0]))
            shard.add(part.first, part.last, nodes)
    return list(made.values())


def slots_served(engine: Engine) -> int:
    """How many slots have a live replica in this node's datacenter."""
    return sum([part.size for part in engine.table.view.ranges if _is_served(part.first, engine)])


def _is_served(position: int, engine: Engine) -> bool:
    route = engine.table.of_position(position)
    return any(peer is None or peer.liveness is not Liveness.DOWN for peer in route.order)
