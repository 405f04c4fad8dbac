"""One datacenter's ring: who owns a position in each rack, and which rack leads there.

Every rack holds one full copy, cut among its nodes by their tokens: a node owns from just after the
previous token of its rack up to and including its own (Dynomite R2, T2). Where all racks would follow one
order, the first rack would serve every write; so the ring is cut at every token of any rack, and each
such stretch in as many equal parts as there are racks, each part led by another rack.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import field, frozen


@frozen
class Rack:
    """The tokens of one rack, sorted, and the node of each."""

    tokens: tuple[int, ...]
    owners: tuple[str, ...]

    @classmethod
    def of(cls, rack: str, tokens_by_node: Mapping[str, Sequence[int]]) -> "Rack":
        """The rack named `rack` of these nodes. Raises ValueError when two of its tokens are equal."""
        pairs = sorted((token, name) for name, tokens in tokens_by_node.items() for token in tokens)
        for (token, name), (following, other) in pairwise(pairs):
            if token == following:
                raise ValueError(
                    f"rack {rack!r}: token {token} is given twice, by node {name!r} and by node {other!r}; "
                    "the tokens of a rack must differ"
                )
        return cls(tuple(token for token, _ in pairs), tuple(name for _, name in pairs))

    def owner(self, position: int) -> str:
        """The node with the smallest token not below `position`, or else the first."""
        at = bisect_left(self.tokens, position)
        return self.owners[at] if at < len(self.owners) else self.owners[0]


@frozen
class Stretch:
    """Positions from after the stretch before, up to and including `last`, and their replicas in order."""

    last: int
    order: tuple[str, ...]


@frozen(kw_only=True)
class Ring:
    """One datacenter's ring as stretches that cover it once, in order."""

    stretches: tuple[Stretch, ...]
    bounds: tuple[int, ...] = field(init=False, eq=False, repr=False)

    @bounds.default
    def _bounds(self) -> tuple[int, ...]:
        return tuple(stretch.last for stretch in self.stretches)

    @classmethod
    def of(cls, racks: Sequence[Rack], ring_size: int, *, spread: bool = True) -> "Ring":
        """The ring of these racks, given sorted by name. Without `spread` the first rack leads everywhere."""
        ends = sorted({token for rack in racks for token in rack.tokens} | {ring_size - 1})
        stretches: list[Stretch] = []
        first = 0
        for end in ends:
            owners = tuple(rack.owner(end) for rack in racks)
            stretches += _parts(first, end, owners) if spread else [Stretch(end, owners)]
            first = end + 1
        return cls(stretches=tuple(stretches))

    def order_at(self, position: int) -> tuple[str, ...]:
        """The owner in each rack, the leading rack's first."""
        return self.stretches[bisect_left(self.bounds, position)].order


def _parts(first: int, last: int, owners: tuple[str, ...]) -> list[Stretch]:
    """One stretch between tokens, cut in a part for each rack to lead.

    Which rack leads the first part follows from where the stretch ends, not from how many stretches
    come before it: so a new token changes the order only in the stretch that it cuts, and where
    stretches are too short to be divided their ends still spread the lead over the racks.
    """
    racks = len(owners)
    size = last + 1 - first
    parts = []
    for part in range(racks):
        begin, end = first + size * part // racks, first + size * (part + 1) // racks
        if begin < end:
            lead = (last + part) % racks
            parts.append(Stretch(end - 1, owners[lead:] + owners[:lead]))
    return parts
