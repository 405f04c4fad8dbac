"""Transitions: the ring has changed, and what was true by the former ring is not to be lost.

For a moment some nodes act by the former ring and some by the new one. So a part of the ring whose replicas
have changed remembers who they were (`Former`). A primary there is ready only when it knows what the former
replicas know, too; and quorum levels wait until a majority of those have left the former ring, so that nobody
is acknowledged, or read at a quorum, by it any more. A replica that is new there is *cold*: it counts for
writes, and for reads only once it has copied what the others know. When nobody is cold any more, the former
replicas are forgotten.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.coordinator.levels import quorum
from trio_dynomite.topology.view import Placement, View

if TYPE_CHECKING:
    from trio_dynomite.coordinator.routes import Route, RouteTable
    from trio_dynomite.peers.peer import Peer


@define(eq=False)
class Former:
    """The replicas that a part of the ring had before; those that were forgotten do not count."""

    placement: Placement
    local: str
    """Our datacenter."""
    me: str
    peers: Mapping[str, Peer]
    """The roster's."""
    moved: set[str] = field(factory=set)
    """Those that were seen to act by a later ring."""

    @property
    def others(self) -> list[Peer]:
        """Its other replicas in our datacenter that are members still."""
        return [self.peers[name] for name in self._names if name in self.peers]

    @property
    def _names(self) -> tuple[str, ...]:
        return self.placement.in_datacenter(self.local)

    @property
    def need(self) -> int:
        """How many of the others are a majority, together with this node if it was one of them."""
        mine = self.me in self._names
        left = len(self.others) + mine
        return quorum(left) - mine if left else 0

    def look(self) -> None:
        """See who has left the former ring."""
        self.moved.update([peer.name for peer in self.others if peer.is_open and peer.is_kin])

    @property
    def is_left(self) -> bool:
        """Has a majority? Then nothing more is acknowledged by the former ring."""
        return len(self.moved.intersection([peer.name for peer in self.others])) >= self.need

    def agrees(self, number: int) -> bool:
        """Do enough of those that can be reached agree that we lead route `number`, and have told all?"""
        reachable = [peer for peer in self.others if peer.is_open]
        agreeing = sum([peer.agrees(number) for peer in reachable])
        return agreeing >= min(len(reachable), self.need)


@define(eq=False)
class Formers:
    """For each placement of a view the former ones of its part of the ring."""

    view: View
    before: RouteTable
    peers: Mapping[str, Peer]
    me: str
    local: str
    _overlaps: dict[Placement, dict[Route, None]] = field(factory=dict)
    _went_to: dict[Route, set[Placement]] = field(factory=dict)
    """What became of each route."""
    _made: dict[Placement, Former] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        former = self.before.view
        for range_ in self.view.ranges:
            found = self._overlaps.setdefault(range_.placement, {})
            at = bisect_left(former.bounds, range_.first)
            while at < len(former.ranges) and former.ranges[at].first <= range_.last:
                route = self.before.of_position(former.ranges[at].first)
                found[route] = None
                self._went_to.setdefault(route, set()).add(range_.placement)
                at += 1

    def same(self, placement: Placement) -> Route | None:
        """The route that had this placement exactly where the new view has it: its keys are the same."""
        overlaps = list(self._overlaps[placement])
        is_same = len(overlaps) == 1 and self._went_to[overlaps[0]] == {placement}
        return overlaps[0] if is_same and overlaps[0].placement == placement else None

    def of(self, placement: Placement) -> tuple[Former, ...]:
        """Who else had a part of it, now or in a transition that has not ended."""
        found: dict[Placement, Former] = {}
        for route in self._overlaps[placement]:
            found.update({former.placement: former for former in route.formers})
        for route in self._overlaps[placement]:
            found[route.placement] = self._former(route.placement)
        replicas = set(placement.all)
        return tuple(former for former in found.values() if set(former.placement.all) != replicas)

    def _former(self, placement: Placement) -> Former:
        if placement not in self._made:
            self._made[placement] = Former(placement, self.local, self.me, self.peers)
        return self._made[placement]


def cold(placement: Placement, former: tuple[Former, ...]) -> frozenset[str]:
    """The replicas that were none in every former placement."""
    return frozenset([name for name in placement.all if any(name not in f.placement.all for f in former)])
