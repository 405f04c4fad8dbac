"""CLIENT: who is connected, under which name, and what a connection asks of the server.

Source: https://valkey.io/commands/client and `networking.c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.refusals import SYNTAX, quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    NULL,
    OK,
    bulk,
    integer,
    verbatim,
)
from trio_dynomite.server.answers.answer import Answer, help_answer, timeout_ms, yes_or_no
from trio_dynomite.server.answers.client_filters import parse_filters
from trio_dynomite.server.answers.client_help import CLIENT_HELP
from trio_dynomite.server.answers.connection import checked_name
from trio_dynomite.server.client_line import client_line
from trio_dynomite.server.modes import QUIET

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session


def client_id(session: Session, args: list[bytes]) -> bytes:
    """CLIENT ID."""
    return integer(session.id)


def client_info(session: Session, args: list[bytes]) -> bytes:
    """CLIENT INFO."""
    return verbatim(client_line(session).encode() + b"\n", session.resp)


def client_list(session: Session, args: list[bytes]) -> bytes:
    """CLIENT LIST [filters]."""
    wanted = parse_filters(session, args[2:], skip_me=False)
    lines = [client_line(other) + "\n" for other in _everybody(session) if wanted(other)]
    return verbatim("".join(lines).encode(), session.resp)


def client_kill(session: Session, args: list[bytes]) -> bytes:
    """CLIENT KILL address, or CLIENT KILL filters."""
    if len(args) == 3:
        if not _kill([other for other in _everybody(session) if other.address.encode() == args[2]], session):
            raise CommandError("ERR No such client")
        return OK
    wanted = parse_filters(session, args[2:], skip_me=True)
    return integer(_kill([other for other in _everybody(session) if wanted(other)], session))


def _everybody(session: Session) -> list[Session]:
    return list(session.server.sessions.values())


def _kill(victims: list[Session], killer: Session) -> int:
    for victim in victims:
        if victim is killer:
            victim.is_closing = True
        else:
            victim.pipe.close("killed by CLIENT KILL")
    return len(victims)


def client_getname(session: Session, args: list[bytes]) -> bytes:
    """CLIENT GETNAME."""
    return bulk(session.name) if session.name else NULL[session.resp]


def client_setname(session: Session, args: list[bytes]) -> bytes:
    """CLIENT SETNAME name; an empty one takes it away."""
    session.name = checked_name(args[2], "Client names")
    return OK


def client_setinfo(session: Session, args: list[bytes]) -> bytes:
    """CLIENT SETINFO LIB-NAME|LIB-VER value."""
    option = args[2].lower()
    if option == b"lib-name":
        session.library = checked_name(args[3], "lib-name")
    elif option == b"lib-ver":
        session.library_version = checked_name(args[3], "lib-ver")
    else:
        raise CommandError(f"ERR Unrecognized option '{quoted(args[2])}'")
    return OK


def client_reply(session: Session, args: list[bytes]) -> bytes:
    """CLIENT REPLY ON|OFF|SKIP. Neither OFF nor SKIP has a reply of its own."""
    match args[2].lower():
        case b"on":
            session.is_muted, session.skip_replies = False, 0
            session.modes &= ~QUIET
        case b"off":
            session.is_muted = True
            session.modes |= QUIET
        case b"skip":
            # One for the reply to SKIP itself, which the session takes away too.
            session.skip_replies = 0 if session.is_muted else 2
            session.modes |= QUIET
        case _:
            raise CommandError(SYNTAX)
    return OK


def client_no_evict(session: Session, args: list[bytes]) -> bytes:
    """CLIENT NO-EVICT ON|OFF: told by CLIENT LIST, and no client is evicted in any case."""
    session.no_evict = yes_or_no(args[2], b"on", b"off")
    return OK


def client_no_touch(session: Session, args: list[bytes]) -> bytes:
    """CLIENT NO-TOUCH ON|OFF: told by CLIENT LIST, and changes nothing about what reads do."""
    session.no_touch = yes_or_no(args[2], b"on", b"off")
    return OK


def client_capa(session: Session, args: list[bytes]) -> bytes:
    """CLIENT CAPA capability…: of those that Valkey knows, redirect, what is said is remembered."""
    if any(word.lower() == b"redirect" for word in args[2:]):
        session.capabilities = b"r"
    return OK


def client_unblock(session: Session, args: list[bytes]) -> bytes:
    """CLIENT UNBLOCK id [TIMEOUT|ERROR]: 1 when that client was blocked by its command."""
    as_error = len(args) > 3 and _is_error(args[3])
    target = session.server.sessions.get(integer_argument(args[2]))
    is_unblocked = target is not None and session.server.engine.blocking.unblock(target, as_error=as_error)
    if target is not None and is_unblocked and as_error:
        session.server.tallies.failed(target.last_command, "UNBLOCKED")
    return integer(is_unblocked)


def _is_error(word: bytes) -> bool:
    """ERROR rather than TIMEOUT? Raises CommandError when it is neither."""
    if word.lower() not in (b"timeout", b"error"):
        raise CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    return word.lower() == b"error"


def client_pause(session: Session, args: list[bytes]) -> bytes:
    """CLIENT PAUSE milliseconds [WRITE|ALL]: of this node's clients."""
    is_for_all = True
    if len(args) > 3:
        if args[3].lower() not in (b"write", b"all"):
            raise CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL")
        is_for_all = args[3].lower() == b"all"
    session.server.pause.begin(timeout_ms(args[2]) / 1000, is_for_all=is_for_all)
    return OK


def client_unpause(session: Session, args: list[bytes]) -> bytes:
    """CLIENT UNPAUSE."""
    session.server.pause.end()
    return OK


def _refusal(text: str) -> Answer:
    def answer(session: Session, args: list[bytes]) -> bytes:
        raise CommandError(text)

    return answer


ANSWERS: Mapping[str, Answer] = {
    "client|capa": client_capa,
    "client|getname": client_getname,
    "client|help": help_answer("CLIENT", CLIENT_HELP),
    "client|id": client_id,
    "client|import-source": _refusal("ERR Server is not in import mode"),
    "client|info": client_info,
    "client|kill": client_kill,
    "client|list": client_list,
    "client|no-evict": client_no_evict,
    "client|no-touch": client_no_touch,
    "client|pause": client_pause,
    "client|reply": client_reply,
    "client|setinfo": client_setinfo,
    "client|setname": client_setname,
    "client|unblock": client_unblock,
    "client|unpause": client_unpause,
}
