"""CLIENT PAUSE: this node's clients wait for a while, all of them or those that would write.

It holds back what clients ask of this node. Other nodes go on, and so does what they do with the keys here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.server.modes import PAUSED

if TYPE_CHECKING:
    from trio_dynomite.server.paced import Paced
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

_MAY_WRITE = frozenset(["publish", "spublish", "pfcount"])
"""Commands that are no writes by their flags, and that replicas may have to hear of in Redis."""


@define(eq=False)
class Pause:
    """The pause of one node."""

    server: Server
    until_s: float = 0.0
    """Monotonic time."""
    is_for_all: bool = False
    """Else for writes only."""
    held: dict[Paced, None] = field(factory=dict)
    """Those that have something to ask and wait."""

    def begin(self, seconds: float, *, is_for_all: bool) -> None:
        """Pause, at least so long and at least so strictly as is wanted now."""
        is_on = self.is_on
        self.until_s = max(self.until_s, self.server.engine.mono_s + seconds)
        self.is_for_all = is_for_all or (is_on and self.is_for_all)
        self.server.modes |= PAUSED

    @property
    def is_on(self) -> bool:
        """Is there a pause?"""
        return bool(self.server.modes & PAUSED)

    def end(self) -> None:
        """Let everybody go on."""
        self.until_s = 0.0
        self.server.modes &= ~PAUSED
        held, self.held = self.held, {}
        for session in held:
            self.server.engine.soon(session.go_on)

    def tick(self) -> None:
        """End the pause when its time has come."""
        if self.is_on and self.server.engine.mono_s >= self.until_s:
            self.end()

    def holds(self, session: Session, row: Row, args: list[bytes]) -> bool:
        """Must `session` wait before it runs a command?"""
        if not self.is_on or not (self.is_for_all or self._session_may_write(session, row, args)):
            return False
        self.held[session] = None
        return True

    def _session_may_write(self, session: Session, row: Row, args: list[bytes]) -> bool:
        if row.name == "exec" and session.transaction is not None:
            return any(self._may_write(*request) for request in session.transaction.requests)
        return self._may_write(row, args)

    def _may_write(self, row: Row, args: list[bytes]) -> bool:
        scripts = self.server.scripts
        match row.name:
            case "eval":
                return not _writes_nothing(args[1])
            case "evalsha":
                return not _writes_nothing(scripts.scripts.source(args[1]) or b"")
            case "fcall":
                function = scripts.libraries.function(args[1])
                return function is None or "no-writes" not in function.flags
        return row.write or row.name in _MAY_WRITE


def _writes_nothing(source: bytes) -> bool:
    """Does a script say in its first line that it has the flag no-writes?"""
    return source[:2] == b"#!" and b"no-writes" in source.partition(b"\n")[0]
