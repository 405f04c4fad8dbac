"""What the tests of peers share: two real engines and the connections between them, delivered when told."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import define, field

from trio_dynomite.commands.table import lookup
from trio_dynomite.config.settings import Settings
from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.acceptor import Acceptor
from trio_dynomite.peers.link import Link
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import EPOCH_MS

A, B = "d1r1n1", "d1r2n1"


@define(eq=False)
class Pipe:
    """One end of a connection; what is written stays until it is delivered to the other end."""

    handler: Any = None
    far: Pipe | None = None
    out: bytes = b""
    said: bytes = b""
    """All that was ever written."""
    closed_for: str | None = None
    unsent: int = 0
    room_made: int = 0

    def write(self, data: bytes) -> None:
        if self.closed_for is None:
            self.out += data
            self.said += data

    def close(self, reason: str = "closed here") -> None:
        if self.closed_for is None:
            self.closed_for = reason
            self.handler.closed(reason)

    def close_when_sent(self) -> None:
        self.deliver()
        self.close("all was sent")

    def hold(self, held: bool) -> None:
        """Nobody reads ahead here."""

    def deliver(self) -> bool:
        """Hand over what was written, and the end when there is one; was there anything?"""
        far = self.far
        assert far is not None
        data, self.out = self.out, b""
        if far.closed_for is not None:
            return False
        if data:
            far.handler.received(data)
        if self.closed_for is not None and far.closed_for is None:
            far.close("closed by the other side")
        return bool(data)


@define(eq=False)
class Wire:
    """A connection that A opened to B, or B to A."""

    near: Pipe
    """The opener's end."""
    far: Pipe
    link: Link
    acceptor: Acceptor


@define(eq=False)
class Pair:
    """Nodes A and B of a cluster of racks, and their connections."""

    engines: dict[str, Engine]
    notes: list[tuple[str, dict[str, object]]] = field(factory=list)
    wires: list[Wire] = field(factory=list)
    now_s: float = 100.0

    def turn(self, name: str, act: Callable[[], None] = lambda: None) -> None:
        """A turn of one node."""
        engine = self.engines[name]
        engine.begin(EPOCH_MS + int(self.now_s * 1000), self.now_s)
        act()
        engine.end()

    def connect(self, opener: str, other: str, settle: bool = True) -> Wire:
        """One node opens a connection to the other."""
        near, far = Pipe(), Pipe()
        near.far, far.far = far, near
        acceptor = far.handler = self.engines[other].roster.accept(far)
        engine = self.engines[opener]
        link = near.handler = engine.roster.open_link(engine.roster.peers[other], near)
        wire = Wire(near, far, link, acceptor)
        self.wires.append(wire)
        if settle:
            self.settle()
        return wire

    def settle(self) -> None:
        """Turns and deliveries until nothing more is said."""
        for _ in range(200):
            for name in self.engines:
                self.turn(name)
            said = [end.deliver() for wire in self.wires for end in (wire.near, wire.far)]
            if not any(said) and not any(engine.has_more for engine in self.engines.values()):
                return
        raise AssertionError("they never stop talking")

    def call(self, name: str, level: Level, *args: bytes) -> list[bytes]:
        """Where the reply to a command will be, once it is there."""
        found: list[bytes] = []
        client = Client(level, level, found.append)

        def submit() -> None:
            reply = self.engines[name].submit(lookup(list(args)), list(args), client)
            if reply is not None:
                found.append(reply)

        self.turn(name, submit)
        return found

    def key_led_by(self, name: str) -> bytes:
        """A key whose primary is this node."""
        engine = self.engines[name]
        keys = [b"key:%d" % at for at in range(100)]
        return next(key for key in keys if engine.leaders[engine.table.of_key(key).number] == name)

    def record(self, name: str, key: bytes) -> tuple[object, ...]:
        """What a node knows of a key."""
        store = self.engines[name].keyspace.store
        return store.get(store.slot_of(key), key)


def make_pair(settings: Settings | None = None, other: Settings | None = None) -> Pair:
    """Two nodes that have not met; the second may have been configured otherwise."""
    settings = settings or layout([1, 1])
    notes: list[tuple[str, dict[str, object]]] = []

    def log(event: str, **facts: object) -> None:
        notes.append((event, facts))

    pair = Pair(
        {
            A: build_engine(settings, A, EPOCH_MS, log, Random(1)),
            B: build_engine(other or settings, B, EPOCH_MS, log, Random(2)),
        },
        notes,
    )
    for name, engine in pair.engines.items():
        pair.turn(name, lambda engine=engine: engine.set_state(NodeState.NORMAL))  # type: ignore[misc]
    return pair


def acquainted() -> tuple[Pair, Wire, Wire]:
    """Two nodes that are connected both ways and serve."""
    pair = make_pair()
    there, back = pair.connect(A, B), pair.connect(B, A)
    for _ in range(3):
        for name, engine in pair.engines.items():
            pair.turn(name, engine.tick)
        pair.settle()
    assert all(
        route.is_ready for engine in pair.engines.values() for route in engine.table.routes if route.leads
    )
    return pair, there, back
