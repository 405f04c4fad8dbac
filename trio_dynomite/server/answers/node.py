"""The node as a plain Redis: TIME, ROLE, WAIT, COMMAND, and LOLWUT for joy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite import __version__
from trio_dynomite.commands.introspection import command
from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.table import SUBCOMMANDS
from trio_dynomite.protocol.replies import EMPTY_ARRAY, ZERO, array, bulk, bulk_array, integer, verbatim
from trio_dynomite.server.answers.answer import Answer, timeout_ms
from trio_dynomite.server.answers.picture import ring_picture

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session


def time(session: Session, args: list[bytes]) -> bytes:
    """TIME: [seconds, microseconds] of the turn, whose clock counts milliseconds."""
    seconds, milliseconds = divmod(session.server.engine.now_ms, 1000)
    return bulk_array([b"%d" % seconds, b"%d" % (milliseconds * 1000)])


def role(session: Session, args: list[bytes]) -> bytes:
    """ROLE: every node is a master, and none follows another's log."""
    return array([bulk(b"master"), ZERO, EMPTY_ARRAY])


def wait(session: Session, args: list[bytes]) -> bytes:
    """WAIT replicas timeout: how many nodes of this datacenter that share copies with this one are up.

    A write is answered when its consistency level has it, so there is nothing left to wait for.
    """
    integer_argument(args[1])
    timeout_ms(args[2])
    routes = session.server.engine.table.routes
    sharing = {peer.name for route in routes if route.is_replica for peer in route.copies if peer.is_open}
    return integer(len(sharing))


def answer_command(session: Session, args: list[bytes]) -> bytes:
    """COMMAND and its subcommands."""
    return command(args, session.resp)


def lolwut(session: Session, args: list[bytes]) -> bytes:
    """LOLWUT: the ring, and who leads which part of it."""
    picture = ring_picture(session.server.engine)
    text = f"{picture}\nA ring has no master. trio-dynomite ver. {__version__}\n"
    return verbatim(text.encode(), session.resp)


ANSWERS: Mapping[str, Answer] = {
    "time": time,
    "role": role,
    "wait": wait,
    "lolwut": lolwut,
    "command": answer_command,
    **{f"command|{name.decode()}": answer_command for name in SUBCOMMANDS["command"]},
}
