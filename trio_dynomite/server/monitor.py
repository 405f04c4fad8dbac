"""MONITOR: every command that this node's clients run, as lines to those that want to see them."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.server.modes import MONITORED, MONITORING
from trio_dynomite.server.redaction import redacted

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

_ESCAPES = {
    ord("\\"): "\\\\",
    ord('"'): '\\"',
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord("\a"): "\\a",
    ord("\b"): "\\b",
}
_SHOWN = [_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in range(256)]


def quoted_bytes(value: bytes) -> str:
    """`value` in quotes, with escapes for what cannot be printed (Redis's `sdscatrepr`)."""
    return '"' + "".join([_SHOWN[byte] for byte in value]) + '"'


@define(eq=False)
class Monitors:
    """Who monitors one node."""

    server: Server
    sessions: dict[Session, None] = field(factory=dict)

    def add(self, session: Session) -> None:
        """`session` is told every command from now on."""
        self.sessions[session] = None
        session.modes |= MONITORING
        self.server.modes |= MONITORED

    def remove(self, session: Session) -> None:
        """`session` is told no more."""
        self.sessions.pop(session, None)
        session.modes &= ~MONITORING
        if not self.sessions:
            self.server.modes &= ~MONITORED

    def tell(self, session: Session, row: Row, args: list[bytes]) -> None:
        """`session` has run a command. Those of administrators are not shown."""
        self._tell(session.address, row, args)

    def tell_script(self, row: Row, args: list[bytes]) -> None:
        """A script runs a command."""
        self._tell("lua", row, args)

    def _tell(self, who: str, row: Row, args: list[bytes]) -> None:
        if "admin" not in row.flags:
            self.tell_line(who, redacted(row.name, args))

    def tell_line(self, who: str, args: list[bytes]) -> None:
        """`who` runs this."""
        words = " ".join([quoted_bytes(word) for word in args])
        line = f"+{time():.6f} [0 {who}] {words}\r\n".encode()
        for monitor in list(self.sessions):
            monitor.push(line)
