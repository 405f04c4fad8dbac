"""A view as text for people: `trio-dynomite check` prints it."""

from collections.abc import Iterator, Sequence

from trio_dynomite.model import Node
from trio_dynomite.topology.view import View, owned_share, primary_share

_TOKENS_SHOWN = 4
_UNEVEN = 1.5
_HEAD = ("node", "tokens", "owns %", "primary %")

Row = tuple[str, str, str, str]


def describe(view: View) -> str:
    """The racks of each datacenter with each node's tokens and shares, the ranges, and what is doubtful.

    "owns" is the fraction of the ring that a node is a replica of, 100 % for a rack together; "primary"
    is the fraction that it is first in order of, 100 % for a datacenter together.
    """
    datacenters = sorted({node.datacenter for node in view.nodes.values()})
    blocks = [_heading(view)]
    blocks += [_datacenter(view, datacenter) for datacenter in datacenters]
    doubts = [doubt for datacenter in datacenters for doubt in _datacenter_doubts(view, datacenter)]
    blocks.append("\n".join(f"warning: {doubt}" for doubt in [*_partitioner_doubts(view), *doubts]))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _heading(view: View) -> str:
    tag = view.partitioner.hash_tag or "none"
    nodes, ranges = _count(len(view.nodes), "node"), _count(len(view.ranges), "range")
    return f"partitioner {view.partitioner.name}, hash tag {tag}, epoch {view.epoch}: {nodes}, {ranges}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _racks(view: View, datacenter: str) -> dict[str, list[Node]]:
    """The nodes of each rack of the datacenter in the order of their first tokens, racks by name."""
    racks: dict[str, list[Node]] = {}
    for node in sorted(view.nodes.values(), key=lambda node: (node.rack, sorted(node.tokens), node.name)):
        if node.datacenter == datacenter:
            racks.setdefault(node.rack, []).append(node)
    return racks


def _datacenter(view: View, datacenter: str) -> str:
    owned, led = owned_share(view, datacenter), primary_share(view, datacenter)
    racks = {
        rack: [
            (node.name, _tokens(node.tokens), _percent(owned[node.name]), _percent(led[node.name]))
            for node in nodes
        ]
        for rack, nodes in _racks(view, datacenter).items()
    }
    widths = _widths([_HEAD, *(row for rows in racks.values() for row in rows)])
    lines = [f"datacenter {datacenter}: {_count(len(racks), 'rack')}"]
    for rack, rows in racks.items():
        lines.append(f"  rack {rack}")
        lines += [f"    {_line(row, widths)}" for row in (_HEAD, *rows)]
    return "\n".join(lines)


def _tokens(tokens: Sequence[int]) -> str:
    shown = " ".join(str(token) for token in sorted(tokens)[:_TOKENS_SHOWN])
    return f"{shown} … ({len(tokens)})" if len(tokens) > _TOKENS_SHOWN else shown or "none"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}"


def _widths(rows: Sequence[Row]) -> list[int]:
    return [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]


def _line(row: Row, widths: Sequence[int]) -> str:
    name, tokens, owned, led = row
    return f"{name:<{widths[0]}}  {tokens:<{widths[1]}}  {owned:>{widths[2]}}  {led:>{widths[3]}}"


def _partitioner_doubts(view: View) -> Iterator[str]:
    if view.partitioner.name == "crc32":
        yield (
            "Dynomite's crc32 gives only positions 0 to 32767, so one node of a rack owns almost every key; "
            "crc32a spreads over the whole ring"
        )


def _datacenter_doubts(view: View, datacenter: str) -> Iterator[str]:
    racks = _racks(view, datacenter)
    copies = sum(any(node.tokens for node in nodes) for nodes in racks.values())
    if copies == 0:
        yield f"datacenter {datacenter}: no node has a token, so it holds no copy of anything"
    elif copies == 1:
        yield f"datacenter {datacenter}: 1 rack, so 1 copy: no redundancy, a lost node loses its keys there"
    elif copies == 2:
        yield f"datacenter {datacenter}: 2 racks: a quorum needs both, so a node down stops it for its keys"
    shares = owned_share(view, datacenter)
    for rack, nodes in racks.items():
        yield from _rack_doubts(f"datacenter {datacenter}, rack {rack}", nodes, shares)


def _rack_doubts(where: str, nodes: Sequence[Node], shares: dict[str, float]) -> Iterator[str]:
    owners = [node for node in nodes if node.tokens]
    for node in nodes:
        if not node.tokens:
            yield f"{where}: node {node.name} has no token and owns nothing"
        elif shares[node.name] * len(owners) > _UNEVEN:
            yield (
                f"{where}: node {node.name} owns {_percent(shares[node.name])} %, "
                f"far above an even share of {_percent(1 / len(owners))} %; check the rack's tokens"
            )
