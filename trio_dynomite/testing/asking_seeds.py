"""A simulated node asks its seeds who is there: what the task of a real one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trio_dynomite.peers.question import Question

if TYPE_CHECKING:
    from trio_dynomite.testing.simulation import SimNode

PEER_PORT = 1
"""Of every node; their hosts are their names."""
Turn = Callable[[Callable[[], None]], None]


def ask_seeds(node: SimNode, turn: Turn) -> None:
    """Ask everybody who is to be asked and can be reached; in a turn of `node`."""
    nodes, network = node.simulation.nodes, node.simulation.network
    for address in node.engine.roster.members.to_ask([(name, PEER_PORT) for name in node.seeds]):
        other = nodes.get(address[0])
        if other is not None and other.is_up and not network.is_cut(node.name, other.name):
            _ask(node, turn, address, other)


def _ask(node: SimNode, turn: Turn, address: tuple[str, int], other: SimNode) -> None:
    near, far = node.simulation.network.pair(node.name, other.name, turn, other.life_turn())
    near.handler = question = Question(node.engine, address, near)

    def accept() -> None:
        far.handler = other.engine.roster.accept(far)

    other.turn(accept)
    question.start()
