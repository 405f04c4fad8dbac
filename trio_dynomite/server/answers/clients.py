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
    ZERO,
    bulk,
    integer,
    verbatim,
)
from trio_dynomite.server.answers.answer import Answer, help_answer, ok, yes_or_no
from trio_dynomite.server.answers.client_filters import parse_filters
from trio_dynomite.server.answers.connection import checked_name
from trio_dynomite.server.client_line import client_line
from trio_dynomite.server.modes import QUIET

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_HELP = (
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "CAPA <option> [options...]",
    "    The client claims its some capability options.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "IMPORT-SOURCE (ON|OFF)",
    "    Refused: there is no import mode.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are those of LIST; SKIPME is yes unless given.",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|PRIMARY|REPLICA|PUBSUB)",
    "    * ID <client-id> [<client-id>...]",
    "    * ADDR <ip:port>",
    "    * LADDR <ip:port>",
    "    * USER <username>",
    "    * MAXAGE <seconds>",
    "    * SKIPME (YES|NO)",
    "NO-EVICT (ON|OFF)",
    "    Accepted: clients are never evicted.",
    "NO-TOUCH (ON|OFF)",
    "    Accepted: reads never make a key fresh.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Refused: pausing is not supported.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
)


def client_id(session: Session, args: list[bytes]) -> bytes:
    """CLIENT ID."""
    return integer(session.id)


def client_info(session: Session, args: list[bytes]) -> bytes:
    """CLIENT INFO."""
    return verbatim(client_line(session).encode() + b"\n", session.resp)


def client_list(session: Session, args: list[bytes]) -> bytes:
    """CLIENT LIST [filters]."""
    wanted = parse_filters(args[2:], skip_me=False)
    lines = [client_line(other) + "\n" for other in _everybody(session) if wanted(other, session)]
    return verbatim("".join(lines).encode(), session.resp)


def client_kill(session: Session, args: list[bytes]) -> bytes:
    """CLIENT KILL address, or CLIENT KILL filters."""
    if len(args) == 3:
        if not _kill([other for other in _everybody(session) if other.address.encode() == args[2]], session):
            raise CommandError("ERR No such client")
        return OK
    wanted = parse_filters(args[2:], skip_me=True)
    return integer(_kill([other for other in _everybody(session) if wanted(other, session)], session))


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


def client_switch(session: Session, args: list[bytes]) -> bytes:
    """CLIENT NO-EVICT and NO-TOUCH ON|OFF: no client is evicted, and reads never make a key fresh."""
    yes_or_no(args[2], b"on", b"off")
    return OK


def client_unblock(session: Session, args: list[bytes]) -> bytes:
    """CLIENT UNBLOCK id [TIMEOUT|ERROR]: no command blocks, so nobody is unblocked."""
    if len(args) > 4:
        raise CommandError(SYNTAX)
    if len(args) == 4 and args[3].lower() not in (b"timeout", b"error"):
        raise CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    integer_argument(args[2])
    return ZERO


def _refusal(text: str) -> Answer:
    def answer(session: Session, args: list[bytes]) -> bytes:
        raise CommandError(text)

    return answer


ANSWERS: Mapping[str, Answer] = {
    "client|capa": ok,
    "client|getname": client_getname,
    "client|help": help_answer("CLIENT", _HELP),
    "client|id": client_id,
    "client|import-source": _refusal("ERR Server is not in import mode"),
    "client|info": client_info,
    "client|kill": client_kill,
    "client|list": client_list,
    "client|no-evict": client_switch,
    "client|no-touch": client_switch,
    "client|pause": _refusal("ERR CLIENT PAUSE is not supported: one node cannot hold a cluster still"),
    "client|reply": client_reply,
    "client|setinfo": client_setinfo,
    "client|setname": client_setname,
    "client|unblock": client_unblock,
    "client|unpause": ok,
}
