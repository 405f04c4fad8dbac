"""A peer: another node as this one sees it, and what this one owes it."""

import enum

from attrs import define

from trio_dynomite.handoff.hints import HintQueue
from trio_dynomite.model import Node, NodeState
from trio_dynomite.peers.link import Link


class Liveness(enum.Enum):
    """What is known of a peer's life."""

    UP = "up"
    """Its link is open."""
    LIMBO = "limbo"
    """The link broke, or was never made; nobody takes its place yet."""
    DOWN = "down"
    """It is gone: others take its place until it comes back."""


@define(eq=False)
class Peer:
    """Another member of the cluster."""

    node: Node
    hints: HintQueue
    liveness: Liveness = Liveness.LIMBO
    since_s: float = 0.0
    """Monotonic time at which it became what it is."""
    state: NodeState = NodeState.UNKNOWN
    """What it last said of itself."""
    link: Link | None = None
    was_refused: bool = False
    """Nothing listened at its address when we last tried: whatever it had in memory is gone."""
    synced: bool = False
    """All that it knew is known here, since it or our view of who leads last changed."""
    was_learned: bool = False
    """We have learned all that it knew once in our life."""
    has_told: bool = False
    """It has told us once what all nodes have in common."""
    token: int = 0
    """The number of its view when we synced; it vouches for our writes while its view has that number."""
    vouched_s: float = 0.0
    """Monotonic time of our last ping (or greeting) that it answered."""
    vouches: bool = False
    """That is so recent that it cannot have declared us down meanwhile, nor let another lead for us."""
    agreed: frozenset[int] = frozenset()
    """The routes (by number) that we lead in its view as well."""
    is_delivering: bool = False
    """Hints are on their way to it."""
    drift_ms: int = 0
    """How far its wall clock was ahead of ours when it last spoke."""
    ring: int = 0
    """The ring of which it last spoke."""
    is_kin: bool = True
    """That is ours: numbers of routes and views mean the same to it, and it holds what we think."""
    is_warm: bool = True
    """It knows all that was known of its part of the ring when that became its part."""
    reason: str = "not connected yet"
    """Why its link ended last."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @property
    def is_open(self) -> bool:
        """Can it be told something now?"""
        return self.link is not None and self.link.is_open

    @property
    def is_serving(self) -> bool:
        """Can it be asked for what it knows now?"""
        return self.is_open and self.state == NodeState.NORMAL

    def agrees(self, number: int) -> bool:
        """Does it hold now, as well, that we lead route `number`, and know we all that it knew?"""
        return self.synced and self.vouches and number in self.agreed

    @property
    def may_lead(self) -> bool:
        """Is it a primary where its turn comes? Also in limbo: nobody takes its place yet."""
        return self.liveness != Liveness.DOWN and self.state == NodeState.NORMAL
