"""The gate before every command: has the session logged in, and may its user do this?

Source: `processCommand` in Valkey's `server.c`; SORT's patterns: `sort.c`.
"""

from collections.abc import Iterator

from trio_dynomite.access.denial import Denial, Reason
from trio_dynomite.access.user import User
from trio_dynomite.access.users import Users
from trio_dynomite.commands.row import Row

_STRANGERS_ARGUMENTS = 10
_STRANGERS_BYTES = 16384
_WORDS_OF_SORT = {b"ASC": 1, b"DESC": 1, b"ALPHA": 1, b"LIMIT": 3, b"STORE": 2, b"BY": 2, b"GET": 2}
"""How many words an option of SORT is long."""


def too_much(count: int, size: int) -> str | None:
    """The protocol error of whoever has not logged in and sends, or announces, so many arguments or one of so
    many bytes: strangers cost little memory."""
    if count > _STRANGERS_ARGUMENTS:
        return "unauthenticated multibulk length"
    return "unauthenticated bulk length" if size > _STRANGERS_BYTES else None


def must_log_in(users: Users, user: User, row: Row | None) -> bool:
    """Is this refused before anything else is looked at? `row` is None when there is no such command.

    The default user may have been opened since the session began; who is no stranger stays what they are."""
    if user is not users.stranger or users.is_open:
        return False
    return row is None or "no_auth" not in row.flags


def denial(users: Users, user: User, row: Row, args: list[bytes]) -> Denial | None:
    """Why `user` may not make a request, or None. Its number of arguments must be right."""
    if user is users.stranger and users.is_open:
        user = users.default
    return user.denial(row, args) or _refused_pattern(user, row, args)


def _refused_pattern(user: User, row: Row, args: list[bytes]) -> Denial | None:
    """SORT finds keys by patterns, which no request names: whoever uses them must be allowed to read all."""
    if row.name not in ("sort", "sort_ro") or user.may_read_every_key(row, args):
        return None
    for option, value in _options_of_sort(args):
        if option == b"GET" or (option == b"BY" and b"*" in value):
            return Denial(Reason.PATTERN, user.name, row.name, option)
    return None


def _options_of_sort(args: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    at = 2
    while at < len(args):
        option = args[at].upper()
        size = _WORDS_OF_SORT.get(option)
        if size is None or at + size > len(args):
            return
        yield option, args[at + size - 1]
        at += size
