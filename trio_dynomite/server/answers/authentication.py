"""AUTH, and HELLO, which may contain it.

Source: `authCommand` in Valkey's `acl.c`, `helloCommand` in `networking.c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.access.users import DEFAULT
from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, OK, bulk, integer, mapping
from trio_dynomite.server.answers.answer import REDIS_VERSION, Answer, is_cluster
from trio_dynomite.server.answers.connection import checked_name
from trio_dynomite.server.permission import log_in

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_NO_PASSWORD = (
    "ERR AUTH <password> called without any password configured for the default user."
    " Are you sure your configuration is correct?"
)
_WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled."
_LOG_IN_FIRST = (
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH"
    " <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the"
    " same time"
)


def auth(session: Session, args: list[bytes]) -> bytes:
    """AUTH [user] password."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    if len(args) == 2 and session.server.users.default.needs_no_password:
        raise CommandError(_NO_PASSWORD)
    name = args[1] if len(args) == 3 else DEFAULT
    if not log_in(session, name, args[-1], args[0]):
        raise CommandError(_WRONG_PASSWORD)
    return OK


@define
class _Greeting:
    """What HELLO asks for."""

    login: tuple[bytes, bytes] | None = None
    """User and password."""
    name: bytes | None = None


def hello(session: Session, args: list[bytes]) -> bytes:
    """HELLO [2|3 [AUTH user password] [SETNAME name]]. Nothing changes when any part is refused."""
    resp = _protocol(args[1]) if len(args) > 1 else session.resp
    greeting = _greeting(args)
    if greeting.login is not None and not log_in(session, *greeting.login, args[0]):
        raise CommandError(_WRONG_PASSWORD)
    if session.user is session.server.users.stranger:
        raise CommandError(_LOG_IN_FIRST)
    session.resp = resp
    if greeting.name is not None:
        session.name = greeting.name
    return _introduction(session)


def _protocol(word: bytes) -> int:
    version = parse_int64(word)
    if version is None:
        raise CommandError("ERR Protocol version is not an integer or out of range")
    if version not in (2, 3):
        raise CommandError("NOPROTO unsupported protocol version")
    return version


def _greeting(args: list[bytes]) -> _Greeting:
    greeting, at = _Greeting(), 2
    while at < len(args):
        word, left = args[at].upper(), len(args) - at - 1
        if word == b"AUTH" and left >= 2:
            greeting.login = (args[at + 1], args[at + 2])
            at += 3
        elif word == b"SETNAME" and left >= 1:
            greeting.name = checked_name(args[at + 1], "Client names")
            at += 2
        else:
            raise CommandError(f"ERR Syntax error in HELLO option '{quoted(args[at])}'")
    return greeting


def _introduction(session: Session) -> bytes:
    server = session.server
    mode = b"cluster" if is_cluster(server) else b"standalone"
    pairs = [
        (b"server", bulk(b"redis")),
        (b"version", bulk(REDIS_VERSION.encode())),
        (b"proto", integer(session.resp)),
        (b"id", integer(session.id)),
        (b"mode", bulk(mode)),
        (b"role", bulk(b"master")),
        (b"modules", EMPTY_ARRAY),
        (b"availability_zone", bulk(server.engine.node.rack.encode())),
    ]
    return mapping([(bulk(key), value) for key, value in pairs], session.resp)


ANSWERS: Mapping[str, Answer] = {"auth": auth, "hello": hello}
