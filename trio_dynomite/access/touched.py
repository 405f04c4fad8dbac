"""What a request touches, as far as permission is concerned: keys and how, channels, the database.

Where keys stand and what happens to them is told by the key specifications of Valkey's command table.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from trio_dynomite.commands.key_places import keys_with_flags
from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.reference import key_specs
from trio_dynomite.commands.row import Row

READ = 1
WRITE = 2

_NEEDS = {"access": READ, "insert": WRITE, "delete": WRITE, "update": WRITE}
_OF_A_DATABASE = frozenset(["keyspace", "read", "write"])
_CHANNELS = {
    "publish": slice(1, 2),
    "spublish": slice(1, 2),
    "subscribe": slice(1, None),
    "ssubscribe": slice(1, None),
    "psubscribe": slice(1, None),
}
"""Where the channels stand. Whoever may not subscribe may still unsubscribe."""


class Key(NamedTuple):
    """A key of a request."""

    name: bytes
    needs: int
    """READ, WRITE, both, or 0 for one that is only asked about: TYPE, STRLEN."""


def has_keys(row: Row) -> bool:
    """May requests of `row` have keys? Channels that clients route like keys are none."""
    return (row.first > 0 or row.keys_of is not None) and row.name not in _CHANNELS


def has_channels(row: Row) -> bool:
    """Do requests of `row` use channels?"""
    return row.name in _CHANNELS


def has_database(row: Row) -> bool:
    """Does `row` look at the data of a database?"""
    return has_keys(row) or row.name == "select" or not _OF_A_DATABASE.isdisjoint(row.categories)


def keys(row: Row, args: list[bytes]) -> list[Key]:
    """The keys of a request in their order, each with what is done to it.

    One that the specifications do not tell about needs everything."""
    return [Key(name, _needs(flags)) for name, flags in keys_with_flags(row, args)]


def needs_of_one_key(row: Row) -> int | None:
    """What requests of a row with one key in its place do to it; None of other rows, or when that depends."""
    return _needs_of_the_only_key(row.name) if row.is_plain and has_keys(row) else None


@cache
def _needs_of_the_only_key(name: str) -> int | None:
    specs = key_specs(name)
    if len(specs) != 1 or "variable_flags" in specs[0]["flags"]:
        return None
    return _needs(specs[0]["flags"])


def _needs(flags: list[str]) -> int:
    if not flags:
        return READ | WRITE
    found = 0
    for flag in flags:
        found |= _NEEDS.get(flag, 0)
    return found


def channels(row: Row, args: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The channels of a request, and whether each is a pattern."""
    place = _CHANNELS.get(row.name)
    if place is not None:
        is_pattern = row.name == "psubscribe"
        yield from [(channel, is_pattern) for channel in args[place]]


def database(row: Row, args: list[bytes]) -> bytes | None:
    """The word of a request for the one database there is; None when it needs none.

    A request that names another is refused by the command itself."""
    named = _named_databases(row.name, args)
    if named and all(parse_int64(word) == 0 for word in named):
        return named[0]
    return None if row.name in ("select", "swapdb") else args[0]


def _named_databases(name: str, args: list[bytes]) -> list[bytes]:
    match name:
        case "select":
            return args[1:2]
        case "move":
            return args[2:3]
        case "swapdb":
            return args[1:3]
        case "copy":
            return [args[at + 1] for at in range(3, len(args) - 1) if args[at].upper() == b"DB"]
    return []
