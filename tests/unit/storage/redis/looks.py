"""What a plain client of the server sees of a key, and what it ought to see."""

from typing import Any

from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.data.cells import score_of
from trio_dynomite.data.entry_id import PART_MAX, SEQUENCE_BITS
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS, DEADLINE, VALUE, Record, has_body, text
from trio_dynomite.storage.redis.layout import cells_at, groups_at


def seen(wire: SyncConnection, key: bytes) -> Any:
    """(type, what is there, deadline)."""
    kind = wire.ask("TYPE", key).decode()
    reads: dict[str, Any] = {
        "string": lambda: wire.ask("GET", key),
        "hash": lambda: _pairs(wire.ask("HGETALL", key)),
        "set": lambda: sorted(wire.ask("SMEMBERS", key)),
        "zset": lambda: wire.ask("ZRANGE", key, 0, -1, "WITHSCORES"),
        "list": lambda: wire.ask("LRANGE", key, 0, -1),
        "stream": lambda: (wire.ask("XRANGE", key, "-", "+"), _counters(wire, key)),
        "none": lambda: None,
    }
    return kind, reads[kind](), max(0, wire.ask("PEXPIRETIME", key))


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _counters(wire: SyncConnection, key: bytes) -> Any:
    facts = wire.ask("XINFO", "STREAM", key)
    named = dict(zip(facts[::2], facts[1::2], strict=True))
    return [named[name] for name in (b"last-generated-id", b"entries-added", b"max-deleted-entry-id")]


def expected(record: Record) -> Any:
    """The same from the record."""
    if record[VALUE] is None:
        return "none", None, 0
    if isinstance(record[COUNTS], OpaqueBody):  # of a module that the server has not got
        return "none", None, 0
    if not has_body(record):
        return "string", text(record), record[DEADLINE]
    return record[VALUE], _inside(record[COUNTS]), record[DEADLINE]


def _inside(body: Any) -> Any:
    if body.kind == "hash":
        return {field: text(cell) for field, cell in body.items()}
    if body.kind == "set":
        return sorted([member for member, _ in body.items()])
    if body.kind == "zset":
        order = sorted([(score_of(cell), member) for member, cell in body.items()])
        return [word for score, member in order for word in (member, number(score))]
    if body.kind == "list":
        return list(body.items)
    entries = [[identifier(one), list(body.entries.get(one))] for one in body.entries.irange()]
    return entries, [identifier(body.last_id), body.added, identifier(body.max_deleted_id)]


def identifier(entry_id: int) -> bytes:
    return b"%d-%d" % (entry_id >> SEQUENCE_BITS, entry_id & PART_MAX)


def number(score: float) -> bytes:
    """A score as servers write it: compared as a number."""
    return repr(score).encode()


def litter(wire: SyncConnection, keys: dict[bytes, Record]) -> list[bytes]:
    """The keys of the node's own that belong to no record."""
    own = set(wire.ask("KEYS", b"\x01[cg]:*"))
    for key, record in keys.items():
        if has_body(record):
            own -= {cells_at(key), groups_at(key)}
    return sorted(own)
