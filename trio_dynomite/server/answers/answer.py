"""What an answer is, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import INT64_MAX, parse_int64
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, array, simple
from trio_dynomite.topology.partitioner import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server
    from trio_dynomite.server.session import Session

Answer = Callable[["Session", list[bytes]], bytes | None]
"""(session, arguments) → encoded reply; None when it took a place in the session's queue for it."""

REDIS_VERSION = "8.0.0"
"""The newest Redis all of whose commands are here, its vector sets aside. Clients choose by it what to send:
coredis refuses HPEXPIRE and HGETDEL below 7.4 and 8.0, redis-py keeps no cache below 7.4."""

CLUSTER_DISABLED = "ERR This instance has cluster support disabled"


def ok(session: Session, args: list[bytes]) -> bytes:
    """There is nothing to do."""
    return OK


def help_answer(name: str, lines: Sequence[str]) -> Answer:
    """The answer to `name` HELP; `lines` come between Redis's own first line and last two."""
    head = f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    reply = array([simple(line) for line in (head, *lines, "HELP", "    Print this help.")])
    return lambda session, args: reply


def is_cluster(server: Server) -> bool:
    """Does this server speak Redis Cluster? Only where keys are placed as its clients compute it."""
    return server.engine.table.view.partitioner.name == SLOTS


def yes_or_no(word: bytes, yes: bytes, no: bytes) -> bool:
    """Which of two words is it, in any case? Raises CommandError when it is neither."""
    word = word.lower()
    if word not in (yes, no):
        raise CommandError(SYNTAX)
    return word == yes


def number_within(value: bytes, least: int, most: int = INT64_MAX) -> int:
    """The integer between `least` and `most` that `value` spells. Raises ValueError in Redis's words."""
    number = parse_int64(value)
    if number is None:
        raise ValueError("argument couldn't be parsed into an integer")
    if not least <= number <= most:
        raise ValueError(f"argument must be between {least} and {most} inclusive")
    return number


def timeout_ms(word: bytes) -> int:
    """A timeout in milliseconds. Raises CommandError in Redis's words."""
    number = parse_int64(word)
    if number is None:
        raise CommandError("ERR timeout is not an integer or out of range")
    if number < 0:
        raise CommandError("ERR timeout is negative")
    return number
