"""Guards: what stands in the way of a command before it runs, in the order in which Redis looks.

Only commands that take the long way come here: those of a session, or of a node, in some mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import find
from trio_dynomite.errors import TooMuchInputError
from trio_dynomite.protocol.replies import QUEUED, error
from trio_dynomite.server.modes import GATED, MONITORING, MULTI, SUBSCRIBED
from trio_dynomite.server.permission import must_log_in
from trio_dynomite.server.transaction import AT_ONCE, discard

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
    if modes & MULTI and "no_multi" in row.flags:
        return refuse(session, row, f"ERR Command '{row.name}' not allowed inside a transaction")
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
    if modes & MONITORING and row.flags & {"readonly", "write"}:
        return refuse(session, row, "ERR Replica can't interact with the keyspace")
    if modes & MULTI and row.name not in AT_ONCE:
        return _queue(session, row, args)
    return None


def _queue(session: Session, row: Row, args: list[bytes]) -> bytes:
    transaction = session.transaction
    assert transaction is not None
    if len(transaction.requests) >= session.server.settings.limits.multibulk:
        return refuse(session, row, "ERR too many commands in a transaction (limits.multibulk)")
    transaction.add(row, args)
    limit = session.server.limits.unfinished
    if transaction.size > limit:
        discard(session)
        session.is_closing = True
        session.server.too_much_input += 1
        return refuse(session, row, f"ERR {TooMuchInputError(limit)}")
    return QUEUED


def refuse_malformed(session: Session, args: list[bytes], text: str) -> bytes:
    """The error for a request that is no command, or has a wrong number of arguments. Only who has logged in
    is told even that."""
    row = find(args)
    if session.modes & GATED:
        text = must_log_in(session, row, args) or text
    return refuse(session, row, text)


def refuse(session: Session, row: Row | None, text: str) -> bytes:
    """The error with which a request is refused before it runs. In a transaction, EXEC will refuse all."""
    if row is not None and row.name == "exec":
        discard(session)
        text = "EXECABORT Transaction discarded because of: " + text.removeprefix("ERR ")
    elif session.transaction is not None:
        session.transaction.is_dirty = True
    session.server.tallies.rejected(None if row is None else row.name, text)
    return error(text)
