"""A client in one line, as CLIENT LIST and INFO and the log of refusals tell it, and its flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio_dynomite.server.modes import MONITORING, MULTI, SUBSCRIBED, TRACKING

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

FLAGS = frozenset("OSMPxbtRBdcuAUreTIiEN")
"""Valkey's; several of them no client has here."""


def flags(session: Session) -> str:
    """What CLIENT LIST flags a connection with: a letter each, or N."""
    tracking = session.tracking
    is_set = {
        "O": session.modes & MONITORING,
        "P": session.modes & SUBSCRIBED,
        "x": session.modes & MULTI,
        "b": session.is_blocked,
        "t": session.modes & TRACKING,
        "R": tracking is not None and tracking.is_broken,
        "B": tracking is not None and tracking.prefixes is not None,
        "c": session.is_closing,
        "e": session.no_evict,
        "T": session.no_touch,
    }
    return "".join([letter for letter, is_true in is_set.items() if is_true]) or "N"


def client_line(session: Session) -> str:
    """One connection. Of memory it is told what is measured here, and 0 for the rest."""
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
        "capa": session.capabilities.decode(),
        "db": 0,
        "sub": len(session.subscriptions.channels),
        "psub": len(session.subscriptions.patterns),
        "ssub": len(session.subscriptions.shards),
        "multi": -1 if session.transaction is None else len(session.transaction.requests),
        "watch": len(session.watched),
        "qbuf": session.backlog_bytes,
        "qbuf-free": 0,
        "argv-mem": 0,
        "multi-mem": 0,
        "rbs": 0,
        "rbp": 0,
        "obl": 0,
        "oll": int(unsent > 0),
        "omem": unsent,
        "tot-mem": unsent + session.backlog_bytes,
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
