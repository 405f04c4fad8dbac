"""Replies that others have a part in: they may be there at once, or come later to a place in the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trio_dynomite.server.outbox import Outbox
    from trio_dynomite.server.place import Place
    from trio_dynomite.server.session import Session


def ask_everybody(
    session: Session, what: bytes, values: list[Any], finish: Callable[[list[Any]], bytes]
) -> bytes | None:
    """Ask every peer `what`; the reply that `finish` makes of their answers, or None when it comes later."""
    tell_all = session.server.engine.broadcasts.tell_all
    return reply_of(session, lambda done: tell_all(what, values, lambda answers: done(finish(answers))))


def reply_of(session: Session, ask: Callable[[Callable[[bytes], None]], None]) -> bytes | None:
    """The reply that `ask` hands to the function it is given, or None when it does so later."""
    at_once: list[bytes] = []
    places: list[Place] = []

    def done(reply: bytes) -> None:
        if places:
            places[0].done(reply)
        else:
            at_once.append(reply)

    ask(done)
    if at_once:
        return at_once[0]
    places.append(session.wait())
    return None


def intercept(
    session: Outbox, submit: Callable[[], bytes | None], then: Callable[[bytes], None]
) -> bytes | None:
    """Do what `submit` does for a session, but for the reply: it is handed back, or told to `then` later."""
    reply = session.apart(submit)
    if reply is not None:
        return reply
    place = session.take_back()
    place.then = then
    return place.reply
