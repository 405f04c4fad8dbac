"""The node as a plain Redis: TIME, ROLE, WAIT, COMMAND, and LOLWUT for joy."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from trio_dynomite import __version__
from trio_dynomite.commands.introspection import command
from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.table import SUBCOMMANDS
from trio_dynomite.protocol.replies import EMPTY_ARRAY, ZERO, array, bulk, bulk_array, integer, verbatim
from trio_dynomite.server.answers.answer import Answer, timeout_ms
from trio_dynomite.server.answers.art import schotter, skyline
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
    """LOLWUT: the ring, and who leads which part of it; VERSION 5 or 6 and sizes: pictures of Redis's."""
    version, sizes = _which_picture(args)
    rng = Random()
    if version == 5:
        columns, across, down = _sizes(sizes, (66, 8, 12), (1000, 200, 200))
        picture, title = (
            schotter(columns, across, down, rng),
            "Georg Nees - schotter, plotter on paper, 1968.",
        )
    elif version == 6:
        columns, rows = _sizes(sizes, (80, 20), (1000, 1000))
        picture = skyline(columns, rows, rng)
        title = "Dedicated to the 8 bit game developers of past and present."
    else:
        picture, title = ring_picture(session.server.engine), "A ring has no master."
    text = f"{picture}\n\n{title} trio-dynomite ver. {__version__}\n"
    return verbatim(text.encode(), session.resp)


def _which_picture(args: list[bytes]) -> tuple[int, list[bytes]]:
    """(VERSION, or 0 when none is asked for, the words after it)."""
    if len(args) < 3 or args[1].upper() != b"VERSION":
        return 0, []
    return integer_argument(args[2]), args[3:]


def _sizes(words: list[bytes], defaults: tuple[int, ...], most: tuple[int, ...]) -> list[int]:
    asked = [integer_argument(word) for word in words[: len(defaults)]]
    wanted = [*asked, *defaults[len(asked) :]]
    return [min(max(1, size), limit) for size, limit in zip(wanted, most, strict=True)]


ANSWERS: Mapping[str, Answer] = {
    "time": time,
    "role": role,
    "wait": wait,
    "lolwut": lolwut,
    "command": answer_command,
    **{f"command|{name.decode()}": answer_command for name in SUBCOMMANDS["command"]},
}
