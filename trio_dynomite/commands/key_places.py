"""Which keys a request names and what it does to each, for COMMAND GETKEYS (https://valkey.io/topics/key-specs).

A key specification says where keys begin (at an index, or after a keyword), how far they go (a range, or a
number among the arguments) and what is done to them. Of a few commands that depends on the arguments, or a
key stands in no particular place: Valkey asks a function then (`getKeysFromCommandWithSpecs` in its `db.c`),
and so do we. How a request is routed is decided by `Row.keys`, which is the same for every good request.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.reference import key_specs
from trio_dynomite.commands.row import Row

Access: TypeAlias = tuple[bytes, list[str]]
"""A key, and what is done to it: RO, RW, OW or RM, then access, update, insert, delete."""

_READ = ["RO", "access"]
_OVERWRITE = ["OW", "update"]
_UPDATE = ["RW", "access", "update"]
_TAKE = ["RW", "access", "delete"]
_SORT_WORDS = {b"LIMIT": 2, b"GET": 1, b"BY": 1}
_BITFIELD_READS = {b"GET": 2, b"OVERFLOW": 1}
_MIGRATE_WORDS = {b"AUTH": 1, b"AUTH2": 2}
_GEO_OPTIONS = 5
_MIGRATE_OPTIONS = 6


def has_keys(row: Row) -> bool:
    """May a request of `row` name keys? Channels, which stand in the table like keys, are none."""
    return bool(_specs(row.name))


def keys_with_flags(row: Row, args: list[bytes]) -> list[Access]:
    """Each key of the request `args` and what is done to it; none when the request makes no sense."""
    ask = _ASKED.get(row.name)
    if ask is not None:
        return ask(args)
    found: list[Access] = []
    for spec in _specs(row.name):
        places = _places(spec, args)
        if places is None:
            return []
        found += [(args[at], spec["flags"]) for at in places]
    return found


def _specs(name: str) -> list[dict[str, Any]]:
    return [spec for spec in key_specs(name) if "not_key" not in spec["flags"]]


def _places(spec: dict[str, Any], args: list[bytes]) -> range | None:
    """Where the keys of one specification stand; None when they are out of reach."""
    first = _first(spec["begin_search"], args)
    if first == 0:
        return range(0)
    kind, finds = spec["find_keys"]["type"], spec["find_keys"]["spec"]
    step = finds["keystep"]
    if kind == "keynum":
        number = parse_int64(args[first]) if first < len(args) else None
        first += finds["firstkey"]
        last = first + ((number or 0) - 1) * step
    elif finds["lastkey"] >= 0:
        last = first + finds["lastkey"]
    elif finds["limit"]:
        # The keys are a part of what follows: XREAD STREAMS key key id id.
        last = first + (len(args) - first) // finds["limit"] + finds["lastkey"]
    else:
        last = len(args) + finds["lastkey"]
    return range(first, last + 1, step) if first <= last < len(args) else None


def _first(begin: dict[str, Any], args: list[bytes]) -> int:
    """Where the keys begin; 0: there are none, for the keyword is missing."""
    if begin["type"] == "index":
        index: int = begin["spec"]["index"]
        return index
    keyword, start = begin["spec"]["keyword"].encode(), begin["spec"]["startfrom"]
    words = [word.upper() for word in args[start:-1]]
    return start + words.index(keyword) + 1 if keyword in words else 0


def _set(args: list[bytes]) -> list[Access]:
    reads = any(argument.upper() == b"GET" for argument in args[3:])
    return [(args[1], _UPDATE if reads else _OVERWRITE)]


def _bitfield(args: list[bytes]) -> list[Access]:
    """Complete operations that only read are a read; what cannot be understood may be anything."""
    at = 2
    while at < len(args):
        at += 1 + _BITFIELD_READS.get(args[at].upper(), len(args))
        if at > len(args):
            return [(args[1], _UPDATE)]
    return [(args[1], _READ)]


def _sort(args: list[bytes]) -> list[Access]:
    """The last STORE counts, wherever it stands."""
    target: list[Access] = []
    at = 2
    while at < len(args):
        word = args[at].upper()
        if word == b"STORE" and at + 1 < len(args):
            target = [(args[at + 1], _OVERWRITE)]
        at += 1 + _SORT_WORDS.get(word, 0)
    return [(args[1], _READ), *target]


def _sort_ro(args: list[bytes]) -> list[Access]:
    return [(args[1], _READ)]


def _georadius(args: list[bytes]) -> list[Access]:
    """The last STORE or STOREDIST counts."""
    target: list[Access] = []
    rest = iter(args[_GEO_OPTIONS:])
    for word in rest:
        if word.upper() in (b"STORE", b"STOREDIST"):
            key = next(rest, None)
            target = target if key is None else [(key, _OVERWRITE)]
    return [(args[1], _READ), *target]


def _migrate(args: list[bytes]) -> list[Access]:
    """One key, or those that follow KEYS, in front of which the one must be empty."""
    at = _MIGRATE_OPTIONS
    while at < len(args):
        word = args[at].upper()
        if word == b"KEYS":
            return [] if args[3] else [(key, _TAKE) for key in args[at + 1 :]]
        at += 1 + _MIGRATE_WORDS.get(word, 0)
    return [(args[3], _TAKE)]


_ASKED: Mapping[str, Callable[[list[bytes]], list[Access]]] = MappingProxyType(
    {
        "set": _set,
        "bitfield": _bitfield,
        "sort": _sort,
        "sort_ro": _sort_ro,
        "georadius": _georadius,
        "georadiusbymember": _georadius,
        "migrate": _migrate,
    }
)
"""The commands whose specifications do not tell everything."""
