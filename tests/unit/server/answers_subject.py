"""What the tests of the answers share: a node of three without sockets, and clients that speak to it."""

from random import Random
from typing import Any

import hiredis
from attrs import define, field

from trio_dynomite.config.settings import Cluster, NodeSettings, Settings
from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.link import Link
from trio_dynomite.peers.peer import Liveness, Peer
from trio_dynomite.protocol.requests import Limits
from trio_dynomite.server.server import Server
from trio_dynomite.server.session import Session

NOW_MS = 1_700_000_000_123


@define(eq=False)
class Wire:
    """A connection that ends in a list."""

    sent: list[bytes] = field(factory=list)
    session: Session | None = None
    closed_for: str | None = None
    unsent: int = 0

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, reason: str = "closed here") -> None:
        if self.closed_for is None:
            self.closed_for = reason
            if self.session is not None:
                self.session.closed(reason)

    def close_when_sent(self) -> None:
        self.close("all was sent")

    def hold(self, held: bool) -> None:
        """Nobody reads ahead here."""


@define(eq=False)
class Client:
    """A client: calling it sends a command and gives the decoded reply."""

    session: Session
    wire: Wire

    def raw(self, *words: str | bytes) -> bytes:
        """The encoded replies to one command; nothing when it has none."""
        self.wire.sent.clear()
        self.session.received(hiredis.pack_command(words))  # type: ignore[arg-type]
        return b"".join(self.wire.sent)

    def __call__(self, *words: str | bytes) -> Any:
        return decoded(self.raw(*words))

    def text(self, *words: str | bytes) -> str:
        """A reply that is text."""
        reply: bytes = self(*words)
        return reply.decode()

    def error(self, *words: str | bytes) -> str:
        """A reply that is an error."""
        reply = self(*words)
        assert isinstance(reply, hiredis.ReplyError), reply
        return str(reply)


def decoded(reply: bytes) -> Any:
    """The one reply that these bytes are."""
    reader = hiredis.Reader()
    reader.feed(reply)
    value = reader.gets()
    assert not reader.has_data()
    return value


@define(eq=False)
class Subject:
    """Node n1 of n1 (rack r1), n2 (r2) and n3 (r3), where each leads a third of the slots."""

    server: Server

    @property
    def engine(self) -> Engine:
        return self.server.engine

    def client(self, address: str = "10.0.0.9:5000") -> Client:
        """Somebody connects."""
        wire = Wire()
        wire.session = self.server.open_session(wire, address, "127.0.0.1:7001")
        return Client(wire.session, wire)

    def peer(self, name: str) -> Peer:
        return self.engine.roster.peers[name]

    def up(self, *names: str) -> None:
        """These peers are connected, serve, and agree with us about who leads."""
        everything = frozenset(route.number for route in self.engine.table.routes)
        for name in names:
            peer = self.peer(name)
            peer.liveness, peer.state, peer.synced = Liveness.UP, NodeState.NORMAL, True
            peer.agreed = everything
            peer.link = Link(self.engine, peer, Wire(), is_open=True, heard_s=self.engine.mono_s)
        self.engine.routes_changed()

    def down(self, *names: str) -> None:
        """These peers are found dead."""
        for name in names:
            peer = self.peer(name)
            peer.liveness, peer.link = Liveness.DOWN, None
        self.engine.routes_changed()


def make_subject(
    partitioner: str = "slots",
    hosts: tuple[str, ...] = ("127.0.0.1",) * 3,
    racks: tuple[str, ...] = ("r1", "r2", "r3"),
) -> Subject:
    """A cluster whose nodes are all up, as its first node sees it."""
    nodes = tuple(
        NodeSettings(
            name=f"n{at}",
            rack=racks[at - 1],
            host=host,
            client_port=7000 + at,
            peer_port=8000 + at,
            admin_port=9000 + at,
        )
        for at, host in enumerate(hosts, 1)
    )
    settings = Settings(cluster=Cluster(partitioner=partitioner), nodes=nodes)
    engine = build_engine(settings, "n1", NOW_MS, lambda event, **facts: None, Random(1))
    engine.begin(NOW_MS, 100.0)
    server = Server(engine, settings, Limits(), "ab" * 20, NOW_MS - 5000, Level.DC_ONE, Level.DC_ONE)
    subject = Subject(server)
    engine.set_state(NodeState.NORMAL)
    subject.up(*engine.roster.peers)
    return subject
