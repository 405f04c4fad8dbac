"""Outcomes: what the other replicas are to run, of a write that the primary's server has run.

A write that replaces a value or takes away from it is the same everywhere, and goes on as it is. What was
left to chance or to the server's clock is told as what came of it: the members that SPOP took, the id that
XADD chose.

A write that **builds** on what is there (INCR, HSET, LPUSH) would make a part of a value where a replica does
not have it. So the primary's server is asked first which of the keys are there, and a replica runs the write
only where the same ones are; else it has none of them afterwards (`storage/plain.lua` decides that).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis

from trio_dynomite.commands.row import Row
from trio_dynomite.storage.plain import FUNCTION

_REPLACES = ("setex", "psetex", "getset", "mset")
_DATES = ("expire", "pexpire", "expireat", "pexpireat", "persist", "getex")
_FIELDS = ("hdel", "hgetdel", "hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist")
_LISTS = ("lpop", "rpop", "lrem", "ltrim", "lset", "linsert", "lpushx", "rpushx")
_SETS = ("srem", "spop", "zrem", "zpopmin", "zpopmax")
_RANGES = ("zremrangebyrank", "zremrangebyscore", "zremrangebylex")
_STREAMS = ("xdel", "xtrim", "xack", "xclaim", "xautoclaim")
_AS_IT_IS = frozenset(
    ("del", "unlink", "getdel", *_REPLACES, *_DATES, *_FIELDS, *_LISTS, *_SETS, *_RANGES, *_STREAMS)
)
"""They make no key, or make it whole."""
_SET_OPTIONS = frozenset([b"EX", b"PX", b"EXAT", b"PXAT", b"GET"])
_MAY_STORE, _STORES = ("sort", "georadius", "georadiusbymember"), (b"STORE", b"STOREDIST")
_NO_ID, _NULL = b"*", (b"$-1\r\n", b"_\r\n", b"*-1\r\n")
_ID_AT_LEAST = 2
_VALUE_AT = 3
_ABSENT = b":0\r\n"
pack = hiredis.pack_command


def builds(row: Row, args: list[bytes]) -> bool:
    """Does it build on what is there?"""
    if row.name == "set":
        return not all([word.upper() in _SET_OPTIONS or word.isdigit() for word in args[_VALUE_AT:]])
    return row.name not in _AS_IT_IS


def probe(keys: Sequence[bytes]) -> bytes:
    """Requests that ask which of the keys are there, one for each."""
    return b"".join([bytes(pack((b"EXISTS", key))) for key in keys])  # type: ignore[arg-type]


def outcome(
    row: Row, args: list[bytes], reply: bytes, keys: Sequence[bytes], found: Sequence[bytes]
) -> bytes | None:
    """The encoded request for the others after a `reply` that is no error; None: there is nothing to tell.

    Of a write that builds, `keys` and the replies to their `probe`; of another, nothing."""
    run = _outcome(row, args, reply)
    if run is None:
        return None
    if keys:
        there = b"".join([b"0" if each == _ABSENT else b"1" for each in found])
        run = (b"FCALL", FUNCTION, b"%d" % len(keys), *keys, there, *run)
    return bytes(pack(tuple(run)))  # type: ignore[arg-type]


def _outcome(row: Row, args: list[bytes], reply: bytes) -> Sequence[bytes] | None:
    if row.name == "spop":
        return _after_spop(args[1], reply)
    if row.name == "xadd":
        return _after_xadd(args, reply)
    if row.name in _MAY_STORE and not any([word.upper() in _STORES for word in args]):
        return None
    return args


def _after_spop(key: bytes, reply: bytes) -> Sequence[bytes] | None:
    taken = _value(reply)
    if taken is None:
        return None
    members = [taken] if isinstance(taken, bytes) else list(taken)
    return (b"SREM", key, *members) if members else None


def _after_xadd(args: list[bytes], reply: bytes) -> Sequence[bytes] | None:
    if reply in _NULL:  # NOMKSTREAM
        return None
    at = next(at for at in range(_ID_AT_LEAST, len(args)) if _chooses_id(args[at]) or _is_id(args, at))
    return (*args[:at], _value(reply), *args[at + 1 :])


def _chooses_id(word: bytes) -> bool:
    return word == _NO_ID or (word.endswith(b"-*") and word[:-2].isdigit())


def _is_id(args: list[bytes], at: int) -> bool:
    """Is this the id that the client chose? Numbers before it belong to MAXLEN, MINID and LIMIT."""
    before = args[at - 1].upper()
    is_threshold = before in (b"MAXLEN", b"MINID", b"LIMIT", b"~", b"=")
    return args[at][:1].isdigit() and not (is_threshold and at > _ID_AT_LEAST)


def _value(reply: bytes) -> Any:
    reader = hiredis.Reader(replyError=ValueError)
    reader.feed(reply)
    return reader.gets()
