"""SLOWLOG, and COMMANDLOG, which is Valkey's newer name for it (https://valkey.io/commands/slowlog-get).

Of COMMANDLOG's three kinds the slow ones are kept; large requests and replies are not logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import OK, array, bulk, bulk_array, integer
from trio_dynomite.server.answers.answer import Answer, help_answer

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session
    from trio_dynomite.server.slowlog import SlowEntry, SlowLog

_SLOWLOG_HELP = (
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
)
_COMMANDLOG_HELP = (
    "GET <count> <type>",
    "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
    "    Entries are made of:",
    "    id, timestamp,",
    "        time in microseconds for type of slow,",
    "        or size in bytes for type of large-request,",
    "        or size in bytes for type of large-reply",
    "    arguments array, client IP and port,",
    "    client name",
    "LEN <type>",
    "    Return the length of the specified type of commandlog.",
    "RESET <type>",
    "    Reset the specified type of commandlog.",
)
_COUNT_DEFAULT = 10
_KINDS = frozenset([b"slow", b"large-request", b"large-reply"])


def slowlog_get(session: Session, args: list[bytes]) -> bytes:
    """SLOWLOG GET [count]."""
    if len(args) > 3:
        raise CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{quoted(args[1])}'. Try SLOWLOG HELP."
        )
    return _entries(session.server.slowlog, _count(args[2]) if len(args) == 3 else _COUNT_DEFAULT)


def slowlog_len(session: Session, args: list[bytes]) -> bytes:
    """SLOWLOG LEN."""
    return integer(len(session.server.slowlog.entries))


def slowlog_reset(session: Session, args: list[bytes]) -> bytes:
    """SLOWLOG RESET."""
    session.server.slowlog.entries.clear()
    return OK


def commandlog_get(session: Session, args: list[bytes]) -> bytes:
    """COMMANDLOG GET count type."""
    count = _count(args[2])
    return _entries(session.server.slowlog, count) if _is_slow(args[3]) else array([])


def commandlog_len(session: Session, args: list[bytes]) -> bytes:
    """COMMANDLOG LEN type."""
    return slowlog_len(session, args) if _is_slow(args[2]) else integer(0)


def commandlog_reset(session: Session, args: list[bytes]) -> bytes:
    """COMMANDLOG RESET type."""
    return slowlog_reset(session, args) if _is_slow(args[2]) else OK


def _is_slow(word: bytes) -> bool:
    if word.lower() not in _KINDS:
        raise CommandError("ERR type should be one of the following: slow, large-request, large-reply")
    return word.lower() == b"slow"


def _count(word: bytes) -> int:
    number = parse_int64(word)
    if number is None or number < -1:
        raise CommandError("ERR count should be greater than or equal to -1")
    return number


def _entries(log: SlowLog, count: int) -> bytes:
    wanted = len(log.entries) if count < 0 else count
    return array([_entry(entry) for entry in islice(log.entries, wanted)])


def _entry(entry: SlowEntry) -> bytes:
    fields = (integer(entry.number), integer(entry.time_s), integer(entry.usec), bulk_array(entry.args))
    return array([*fields, bulk(entry.address.encode()), bulk(entry.name)])


ANSWERS: Mapping[str, Answer] = {
    "slowlog|get": slowlog_get,
    "slowlog|help": help_answer("SLOWLOG", _SLOWLOG_HELP),
    "slowlog|len": slowlog_len,
    "slowlog|reset": slowlog_reset,
    "commandlog|get": commandlog_get,
    "commandlog|help": help_answer("COMMANDLOG", _COMMANDLOG_HELP),
    "commandlog|len": commandlog_len,
    "commandlog|reset": commandlog_reset,
}
