"""The connection itself: PING, SELECT, RESET and Dynomite's consistency level of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import DB_OUT_OF_RANGE, quoted, wrong_arity
from trio_dynomite.errors import CommandError
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import OK, PONG, bulk, bulk_array
from trio_dynomite.server.answers.answer import Answer, ok
from trio_dynomite.server.modes import QUIET, SUBSCRIBED
from trio_dynomite.server.transaction import discard

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_BAD_NAME = "cannot contain spaces, newlines or special characters."


def ping(session: Session, args: list[bytes]) -> bytes:
    """PING [message]."""
    if len(args) > 2:
        raise CommandError(wrong_arity("ping"))
    if session.modes & SUBSCRIBED and session.resp == 2:
        return bulk_array([b"pong", *(args[1:] or [b""])])
    return bulk(args[1]) if len(args) == 2 else PONG


def echo(session: Session, args: list[bytes]) -> bytes:
    """ECHO message."""
    return bulk(args[1])


def quit_(session: Session, args: list[bytes]) -> bytes:
    """QUIT: the connection ends after this reply."""
    session.is_closing = True
    return OK


def reset(session: Session, args: list[bytes]) -> bytes:
    """RESET: the connection is as new, but for the library that it said it is."""
    session.resp = 2
    session.name = b""
    session.is_muted = False
    session.skip_replies = 0
    session.modes &= ~QUIET
    session.server.pubsub.forget(session)
    session.server.tracking.disable(session)
    session.server.monitors.remove(session)
    session.no_evict = session.no_touch = False
    discard(session)
    session.enter(session.server.users.newcomer())
    session.levels_chosen = False
    session.read_level, session.write_level = session.server.read_level, session.server.write_level
    return b"+RESET\r\n"


def select(session: Session, args: list[bytes]) -> bytes:
    """SELECT 0. There is one database, as in Redis Cluster and in Dynomite."""
    if integer_argument(args[1]) != 0:
        raise CommandError(DB_OUT_OF_RANGE)
    return OK


def checked_name(name: bytes, what: str) -> bytes:
    """`name`, if it may stand in a line of CLIENT LIST. Raises CommandError, naming it `what`."""
    if any(not 33 <= byte <= 126 for byte in name):
        raise CommandError(f"ERR {what} {_BAD_NAME}")
    return name


def consistency(session: Session, args: list[bytes]) -> bytes:
    """DYNO_CONFIG:CONN_CONSISTENCY level: of this connection's reads and writes (Dynomite C4)."""
    word = args[1].decode("utf-8", "replace").upper()
    if word not in Level.__members__:
        known = ", ".join(Level.__members__)
        raise CommandError(f"ERR '{quoted(args[1])}' is no consistency level; use one of {known}")
    session.read_level = session.write_level = Level[word]
    session.levels_chosen = True
    return OK


ANSWERS: Mapping[str, Answer] = {
    "ping": ping,
    "echo": echo,
    "quit": quit_,
    "reset": reset,
    "select": select,
    "dyno_config:conn_consistency": consistency,
    # Any node serves any key, so there is nothing to switch.
    "readonly": ok,
    "readwrite": ok,
    "asking": ok,
}
