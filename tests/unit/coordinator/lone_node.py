"""A node alone: an engine without peers, and a way to ask it."""

from random import Random
from typing import Any

import hiredis
from attrs import define

from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import EPOCH_MS


@define(eq=False)
class Lone:
    """The engine of a cluster of one, and its clock."""

    engine: Engine
    now_s: float = 0.0
    turns: int = 0

    def turn(self) -> None:
        """A millisecond passes."""
        self.now_s += 0.001
        self.turns += 1
        self.engine.end()
        self.engine.begin(EPOCH_MS + int(self.now_s * 1000), self.now_s)

    def ask(self, *args: bytes, resp: int = 2) -> Any:
        """The decoded reply to a command."""
        found: list[bytes] = []
        client = Client(Level.DC_ONE, Level.DC_ONE, found.append, resp)
        reply = self.engine.submit(lookup(list(args)), list(args), client)
        for _ in range(1000):
            if reply is not None or found:
                break
            self.turn()
        return decoded(found[0] if reply is None else reply)


def decoded(reply: bytes) -> Any:
    """The one reply that these bytes are."""
    reader = hiredis.Reader()
    reader.feed(reply)
    value = reader.gets()
    assert not reader.has_data()
    return value


def lone_node(partitioner: str = "slots") -> Lone:
    """A node that serves."""
    engine = build_engine(
        layout([1], partitioner=partitioner), "d1r1n1", EPOCH_MS, lambda event, **facts: None, Random(1)
    )
    engine.begin(EPOCH_MS, 0.0)
    engine.set_state(NodeState.NORMAL)
    lone = Lone(engine)
    lone.turn()
    return lone
