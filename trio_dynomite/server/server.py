"""The server: the sessions of one node, and what they share."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from trio_dynomite.config import Settings
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.hub.channel import Pipe
from trio_dynomite.model import Level
from trio_dynomite.protocol.requests import Limits, RequestReader
from trio_dynomite.server.session import Session


@define(eq=False)
class Server:
    """All clients of one node."""

    engine: Engine
    settings: Settings
    limits: Limits
    run_id: str
    """40 hexadecimal digits, new at every start."""
    started_ms: int
    """Wall-clock milliseconds."""
    read_level: Level
    """Of sessions that chose none."""
    write_level: Level
    statistics: Mapping[str, object] = field(factory=dict)
    """More numbers for INFO stats, by name; read when asked."""
    sessions: dict[int, Session] = field(factory=dict)
    connections: int = 0
    """Accepted so far."""
    rejected: int = 0
    """Refused because there were too many."""
    commands: int = 0
    protocol_errors: int = 0
    touched: list[Session] = field(factory=list)
    """Sessions for which replies have come in this turn."""
    config: dict[str, bytes] = field(factory=dict)
    """What CONFIG SET was given and CONFIG GET tells."""

    def open_session(self, pipe: Pipe, address: str, local_address: str) -> Session:
        """A client has connected."""
        self.connections += 1
        now = self.engine.mono_s
        session = Session(
            self,
            pipe,
            self.connections,
            address,
            local_address,
            RequestReader(self.limits),
            now,
            self.read_level,
            self.write_level,
            last_active_s=now,
        )
        self.sessions[session.id] = session
        return session

    def end(self) -> None:
        """The turn is over: send the replies that have come."""
        while self.touched:
            touched, self.touched = self.touched, []
            for session in touched:
                session.drain()

    def forget(self, session: Session) -> None:
        """A session has ended."""
        self.sessions.pop(session.id, None)

    def set_levels(self, read: Level, write: Level) -> None:
        """Change the levels of this node's sessions, but for those whose client chose its own."""
        self.read_level, self.write_level = read, write
        for session in self.sessions.values():
            if not session.levels_chosen:
                session.read_level, session.write_level = read, write
