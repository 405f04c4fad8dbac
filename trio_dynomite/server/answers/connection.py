"""The connection itself: PING, HELLO, AUTH, SELECT, RESET and Dynomite's consistency level of a connection.

Nobody has a password here: the user is `default`, who like Redis's `nopass` user may come with any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.refusals import DB_OUT_OF_RANGE, SYNTAX, quoted, wrong_arity
from trio_dynomite.errors import CommandError
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import EMPTY_ARRAY, OK, PONG, bulk, integer, mapping
from trio_dynomite.server.answers.answer import REDIS_VERSION, Answer, is_cluster, ok

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_NO_PASSWORD = (
    "ERR AUTH <password> called without any password configured for the default user."
    " Are you sure your configuration is correct?"
)
_WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled."
_BAD_NAME = "cannot contain spaces, newlines or special characters."


def ping(session: Session, args: list[bytes]) -> bytes:
    """PING [message]."""
    if len(args) > 2:
        raise CommandError(wrong_arity("ping"))
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
    session.levels_chosen = False
    session.read_level, session.write_level = session.server.read_level, session.server.write_level
    return b"+RESET\r\n"


def select(session: Session, args: list[bytes]) -> bytes:
    """SELECT 0. There is one database, as in Redis Cluster and in Dynomite."""
    if integer_argument(args[1]) != 0:
        raise CommandError(DB_OUT_OF_RANGE)
    return OK


def hello(session: Session, args: list[bytes]) -> bytes:
    """HELLO [2|3 [AUTH user password] [SETNAME name]]. Nothing changes when any part is refused."""
    resp = _protocol(args[1]) if len(args) > 1 else session.resp
    name = _hello_options(args)
    session.resp = resp
    if name is not None:
        session.name = name
    return _introduction(session)


def _protocol(word: bytes) -> int:
    version = parse_int64(word)
    if version is None:
        raise CommandError("ERR Protocol version is not an integer or out of range")
    if version not in (2, 3):
        raise CommandError("NOPROTO unsupported protocol version")
    return version


def _hello_options(args: list[bytes]) -> bytes | None:
    """The name that SETNAME gives, if any."""
    name = None
    rest: Iterator[bytes] = iter(args[2:])
    left = len(args) - 2
    for word in rest:
        left -= 1
        if word.upper() == b"AUTH" and left >= 2:
            _authenticate(next(rest), next(rest))
            left -= 2
        elif word.upper() == b"SETNAME" and left >= 1:
            name = checked_name(next(rest), "Client names")
            left -= 1
        else:
            raise CommandError(f"ERR Syntax error in HELLO option '{quoted(word)}'")
    return name


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


def checked_name(name: bytes, what: str) -> bytes:
    """`name`, if it may stand in a line of CLIENT LIST. Raises CommandError, naming it `what`."""
    if any(not 33 <= byte <= 126 for byte in name):
        raise CommandError(f"ERR {what} {_BAD_NAME}")
    return name


def auth(session: Session, args: list[bytes]) -> bytes:
    """AUTH [user] password."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    if len(args) == 2:
        raise CommandError(_NO_PASSWORD)
    _authenticate(args[1], args[2])
    return OK


def _authenticate(user: bytes, password: bytes) -> None:
    if user != b"default":
        raise CommandError(_WRONG_PASSWORD)


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
    "hello": hello,
    "auth": auth,
    "dyno_config:conn_consistency": consistency,
    # Any node serves any key, so there is nothing to switch.
    "readonly": ok,
    "readwrite": ok,
    "asking": ok,
}
