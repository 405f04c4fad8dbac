"""Effects: what a write did, ready to be joined by every other replica.

The primary executes a command once and sends its effects. An effect is six values; the effects of a turn
stand one after another in a flat list, which is encoded once and sent to every replica:

    kind, slot, key, clock, payload, deadline_ms

`slot` is the key's, so that it is hashed once in the cluster; `clock` is the stamp without the node's id
(64 bits), which the frame tells once for all.

| kind   | payload                        | joins as                                                |
| ------ | ------------------------------ | ------------------------------------------------------- |
| PUT    | value, or None for a delete    | a whole new record under the stamp                      |
| EXPIRE | None                           | the expiry cell                                         |
| COUNT  | [base, origin, sequence, total]| that origin's total, if the cell is still under `base`  |
| PATCH  | [parent, operation, …]         | the operation, if the cell is under `parent`            |
| RECORD | the packed record              | the record                                              |
| FLUSH  | [first slot, last slot]        | kills everything older in those slots                   |

Every effect is idempotent. PUT, EXPIRE and RECORD also commute. COUNT and PATCH build on a cell: a replica
that has not got it yet reports a **gap**, and the sender answers with the whole record.
"""

from typing import Any, TypeAlias

from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    EXPIRY,
    STAMP,
    VALUE,
    Record,
    join,
    join_counts,
)
from trio_dynomite.data.stamp import NODE_BITS, pack, unpack
from trio_dynomite.errors import ProtocolError

PUT, EXPIRE, COUNT, PATCH, RECORD, FLUSH = range(6)
FIELDS = 6
"""Values per effect in a flat list."""

Flat: TypeAlias = list[Any]


def apply(
    record: Record, kind: int, stamp: int, payload: Any, deadline_ms: int, now_ms: int
) -> Record | None:
    """`record` after an effect; the same object when it told nothing new; None when there is a gap."""
    if kind == PUT:
        return _changed(record, put(stamp, payload, deadline_ms))
    if kind == EXPIRE:
        return _apply_expire(record, stamp, deadline_ms, now_ms)
    if kind == COUNT:
        return _apply_count(record, payload)
    if kind == PATCH:
        return _apply_patch(record, stamp, payload, deadline_ms)
    if kind == RECORD:
        return _changed(record, unpack_record(payload))
    raise ProtocolError(f"effect of unknown kind {kind}; is the peer newer?")


def put(stamp: int, value: bytes | None, deadline_ms: int) -> Record:
    """The record that a put or (value None) a delete makes."""
    return (stamp, value, stamp if deadline_ms else 0, deadline_ms, None)


def _changed(record: Record, other: Record) -> Record:
    joined = join(record, other)
    return record if joined == record else joined


def _apply_expire(record: Record, stamp: int, deadline_ms: int, now_ms: int) -> Record | None:
    if stamp <= record[EXPIRY] or stamp < record[STAMP]:
        return record
    if record[VALUE] is None and 0 < record[DEADLINE] <= now_ms:
        return None  # it had expired here, its value is gone, and now it lives on
    return (record[STAMP], record[VALUE], stamp, deadline_ms, record[COUNTS])


def _apply_count(record: Record, payload: Any) -> Record | None:
    base, origin, sequence, total = unpack(payload[0]), unpack(payload[1]), payload[2], payload[3]
    if record[STAMP] != base:
        return record if record[STAMP] > base else None
    return counted(record, origin, sequence, total)


def counted(record: Record, origin: int, sequence: int, total: int) -> Record:
    """`record` with an origin's running total; a total that is not news changes nothing."""
    counts = join_counts(record[COUNTS], ((origin, sequence, total),))
    if counts == record[COUNTS]:
        return record
    value = b"0" if record[VALUE] is None else record[VALUE]
    return (record[STAMP], value, record[EXPIRY], record[DEADLINE], counts)


def _apply_patch(record: Record, stamp: int, payload: Any, deadline_ms: int) -> Record | None:
    if record[STAMP] >= stamp:
        return record
    value = record[VALUE]
    if record[STAMP] != unpack(payload[0]) or record[COUNTS] is not None or value is None:
        return None
    return _changed(record, put(stamp, patched(value, payload[1:]), deadline_ms))


def patched(value: bytes, operation: Any) -> bytes:
    """`value` after a patch's operation: `append suffix` or `setrange offset piece`."""
    if operation[0] == b"append":
        return value + bytes(operation[1])
    if operation[0] == b"setrange":
        offset, piece = operation[1], operation[2]
        return value[:offset].ljust(offset, b"\0") + bytes(piece) + value[offset + len(piece) :]
    raise ProtocolError(f"patch of unknown operation {operation[0]!r}; is the peer newer?")


def pack_record(record: Record) -> list[Any]:
    """A record as values that a frame can carry."""
    stamp, value, expiry, deadline, counts = record
    packed = None if counts is None else [[pack(origin), seq, total] for origin, seq, total in counts]
    return [pack(stamp), value, pack(expiry), deadline, packed]


def unpack_record(packed: Any) -> Record:
    """The record in a frame's values."""
    stamp, value, expiry, deadline, counts = packed
    unpacked = None if counts is None else tuple([(unpack(origin), s, t) for origin, s, t in counts])
    return (unpack(stamp), value, unpack(expiry), deadline, unpacked)


def record_effect(slot: int, key: bytes, record: Record) -> Flat:
    """One effect that tells all that `record` knows."""
    return [RECORD, slot, key, max(record[STAMP], record[EXPIRY]) >> NODE_BITS, pack_record(record), 0]
