"""The filters of CLIENT LIST and CLIENT KILL: ID, ADDR, TYPE, USER, FLAGS, NAME and more, and their NOT-s.

All that are given must hold. Source: `parseClientFiltersOrReply` in Valkey's `networking.c`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.server.answers.answer import yes_or_no
from trio_dynomite.server.client_line import FLAGS, flags
from trio_dynomite.server.modes import SUBSCRIBED

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

Filter = Callable[["Session"], bool]

_TYPES = frozenset([b"normal", b"master", b"primary", b"replica", b"slave", b"pubsub"])
_CAPABILITIES = frozenset(b"r")


def parse_filters(me: Session, words: list[bytes], *, skip_me: bool) -> Filter:
    """The sessions that `words` of `me` mean; `skip_me`: not itself, unless the words say so.

    Raises CommandError with Valkey's words.
    """
    filters: list[Filter] = []
    at = 0
    while at < len(words):
        option, values = words[at].upper(), _values(words, at)
        make = _MAKERS.get(option.removeprefix(b"NOT-"))
        if option == b"SKIPME" and values:
            skip_me = yes_or_no(values[0], b"yes", b"no")
        elif make is None or not values or (option[:4] == b"NOT-" and option[4:] in _WITHOUT_NOT):
            raise CommandError(SYNTAX)
        else:
            keeps = make(me, values)
            filters.append(_negated(keeps) if option[:4] == b"NOT-" else keeps)
        at += 1 + len(values)
    if skip_me:
        filters.append(lambda session: session is not me)
    return lambda session: all([keeps(session) for keeps in filters])


def _negated(keeps: Filter) -> Filter:
    return lambda session: not keeps(session)


def _values(words: list[bytes], at: int) -> list[bytes]:
    """What belongs to the option at `at`: of ID every number that follows, else one word."""
    if words[at].upper() not in (b"ID", b"NOT-ID"):
        return words[at + 1 : at + 2]
    end = at + 2
    while end < len(words) and parse_int64(words[end]) is not None:
        end += 1
    return words[at + 1 : end]


def _by_id(me: Session, values: list[bytes]) -> Filter:
    ids = {parse_int64(value) for value in values}
    if None in ids:
        raise CommandError(SYNTAX)
    if any(number is not None and number < 1 for number in ids):
        raise CommandError("ERR client-id should be greater than 0")
    return lambda session: session.id in ids


def _by_type(me: Session, values: list[bytes]) -> Filter:
    """Peers have a port of their own, so that every client is a normal one or a subscriber."""
    kind = values[0].lower()
    if kind not in _TYPES:
        raise CommandError(f"ERR Unknown client type '{quoted(values[0])}'")
    return lambda session: kind == (b"pubsub" if session.modes & SUBSCRIBED else b"normal")


def _by_user(me: Session, values: list[bytes]) -> Filter:
    if me.server.users.find(values[0]) is None:
        raise CommandError(f"ERR No such user '{quoted(values[0])}'")
    return lambda session: session.user.name == values[0]


def _by_flags(me: Session, values: list[bytes]) -> Filter:
    wanted = set(quoted(values[0]))
    if not wanted <= FLAGS:
        raise CommandError(f"ERR Unknown flags found in the provided filter: {quoted(values[0])}")
    return lambda session: wanted <= set(flags(session))


def _by_capability(me: Session, values: list[bytes]) -> Filter:
    if not set(values[0]) <= _CAPABILITIES:
        raise CommandError(f"ERR Unknown capa found in the provided filter: {quoted(values[0])}")
    return lambda session: set(values[0]) <= set(session.capabilities)


def _by_database(me: Session, values: list[bytes]) -> Filter:
    number = parse_int64(values[0])
    if number is None:
        raise CommandError("ERR DB is not an integer or out of range")
    if number != 0:
        raise CommandError("ERR DB number should be between 0 and 0")
    return lambda session: True


def _seconds(value: bytes, what: str) -> int:
    seconds = parse_int64(value)
    if seconds is None:
        raise CommandError(f"ERR {what} is not an integer or out of range")
    if seconds <= 0:
        raise CommandError(f"ERR {what} should be greater than 0")
    return seconds


def _by_age(me: Session, values: list[bytes]) -> Filter:
    born_s = me.server.engine.mono_s - _seconds(values[0], "maxage")
    return lambda session: session.created_s <= born_s


def _by_idleness(me: Session, values: list[bytes]) -> Filter:
    last_s = me.server.engine.mono_s - _seconds(values[0], "idle")
    return lambda session: session.last_active_s <= last_s


def _by(attribute: Callable[[Session], bytes]) -> Callable[[Session, list[bytes]], Filter]:
    return lambda me, values: lambda session: attribute(session) == values[0]


_MAKERS: dict[bytes, Callable[[Session, list[bytes]], Filter]] = {
    b"ADDR": _by(lambda session: session.address.encode()),
    b"CAPA": _by_capability,
    b"DB": _by_database,
    b"FLAGS": _by_flags,
    b"ID": _by_id,
    b"IDLE": _by_idleness,
    b"IP": _by(lambda session: session.address.rpartition(":")[0].encode()),
    b"LADDR": _by(lambda session: session.local_address.encode()),
    b"LIB-NAME": _by(lambda session: session.library),
    b"LIB-VER": _by(lambda session: session.library_version),
    b"MAXAGE": _by_age,
    b"NAME": _by(lambda session: session.name),
    b"TYPE": _by_type,
    b"USER": _by_user,
}
_WITHOUT_NOT = frozenset([b"MAXAGE", b"IDLE"])
