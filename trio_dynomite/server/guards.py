"""Guards: what stands in the way of a command before it runs, in the order in which Redis looks.

Only commands that take the long way come here: those of a session, or of a node, in some mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.commands.row import Row
from trio_dynomite.protocol.replies import error
from trio_dynomite.server.modes import GATED, SUBSCRIBED

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_SUBSCRIBING = frozenset(
    ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"]
)
ALWAYS_HEARD = _SUBSCRIBING
"""Their replies are messages, which CLIENT REPLY does not turn off."""
_WHILE_SUBSCRIBED = _SUBSCRIBING | {"ping", "quit", "reset"}


def stands_in_the_way(session: Session, row: Row, args: list[bytes], modes: int) -> bytes | None:
    """The reply to a command that is not to run now; None when it is."""
    # Access control comes first: what a client may not do, it may not queue either.
    if modes & GATED and (why := session.server.gate(session, row, args)) is not None:
        return refuse(session, row, why)
    if modes & SUBSCRIBED and session.resp == 2 and row.name not in _WHILE_SUBSCRIBED:
        return refuse(
            session,
            row,
            f"ERR Can't execute '{row.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
            " are allowed in this context",
        )
    return None


def refuse(session: Session, row: Row | None, text: str) -> bytes:
    """The error with which a request is refused before it runs."""
    session.server.tallies.rejected(None if row is None else row.name, text)
    return error(text)
