"""Heads: all that a record knows but its value and its elements.

A plain string's is as a cell's (`cells.py`); any other is

    "x", the stamp, MessagePack of [value, expiry stamp, deadline, counts, made, body]

of a value that a module has just made, the server writes it

    "m", the stamp, its deadline in digits, ":", its type

`value` is None, True (the native key has it), the base of what was counted, or the name of a type; `made` is
what is left of a stripped body; and `body` is what is kept of one by difference: so that two nodes can
compare their keys, and tell when to look at them, without reading a value.
"""

from typing import Any

from attrs import frozen

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.opaque import OPAQUE, OpaqueBody
from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    STAMP,
    VALUE,
    Record,
    digest,
    has_body,
    kind,
    newest,
    text,
)
from trio_dynomite.data.sequence import LIST
from trio_dynomite.data.stamp import STAMP_BYTES
from trio_dynomite.storage.redis.cells import (
    DEAD,
    OTHER,
    decode,
    encode,
    number,
    packed,
    unpacked,
)
from trio_dynomite.storage.remote.driver import Head
from trio_dynomite.storage.rocksdb.codec import signed, signed_in

STREAM = "stream"
MODULE = b"m"
_DEAD, _MODULE = DEAD[0], MODULE[0]
_AT = 1 + STAMP_BYTES
_MADE_WEIGHT = Cells("", made=1).digest


@frozen
class Told:
    """What a head tells of a body; it stands in the body's place in a record."""

    kind: str
    made: int = 0
    live: int = 0
    due_ms: int = 0
    sum: int = 0
    dead: int = 0
    counters: tuple[int, int, int] = (0, 0, 0)
    """Of a stream: the last id, the greatest one deleted, how many were added."""

    @property
    def digest(self) -> int:
        """As the body's."""
        return self.sum + self.made * _MADE_WEIGHT


def encode_head(record: Record) -> bytes:
    """The head of a record."""
    stamp, value, expiry, deadline, extra = record
    start = stamp.to_bytes(STAMP_BYTES)
    if extra is None and not expiry:
        return start if value is not None else DEAD + start
    counts, made, body = None, None, None
    if type(extra) is tuple:
        counts = packed(extra)
        told = True if value is not None and text(record) == value else value
    else:
        told = True if type(value) is bytes else value
        if type(extra) is int:
            made = number(extra)
        elif extra is not None:
            body = _told(extra)
    return OTHER + start + encode([told, number(expiry), deadline, counts, made, body])


def _told(body: Any) -> list[Any]:
    if body.kind == LIST:
        return [LIST]
    if isinstance(body, OpaqueBody):
        return [OPAQUE]
    if body.kind == STREAM:
        return [STREAM, number(body.last_id), number(body.max_deleted_id), body.added]
    return [body.kind, number(body.made), body.live, body.due_ms, signed(body.sum), body.dead]


def decode_head(data: bytes) -> Record:
    """The record with True for a value that the native key has, and a `Told` for a body."""
    if len(data) == STAMP_BYTES:
        return (int.from_bytes(data), True, 0, 0, None)
    stamp = int.from_bytes(data[1:_AT])
    if data[0] == _DEAD:
        return (stamp, None, 0, 0, None)
    if data[0] == _MODULE:
        deadline, _, type_ = data[_AT:].partition(b":")
        dated = int(deadline)
        return (stamp, type_.decode(), stamp if dated else 0, dated, Told(OPAQUE))
    value, expiry, deadline, counts, made, body = decode(memoryview(data)[_AT:])
    extra: Any = unpacked(counts)
    if made is not None:
        extra = int.from_bytes(made)
    elif body is not None:
        extra = _untold(body)
    return (stamp, value, int.from_bytes(expiry), deadline, extra)


def _untold(body: list[Any]) -> Told:
    type_ = body[0]
    if type_ in (LIST, OPAQUE):
        return Told(type_)
    if type_ == STREAM:
        return Told(STREAM, counters=(int.from_bytes(body[1]), int.from_bytes(body[2]), body[3]))
    _, made, live, due_ms, sum_, dead = body
    return Told(type_, int.from_bytes(made), live, due_ms, signed_in(sum_), dead)


def has_elements(head: bytes) -> bool:
    """May something stand beside a key that has this head?"""
    return len(head) > _AT


def listed_head(data: bytes) -> Head:
    """What is to be known of a key without its value."""
    record = decode_head(data)
    told = record[COUNTS]
    is_body = has_body(record)
    return Head(
        digest(record),
        newest(record),
        None if record[VALUE] is None else kind(record),
        record[DEADLINE],
        told.due_ms if is_body else 0,
        is_body and told.dead > 0,
        record[STAMP],
    )
