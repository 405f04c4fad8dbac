"""What a key holds, as plain values that compare: seen in a replica's record, or read out of a reply.

A string is bytes, a hash a frozen set of (field, value), a set a frozen set, a sorted set a tuple of (member,
score) in order, a list a tuple, a stream a tuple of (id, fields). None is an absent key, and anything empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import hiredis

from trio_dynomite.data.cells import score_of
from trio_dynomite.data.record import COUNTS, DEADLINE, Record, has_body, is_live, kind, text
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.testing.server import looked_up

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine

READS: Mapping[str, Callable[[bytes], list[bytes]]] = MappingProxyType(
    {
        "string": lambda key: [b"GET", key],
        "hash": lambda key: [b"HGETALL", key],
        "set": lambda key: [b"SMEMBERS", key],
        "zset": lambda key: [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
        "list": lambda key: [b"LRANGE", key, b"0", b"-1"],
        "stream": lambda key: [b"XRANGE", key, b"-", b"+"],
    }
)
"""By type, the request that reads all that a key holds."""


Look = Callable[[bytes], Record]
"""The record of a key."""


def record_on(engine: Engine) -> Look:
    """What one node knows of keys, whatever it is worth there."""
    store = engine.keyspace.store
    if isinstance(store, RemoteStore):
        return lambda key: looked_up(store, key)
    return lambda key: store.get(store.slot_of(key), key)


def contents(record: Record, now_ms: int) -> Any:
    """What a reader finds in `record` at that time."""
    if not is_live(record, now_ms):
        return None
    body = record[COUNTS]
    if not has_body(record):
        return text(record)
    if kind(record) == "list":
        return tuple(body.items) or None
    if kind(record) == "stream":
        return (
            tuple([(id_text(number), body.entries.get(number)) for number in body.entries.irange()]) or None
        )
    cells = [(element, cell) for element, cell in body.items() if not 0 < cell[DEADLINE] <= now_ms]
    return _of_cells(body.kind, cells)


def _of_cells(type_: str, cells: list[tuple[bytes, Record]]) -> Any:
    if type_ == "hash":
        return frozenset([(field, text(cell)) for field, cell in cells]) or None
    if type_ == "set":
        return frozenset([member for member, _ in cells]) or None
    return in_order([(member, score_of(cell)) for member, cell in cells])


def in_order(scored: list[tuple[bytes, float]]) -> Any:
    """Members and scores as a sorted set has them."""
    return tuple(sorted(scored, key=lambda pair: (pair[1], pair[0]))) or None


def id_text(number: int) -> bytes:
    """The id of a stream's entry, as clients know it."""
    return b"%d-%d" % (number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)


def parsed(reply: bytes) -> Any:
    """An encoded reply as Python values; what is no whole reply is an error of its own."""
    reader = hiredis.Reader()
    reader.feed(reply)
    return reader.gets()


def read(type_: str, reply: Any) -> Any:
    """What a parsed reply to `READS[type_]` says that the key holds. An error stays what it is."""
    if isinstance(reply, hiredis.ReplyError):
        return f"error: {reply}"
    if type_ == "string":
        return reply
    if type_ == "set":
        return frozenset(reply) or None
    if type_ == "list":
        return tuple(reply) or None
    if type_ == "stream":
        return tuple([(id_, tuple(fields)) for id_, fields in reply]) or None
    pairs = zip(reply[::2], reply[1::2], strict=True)
    if type_ == "hash":
        return frozenset(pairs) or None
    return tuple([(member, float(score)) for member, score in pairs]) or None
