"""A client in one line, as CLIENT LIST, CLIENT INFO and the log of refusals tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.server.modes import MULTI, SUBSCRIBED, TRACKING

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_FLAGS = ((SUBSCRIBED, "P"), (MULTI, "x"), (TRACKING, "t"))


def client_line(session: Session) -> str:
    """One connection. No other measures of memory are kept."""
    now_s = session.server.engine.mono_s
    unsent = session.pipe.unsent
    fields = {
        "id": session.id,
        "addr": session.address,
        "laddr": session.local_address,
        "fd": getattr(session.pipe, "fd", -1),
        "name": session.name.decode(),
        "age": int(now_s - session.created_s),
        "idle": int(now_s - session.last_active_s),
        "flags": flags(session),
        "db": 0,
        "sub": len(session.subscriptions.channels),
        "psub": len(session.subscriptions.patterns),
        "ssub": len(session.subscriptions.shards),
        "multi": -1 if session.transaction is None else len(session.transaction.requests),
        "watch": len(session.watched),
        "qbuf": 0,
        "obl": 0,
        "oll": int(unsent > 0),
        "omem": unsent,
        "tot-mem": unsent,
        "events": "rw" if unsent else "r",
        "cmd": session.last_command,
        "user": session.user.name.decode("utf-8", "replace"),
        "redir": -1 if session.tracking is None else session.tracking.redirect,
        "resp": session.resp,
        "lib-name": session.library.decode(),
        "lib-ver": session.library_version.decode(),
        "tot-cmds": session.commands,
    }
    return " ".join([f"{name}={value}" for name, value in fields.items()])


def flags(session: Session) -> str:
    """What CLIENT LIST flags a connection with: a letter a mode, or N."""
    letters = [letter for mode, letter in _FLAGS if session.modes & mode]
    return "".join(letters) or "N"
