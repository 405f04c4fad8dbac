"""The command table: every command this server knows, by name.

`TABLE.get(args[0]) or find(args)` is how a request finds its row: the table holds each plain command in
lower and upper case, and not the containers (OBJECT, CLIENT, CONFIG…), whose row depends on the second
argument; `find` knows those, and any mixture of cases.
"""

from collections.abc import Mapping
from types import MappingProxyType

from trio_dynomite.commands.key_rows import GENERIC_ROWS, STRING_ROWS
from trio_dynomite.commands.refusals import quoted, wrong_arity
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.session_rows import KEYSPACE_ROWS, SESSION_ROWS
from trio_dynomite.errors import CommandError

_ALL = (*STRING_ROWS, *GENERIC_ROWS, *KEYSPACE_ROWS, *SESSION_ROWS)
_SHOWN_MAX = 128


def _subcommands() -> dict[str, dict[bytes, Row]]:
    children: dict[str, dict[bytes, Row]] = {}
    for row in _ALL:
        parent, bar, child = row.name.partition("|")
        if bar:
            children.setdefault(parent, {})[child.encode()] = row
    return children


ROWS: Mapping[bytes, Row] = MappingProxyType({row.name.encode(): row for row in _ALL if "|" not in row.name})
"""The commands and containers by lower-case name, as COMMAND lists them."""

SUBCOMMANDS: Mapping[str, Mapping[bytes, Row]] = MappingProxyType(_subcommands())
"""Of each container its subcommands, by lower-case name without the container's."""

TABLE: Mapping[bytes, Row] = {
    spelling: row
    for name, row in ROWS.items()
    if row.name not in SUBCOMMANDS
    for spelling in (name, name.upper())
}
"""The commands without subcommands, in lower and upper case. A plain dict, for it is on the hot path."""


def find(args: list[bytes]) -> Row | None:
    """The row of the request `args`, or None when there is no such command or subcommand.

    A container alone gives its own row, whose arity refuses the request (or not: COMMAND).
    """
    row = ROWS.get(args[0].lower())
    if row is None or len(args) == 1 or row.name not in SUBCOMMANDS:
        return row
    return SUBCOMMANDS[row.name].get(args[1].lower())


def named(name: bytes) -> Row | None:
    """The row called `name` in any case; of a subcommand `parent|child`."""
    parent, bar, child = name.lower().partition(b"|")
    if not bar:
        return ROWS.get(parent)
    return SUBCOMMANDS.get(parent.decode("utf-8", "replace"), {}).get(child)


def lookup(args: list[bytes]) -> Row:
    """The row of the request `args`.

    Raises:
        CommandError: no such command or subcommand, or a wrong number of arguments; Redis's words.
    """
    row = TABLE.get(args[0]) or find(args)
    if row is None:
        raise CommandError(unknown(args))
    if not row.takes(len(args)):
        raise CommandError(wrong_arity(row.name))
    return row


def unknown(args: list[bytes]) -> str:
    """The refusal of a request that `find` does not find."""
    if args[0].lower() in ROWS:
        return f"ERR unknown subcommand '{quoted(args[1])}'. Try {quoted(args[0]).upper()} HELP."
    shown, size = "", 0
    for argument in args[1:]:
        if size >= _SHOWN_MAX:
            break
        piece = f"'{quoted(argument, _SHOWN_MAX - size)}' "
        shown += piece
        size += len(piece.encode())
    return f"ERR unknown command '{quoted(args[0])}', with args beginning with: {shown}"
