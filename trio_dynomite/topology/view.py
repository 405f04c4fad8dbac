"""The cluster as one node sees it at one moment: who has which part of the ring, in which order.

A `View` never changes; a change of the membership makes a new one with a higher epoch. It depends on
nothing but the nodes and the partitioner, so nodes that know the same members agree on every placement.
Each datacenter has its own racks and tokens (Dynomite T1), so the ranges are cut at the boundaries of all.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import xxhash
from attrs import evolve, field, frozen

from trio_dynomite.model import Node
from trio_dynomite.topology.partitioner import SLOTS, Partitioner
from trio_dynomite.topology.ring import Rack, Ring

Replicas = tuple[tuple[str, tuple[str, ...]], ...]


@frozen(cache_hash=True)
class Placement:
    """The replicas of one part of the ring: per datacenter, by name, the owner in each rack in order.

    The first in a datacenter is its preferred primary.
    """

    replicas: Replicas
    _by_datacenter: dict[str, tuple[str, ...]] = field(init=False, eq=False, repr=False)
    all: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @_by_datacenter.default
    def _index(self) -> dict[str, tuple[str, ...]]:
        return dict(self.replicas)

    def __attrs_post_init__(self) -> None:
        names = tuple(name for _, names in self.replicas for name in names)
        object.__setattr__(self, "all", names)

    def in_datacenter(self, datacenter: str) -> tuple[str, ...]:
        """The replicas there, in order; none in a datacenter that has no part in the ring."""
        return self._by_datacenter.get(datacenter, ())


@frozen
class Range:
    """Ring positions `first` to `last`, both included, that have one placement."""

    first: int
    last: int
    placement: Placement

    @property
    def size(self) -> int:
        """The number of positions."""
        return self.last - self.first + 1


@frozen(kw_only=True)
class View:
    """The membership of one epoch and what follows from it. Build one with `View.of`.

    `ranges` are in order and cover the ring, 0 to `ring_size` - 1, exactly once. `bounds` holds the
    last position of each, for bisection.
    """

    epoch: int
    partitioner: Partitioner
    nodes: Mapping[str, Node] = field(hash=False)
    ranges: tuple[Range, ...]
    bounds: list[int] = field(init=False, eq=False, repr=False)
    ring: int = field(init=False, eq=False)
    """The same number wherever the ring is the same: what depends on it is compared under it only."""

    @bounds.default
    def _bounds(self) -> list[int]:
        return [part.last for part in self.ranges]

    @ring.default
    def _ring(self) -> int:
        placed = [(part.last, part.placement.replicas) for part in self.ranges]
        return int(xxhash.xxh3_64_intdigest(repr((self.partitioner.fingerprint, placed)).encode())) >> 1

    @classmethod
    def of(
        cls, nodes: Iterable[Node], partitioner: Partitioner, epoch: int = 0, *, spread: bool = True
    ) -> "View":
        """The view of these nodes, in whatever order they come; without `spread` one rack leads everywhere.

        A node without tokens is a member that owns nothing. Raises ValueError when two nodes have one
        name, a token is not on the ring or given twice in a rack, or when no node has a token.
        """
        by_name = _by_name(nodes)
        rings = _rings(by_name.values(), partitioner.ring_size, spread)
        return cls(
            epoch=epoch,
            partitioner=partitioner,
            nodes=MappingProxyType(by_name),
            ranges=tuple(_ranges(rings)),
        )

    def range_at(self, position: int) -> Range:
        """The range that has a ring position."""
        return self.ranges[bisect_left(self.bounds, position)]

    def placement_at(self, position: int) -> Placement:
        """The replicas at a ring position."""
        return self.range_at(position).placement

    def placement_of(self, key: bytes) -> Placement:
        """The replicas of a key."""
        return self.placement_at(self.partitioner.position(key))

    def placements_by_slot(self) -> list[Placement]:
        """The placement of each of the 16384 slots, to index by slot; equal ones are one object.

        Only for the partitioner `slots`: with a hash a slot may be cut by a token, so ask `placement_at`.
        Raises ValueError there.
        """
        if self.partitioner.name != SLOTS:
            raise ValueError(
                f"partitioner {self.partitioner.name!r} may cut a slot in two; use placement_at(position)"
            )
        return [part.placement for part in self.ranges for _ in range(part.size)]


def owned_share(view: View, datacenter: str) -> dict[str, float]:
    """For each node of the datacenter, the fraction of the ring that it is a replica of; 1.0 a rack."""
    owned = _no_positions(view, datacenter)
    for part in view.ranges:
        for name in part.placement.in_datacenter(datacenter):
            owned[name] += part.size
    return _fractions(owned, view.partitioner.ring_size)


def primary_share(view: View, datacenter: str) -> dict[str, float]:
    """For each node of the datacenter, the fraction of the ring that it is the first of; 1.0 in all."""
    led = _no_positions(view, datacenter)
    for part in view.ranges:
        for name in part.placement.in_datacenter(datacenter)[:1]:
            led[name] += part.size
    return _fractions(led, view.partitioner.ring_size)


def _no_positions(view: View, datacenter: str) -> dict[str, int]:
    return {name: 0 for name, node in view.nodes.items() if node.datacenter == datacenter}


def _fractions(positions: dict[str, int], ring_size: int) -> dict[str, float]:
    return {name: count / ring_size for name, count in positions.items()}


def _by_name(nodes: Iterable[Node]) -> dict[str, Node]:
    by_name: dict[str, Node] = {}
    for node in sorted(nodes, key=lambda node: node.name):
        if node.name in by_name:
            raise ValueError(f"two nodes have the name {node.name!r}; every node of a cluster needs its own")
        by_name[node.name] = node
    return by_name


def _rings(nodes: Iterable[Node], ring_size: int, spread: bool) -> dict[str, Ring]:
    """The ring of each datacenter that owns anything, by name."""
    tokens: dict[str, dict[str, dict[str, tuple[int, ...]]]] = {}
    for node in nodes:
        _check_tokens(node, ring_size)
        if node.tokens:
            tokens.setdefault(node.datacenter, {}).setdefault(node.rack, {})[node.name] = node.tokens
    if not tokens:
        raise ValueError("no node has a token, so nobody would own any key; give at least one node a token")
    return {
        datacenter: Ring.of([Rack.of(rack, racks[rack]) for rack in sorted(racks)], ring_size, spread=spread)
        for datacenter, racks in sorted(tokens.items())
    }


def _check_tokens(node: Node, ring_size: int) -> None:
    for token in node.tokens:
        if not 0 <= token < ring_size:
            raise ValueError(
                f"node {node.name!r}: token {token} is not on the ring; it must be 0 to {ring_size - 1}"
            )


def _ranges(rings: Mapping[str, Ring]) -> list[Range]:
    """The rings of all datacenters laid over each other; neighbours with one placement are one range."""
    known: dict[Replicas, Placement] = {}
    ranges: list[Range] = []
    first = 0
    for last in sorted({bound for ring in rings.values() for bound in ring.bounds}):
        replicas = tuple((datacenter, ring.order_at(last)) for datacenter, ring in rings.items())
        placement = known.setdefault(replicas, Placement(replicas))
        if ranges and ranges[-1].placement is placement:
            ranges[-1] = evolve(ranges[-1], last=last)
        else:
            ranges.append(Range(first, last, placement))
        first = last + 1
    return ranges
