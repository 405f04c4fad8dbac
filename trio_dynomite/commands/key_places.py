"""What a request does to each key that it names, by the key specifications of Valkey's command table.

A specification finds some keys by their places (https://valkey.io/topics/key-specs) and says what is done to
them; which ones really are keys of the request is known to its row. Flags that depend on other arguments are
settled here as `setGetKeys` and `bitfieldGetKeys` in Redis's `db.c` do it.
"""

from collections.abc import Sequence
from typing import Any

from trio_dynomite.commands.numkeys import keys_after
from trio_dynomite.commands.reference import key_specs
from trio_dynomite.commands.row import Row

_SET_READS = ["RW", "access", "update"]
_SET_WRITES = ["OW", "update"]
_BITFIELD_READS = ["RO", "access"]
_BITFIELD_WRITES = ["RW", "access", "update"]
_BITFIELD_OPERANDS = {b"GET": 2, b"OVERFLOW": 1}
"""Operands of the operations that only read."""


def has_keys(row: Row) -> bool:
    """May a request of `row` name keys? Channels, which stand in the table like keys, are none."""
    return any("not_key" not in spec["flags"] for spec in key_specs(row.name))


def keys_with_flags(row: Row, args: list[bytes]) -> list[tuple[bytes, list[str]]]:
    """Each key of the request `args` and what is done to it: RO, RW, OW, RM, access, update…"""
    named = row.keys(args)
    found: list[tuple[bytes, list[str]]] = []
    unplaced: list[str] = []
    for spec in key_specs(row.name):
        flags = _settled(row.name, spec["flags"], args)
        if spec["begin_search"]["type"] == "unknown":
            unplaced = flags
        found += [(key, flags) for key in _placed(spec, args) if key in named]
    return found + [(key, unplaced) for key in named[len(found) :]]


def _placed(spec: dict[str, Any], args: list[bytes]) -> Sequence[bytes]:
    """The keys that one specification finds."""
    first = _first(spec["begin_search"], args)
    find = spec["find_keys"]
    if first is None or find["type"] == "unknown":
        return ()
    places = find["spec"]
    if find["type"] == "keynum":
        return keys_after(first + places["keynumidx"], places["keystep"])(args)
    last = first + places["lastkey"]
    if places["lastkey"] < 0:
        # With a limit of two, the keys are half of what follows: XREAD STREAMS key key id id.
        last = len(args) + places["lastkey"]
        if places["limit"] > 1:
            last = first + (len(args) - first) // places["limit"] + places["lastkey"]
    return args[first : last + 1 : places["keystep"]]


def _first(begin: dict[str, Any], args: list[bytes]) -> int | None:
    """Where the search for keys begins; None: nowhere."""
    match begin["type"]:
        case "index":
            place: int = begin["spec"]["index"]
            return place
        case "keyword":
            word = begin["spec"]["keyword"].encode()
            places = range(begin["spec"]["startfrom"], len(args))
            return next((place + 1 for place in places if args[place].upper() == word), None)
    return None


def _settled(name: str, flags: list[str], args: list[bytes]) -> list[str]:
    if "variable_flags" not in flags:
        return flags
    if name == "set":
        return _SET_READS if any(argument.upper() == b"GET" for argument in args[3:]) else _SET_WRITES
    if name == "bitfield":
        return _BITFIELD_READS if _bitfield_reads(args) else _BITFIELD_WRITES
    return [flag for flag in flags if flag != "variable_flags"]


def _bitfield_reads(args: list[bytes]) -> bool:
    """Does this BITFIELD consist of complete operations that only read?"""
    position = 2
    while position < len(args):
        operands = _BITFIELD_OPERANDS.get(args[position].upper())
        if operands is None or position + operands >= len(args):
            return False
        position += 1 + operands
    return True
