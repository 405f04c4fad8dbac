"""MULTI, EXEC, DISCARD, WATCH, UNWATCH (https://valkey.io/topics/transactions, `multi.c`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator import several
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, is_error
from trio_dynomite.server import transaction
from trio_dynomite.server.answers.answer import Answer
from trio_dynomite.server.elements import elements
from trio_dynomite.server.later import intercept
from trio_dynomite.server.modes import MONITORED
from trio_dynomite.server.names import refuse_too_many, weight

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session


def multi(session: Session, args: list[bytes]) -> bytes:
    """MULTI."""
    transaction.begin(session)
    return OK


def exec_(session: Session, args: list[bytes]) -> bytes | None:
    """EXEC: the replies of what was queued; null when a watched key was changed since."""
    if session.transaction is None:
        raise CommandError("ERR EXEC without MULTI")
    watched = list(session.watched.items())
    queued = transaction.discard(session)
    if queued is None or queued.is_dirty:
        raise CommandError("EXECABORT Transaction discarded because of previous errors.")
    _show(session, [*queued.requests, (lookup(args), args)])
    return transaction.run(session, queued.requests, watched)


def _show(session: Session, requests: list[transaction.Request]) -> None:
    """MONITOR sees what was queued when it runs, and EXEC after it."""
    if session.server.modes & MONITORED:
        for row, args in requests:
            session.server.monitors.tell(session, row, args)


def discard(session: Session, args: list[bytes]) -> bytes:
    """DISCARD: forget what was queued and what is watched."""
    if session.transaction is None:
        raise CommandError("ERR DISCARD without MULTI")
    transaction.discard(session)
    return OK


def watch(session: Session, args: list[bytes]) -> bytes | None:
    """WATCH key [key…]: nothing more is run before their versions are known, since what is read next may not
    be older than those."""
    keys = [key for key in dict.fromkeys(args[1:]) if key not in session.watched]
    if not keys:
        return OK
    refuse_too_many(session, keys)

    def noted(reply: bytes) -> bytes:
        if is_error(reply):
            return reply
        session.watched_weight += weight(keys)
        versions = [int(version[1:]) for version in elements(reply)]
        session.watched.update(zip(keys, versions, strict=True))
        return OK

    engine = session.server.engine
    reply = intercept(
        session, lambda: several.versions(engine, keys, session), lambda reply: place.done(noted(reply))
    )
    if reply is not None:
        return noted(reply)
    place = session.stall()
    return None


def unwatch(session: Session, args: list[bytes]) -> bytes:
    """UNWATCH."""
    transaction.unwatch(session)
    return OK


ANSWERS: Mapping[str, Answer] = {
    "multi": multi,
    "exec": exec_,
    "discard": discard,
    "watch": watch,
    "unwatch": unwatch,
}
