"""The command table: every command this server knows, by name.

`TABLE.get(args[0]) or find(args)` is how a request finds its row: the table holds each plain command in
lower and upper case, and not the containers (OBJECT, CLIENT, CONFIG…), whose row depends on the second
argument; `find` knows those, and any mixture of cases.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from trio_dynomite.commands.acl_rows import ACL_ROWS
from trio_dynomite.commands.bit_rows import BIT_ROWS
from trio_dynomite.commands.geo_rows import GEO_ROWS
from trio_dynomite.commands.hash_rows import HASH_ROWS
from trio_dynomite.commands.hyperloglog_rows import HYPERLOGLOG_ROWS
from trio_dynomite.commands.key_rows import GENERIC_ROWS, STRING_ROWS
from trio_dynomite.commands.list_rows import LIST_ROWS
from trio_dynomite.commands.pubsub_rows import PUBSUB_ROWS
from trio_dynomite.commands.refusals import quoted, wrong_arity
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.script_rows import SCRIPT_ROWS
from trio_dynomite.commands.session_rows import KEYSPACE_ROWS, SESSION_ROWS
from trio_dynomite.commands.set_rows import SET_ROWS
from trio_dynomite.commands.sort_rows import SORT_ROWS
from trio_dynomite.commands.sorted_set_rows import SORTED_SET_ROWS
from trio_dynomite.commands.stream_rows import STREAM_ROWS
from trio_dynomite.commands.tool_rows import TOOL_ROWS
from trio_dynomite.commands.transaction_rows import TRANSACTION_ROWS
from trio_dynomite.errors import CommandError

FAMILIES: Mapping[str, tuple[Row, ...]] = {
    "strings": STRING_ROWS,
    "generic": GENERIC_ROWS,
    "hashes": HASH_ROWS,
    "sets": SET_ROWS,
    "sorted sets": SORTED_SET_ROWS,
    "geo": GEO_ROWS,
    "lists": LIST_ROWS,
    "sort": SORT_ROWS,
    "streams": STREAM_ROWS,
    "bits": BIT_ROWS,
    "hyperloglogs": HYPERLOGLOG_ROWS,
    "keyspace": KEYSPACE_ROWS,
    "scripts": SCRIPT_ROWS,
    "transactions": TRANSACTION_ROWS,
    "pubsub": PUBSUB_ROWS,
    "acl": ACL_ROWS,
    "session": SESSION_ROWS,
    "tools": TOOL_ROWS,
}
"""The rows by family, in the order of `docs/commands.md`."""

_ALL = [row for rows in FAMILIES.values() for row in rows]
_SHOWN_MAX = 128


def _subcommands() -> dict[str, dict[bytes, Row]]:
    children: dict[str, dict[bytes, Row]] = {}
    for row in _ALL:
        parent, bar, child = row.name.partition("|")
        if bar:
            children.setdefault(parent, {})[child.encode()] = row
    return children


_rows = {row.name.encode(): row for row in _ALL if "|" not in row.name}
_children = _subcommands()

ROWS: Mapping[bytes, Row] = MappingProxyType(_rows)
"""The commands and containers by lower-case name, as COMMAND lists them."""

SUBCOMMANDS: Mapping[str, Mapping[bytes, Row]] = MappingProxyType(_children)
"""Of each container its subcommands, by lower-case name without the container's."""

TABLE: Mapping[bytes, Row] = {
    spelling: row
    for name, row in ROWS.items()
    if row.name not in SUBCOMMANDS
    for spelling in (name, name.upper())
}
"""The commands without subcommands, in lower and upper case. A plain dict, for it is on the hot path."""


_learned: list[Row] = []


def learn(rows: Iterable[Row]) -> list[Row]:
    """Know these commands, too, in the place of those that were learned before; which of them are new.

    A name that the table has itself stays as it is."""
    for row in _learned:
        _rows.pop(row.name.encode(), None)
        _children.pop(row.name, None)
    own = frozenset([name.decode() for name in _rows])
    _learned[:] = [row for row in rows if row.name.partition("|")[0] not in own]
    for row in _learned:
        parent, bar, child = row.name.partition("|")
        if bar:
            _children.setdefault(parent, {})[child.encode()] = row
        else:
            _rows[row.name.encode()] = row
    return list(_learned)


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
