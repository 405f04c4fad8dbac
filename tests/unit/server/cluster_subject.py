"""Clients of a cluster in one process and in virtual time: sessions over the engines of a simulation."""

from typing import Any

import hiredis
from attrs import define, field

from tests.unit.server.answers_subject import Wire, decoded
from trio_dynomite.model import Level
from trio_dynomite.protocol.requests import Limits
from trio_dynomite.server.server import Server
from trio_dynomite.server.session import Session
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation


@define(eq=False)
class ClusterClient:
    """A client of one node: calling it sends a command and gives the decoded reply."""

    cluster: "Cluster"
    name: str
    session: Session
    wire: Wire

    def raw(self, *words: str | bytes) -> bytes:
        """What the client is sent until a moment after a command."""
        self.wire.sent.clear()
        self.send(*words)
        self.cluster.pass_time(0.05)
        return b"".join(self.wire.sent)

    def send(self, *words: str | bytes) -> None:
        """Send a command, and let no time pass."""
        data: bytes = hiredis.pack_command(words)  # type: ignore[arg-type,assignment]
        self.cluster.turn(self.name, lambda: self.session.received(data))

    def __call__(self, *words: str | bytes) -> Any:
        return decoded(self.raw(*words))

    def heard(self) -> bytes:
        """What it was sent since its last command."""
        self.cluster.pass_time(0.05)
        said = b"".join(self.wire.sent)
        self.wire.sent.clear()
        return said


@define(eq=False)
class Cluster:
    """Three nodes in a rack each, d1r1n1 to d1r3n1, and a server on each."""

    seed: int = 1
    simulation: Simulation = field(init=False)
    servers: dict[str, Server] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        settings = layout([1, 1, 1])
        self.simulation = Simulation(settings, self.seed)
        self.simulation.start()
        for name, node in self.simulation.nodes.items():
            self.servers[name] = Server(
                node.engine, settings, Limits(), "ab" * 20, node.wall_ms(), Level.DC_ONE, Level.DC_ONE
            )

    @property
    def names(self) -> list[str]:
        return list(self.servers)

    def client(self, name: str, level: Level = Level.DC_ONE) -> ClusterClient:
        """Somebody connects to a node."""
        wire = Wire()
        session = self.servers[name].open_session(wire, "10.0.0.9:5000", "127.0.0.1:7001")
        session.read_level = session.write_level = level
        wire.session = session
        return ClusterClient(self, name, session, wire)

    def turn(self, name: str, act: Any) -> None:
        """Do something in a turn of a node, and what follows from it."""
        server = self.servers[name]

        def act_and_end() -> None:
            act()
            server.end()

        self.simulation.nodes[name].turn(act_and_end)

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass, a millisecond at a time, so that servers see what has come."""
        for step in range(round(seconds * 1000)):
            self.simulation.run_for(0.001)
            for name, server in self.servers.items():
                if step % 50 == 0:
                    self.turn(name, server.tick)
                elif server.touched:
                    self.turn(name, lambda: None)

    def key_led_by(self, name: str, number: int = 0) -> str:
        """A key whose primary is this node."""
        engine = self.servers[name].engine
        found = [
            key
            for key in map("key:{}".format, range(200))
            if engine.leaders[engine.table.of_key(key.encode()).number] == name
        ]
        return found[number]
