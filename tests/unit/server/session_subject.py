"""What the tests of sessions share: a client whose pipe can be watched, and peers that answer when told."""

from typing import Any

import hiredis
from attrs import define, field

from tests.unit.server.answers_subject import Subject, make_subject
from trio_dynomite.model import Level
from trio_dynomite.protocol.frames import FrameReader, Kind, encode
from trio_dynomite.server.session import Session


@define(eq=False)
class Pipe:
    """A connection that can be watched."""

    sent: bytes = b""
    is_held: bool = False
    is_closing: bool = False
    closed_for: str | None = None
    unsent: int = 0
    session: Session = field(init=False)

    def write(self, data: bytes) -> None:
        assert not self.is_closing, "written after the end"
        self.sent += data

    def close(self, reason: str = "closed here") -> None:
        if self.closed_for is None:
            self.closed_for = reason
            self.session.closed(reason)

    def close_when_sent(self) -> None:
        self.is_closing = True

    def hold(self, held: bool) -> None:
        self.is_held = held

    def take(self) -> bytes:
        """What was sent since the last look."""
        sent, self.sent = self.sent, b""
        return sent


@define(eq=False)
class Stage:
    """Node n1 of three, one client, and the wires to its peers."""

    subject: Subject = field(factory=make_subject)
    pipe: Pipe = field(factory=Pipe)
    session: Session = field(init=False)
    asked: list[tuple[str, int, list[bytes]]] = field(factory=list)
    """(peer, number, arguments) of the commands that were passed on, in order."""
    effects_frames: dict[str, int] = field(factory=dict)
    """Peer → frames of effects that it was sent."""
    _readers: dict[str, FrameReader] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        engine = self.subject.engine
        for peer in engine.roster.peers.values():
            peer.vouched_s, peer.vouches, peer.synced = engine.mono_s, True, True
        engine.synced()
        self.session = self.pipe.session = self.subject.server.open_session(self.pipe, "10.0.0.9:1", "here:1")

    def key_led_by(self, name: str, number: int = 0) -> bytes:
        """A key whose primary is this node."""
        leaders = self.subject.engine.leaders
        table = self.subject.engine.table
        found = [
            key for key in map(b"key:%d".__mod__, range(200)) if leaders[table.of_key(key).number] == name
        ]
        return found[number]

    def say(self, *commands: tuple[str | bytes, ...]) -> bytes:
        """Commands in one piece; what comes back in that turn."""
        return self.raw(b"".join([hiredis.pack_command(command) for command in commands]))  # type: ignore[arg-type]

    def raw(self, data: bytes) -> bytes:
        assert not self.pipe.is_held, "read while it was held"
        self.session.received(data)
        return self.turn()

    def turn(self) -> bytes:
        """The turn ends and the next begins; what was sent meanwhile."""
        engine, server = self.subject.engine, self.subject.server
        for _ in range(2):
            engine.end()
            server.end()
            engine.end()
            self._hear()
            engine.begin(engine.now_ms, engine.mono_s)
        return self.pipe.take()

    def _hear(self) -> None:
        for name, peer in self.subject.engine.roster.peers.items():
            if peer.link is None:
                continue
            wire: Any = peer.link.pipe
            for kind, fields in self._readers.setdefault(name, FrameReader()).feed(b"".join(wire.sent)):
                if kind == Kind.RUN:
                    self.asked += [(name, number, args) for number, *_, args in fields[0]]
                elif kind == Kind.EFFECTS:
                    self.effects_frames[name] = self.effects_frames.get(name, 0) + 1
            wire.sent.clear()

    def answer(self, at: int, reply: bytes) -> bytes:
        """The peer answers the command that was asked as number `at`."""
        name, number, _ = self.asked[at]
        link = self.subject.peer(name).link
        assert link is not None
        link.received(encode(Kind.RESULTS, [[number, reply, 0]]))
        return self.turn()

    def acknowledge(self, name: str) -> bytes:
        """The peer acknowledges all effects."""
        link = self.subject.peer(name).link
        assert link is not None
        link.received(encode(Kind.ACK, self.effects_frames.get(name, 0), []))
        return self.turn()

    def is_ending(self) -> bool:
        """Was the connection told to end?"""
        return self.pipe.is_closing

    def choose(self, level: Level) -> None:
        """The client's levels."""
        self.session.read_level = self.session.write_level = level
