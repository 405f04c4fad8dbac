"""The filters of CLIENT LIST and CLIENT KILL: ID, ADDR, LADDR, TYPE, USER, SKIPME, MAXAGE.

All that are given must hold. Source: `parseClientFiltersOrReply` in Valkey's `networking.c`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.server.answers.answer import yes_or_no

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

Filter = Callable[["Session", "Session"], bool]
"""(a session, the session that asks) → is it one of those?"""

_TYPES = frozenset([b"normal", b"master", b"primary", b"replica", b"slave", b"pubsub"])


def parse_filters(words: list[bytes], *, skip_me: bool) -> Filter:
    """The sessions that `words` mean; `skip_me`: not the asking one, unless they say so.

    Raises CommandError with Valkey's words.
    """
    filters: list[Filter] = []
    at = 0
    while at < len(words):
        option, values = words[at].upper(), _values(words, at)
        if option == b"SKIPME" and values:
            skip_me = yes_or_no(values[0], b"yes", b"no")
        elif option in _MAKERS and values:
            filters.append(_MAKERS[option](values))
        else:
            raise CommandError(SYNTAX)
        at += 1 + len(values)
    if skip_me:
        filters.append(_not_me)
    return lambda session, me: all([keeps(session, me) for keeps in filters])


def _values(words: list[bytes], at: int) -> list[bytes]:
    """What belongs to the option at `at`: of ID every number that follows, else one word."""
    if words[at].upper() != b"ID":
        return words[at + 1 : at + 2]
    end = at + 2
    while end < len(words) and parse_int64(words[end]) is not None:
        end += 1
    return words[at + 1 : end]


def _not_me(session: Session, me: Session) -> bool:
    return session is not me


def _by_id(values: list[bytes]) -> Filter:
    ids = {parse_int64(value) for value in values}
    if None in ids:
        raise CommandError(SYNTAX)
    if any(number is not None and number < 1 for number in ids):
        raise CommandError("ERR client-id should be greater than 0")
    return lambda session, me: session.id in ids


def _by_address(values: list[bytes]) -> Filter:
    return lambda session, me: session.address.encode() == values[0]


def _by_local_address(values: list[bytes]) -> Filter:
    return lambda session, me: session.local_address.encode() == values[0]


def _by_type(values: list[bytes]) -> Filter:
    """Every client is a normal one: peers have a port of their own, and nobody subscribes."""
    kind = values[0].lower()
    if kind not in _TYPES:
        raise CommandError(f"ERR Unknown client type '{quoted(values[0])}'")
    return lambda session, me: kind == b"normal"


def _by_user(values: list[bytes]) -> Filter:
    def is_theirs(session: Session, me: Session) -> bool:
        if me.server.users.find(values[0]) is None:
            raise CommandError(f"ERR No such user '{quoted(values[0])}'")
        return session.user.name == values[0]

    return is_theirs


def _by_age(values: list[bytes]) -> Filter:
    seconds = parse_int64(values[0])
    if seconds is None:
        raise CommandError("ERR maxage is not an integer or out of range")
    if seconds <= 0:
        raise CommandError("ERR maxage should be greater than 0")
    return lambda session, me: session.server.engine.mono_s - session.created_s >= seconds


_MAKERS: dict[bytes, Callable[[list[bytes]], Filter]] = {
    b"ID": _by_id,
    b"ADDR": _by_address,
    b"LADDR": _by_local_address,
    b"TYPE": _by_type,
    b"USER": _by_user,
    b"MAXAGE": _by_age,
}
