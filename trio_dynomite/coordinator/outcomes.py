"""Outcomes: what the other replicas are to run, of a write that the primary's server has run.

Most writes are the same everywhere, and go on as they are. What was left to chance or to the server's clock
is told as what came of it: the members that SPOP took, the id that XADD chose.
"""

from __future__ import annotations

from typing import Any

import hiredis

from trio_dynomite.commands.row import Row

_NO_ID, _NULL = b"*", (b"$-1\r\n", b"_\r\n", b"*-1\r\n")
_ID_AT_LEAST = 2
pack = hiredis.pack_command


def outcome(row: Row, args: list[bytes], reply: bytes) -> bytes | None:
    """The encoded request for the others after a `reply` that is no error; None: there is nothing to tell."""
    if row.name == "spop":
        return _after_spop(args[1], reply)
    if row.name == "xadd":
        return _after_xadd(args, reply)
    return bytes(pack(tuple(args)))  # type: ignore[arg-type]


def _after_spop(key: bytes, reply: bytes) -> bytes | None:
    taken = _value(reply)
    if taken is None:
        return None
    members = [taken] if isinstance(taken, bytes) else list(taken)
    return bytes(pack((b"SREM", key, *members))) if members else None  # type: ignore[arg-type]


def _after_xadd(args: list[bytes], reply: bytes) -> bytes | None:
    if reply in _NULL:  # NOMKSTREAM
        return None
    at = next(at for at in range(_ID_AT_LEAST, len(args)) if _chooses_id(args[at]) or _is_id(args, at))
    return bytes(pack((*args[:at], _value(reply), *args[at + 1 :])))


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
