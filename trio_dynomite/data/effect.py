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
| WHOLE  | the packed body                | a whole new list or stream under the stamp              |
| CELLS  | [type, element, value, …]      | cells under the stamp, all with that deadline           |
| GONE   | [type, element, …]             | tombstones under the stamp                              |
| DATES  | [type, field, …]               | the fields' expiry cells                                |
| TALLY  | [type, element, base, …]       | COUNT for one element                                   |
| SAID   | an encoded request             | nothing: a server below runs it (`storage/plain.py`)    |

Every effect but SAID is idempotent. All but COUNT, PATCH and TALLY also commute. Those build on a cell: a
replica that has not got it yet reports a **gap**, and the sender answers with the whole record. What cannot
be joined exactly, because the body of an expired record is gone, is a gap as well.
"""

from typing import Any, TypeAlias

from trio_dynomite.data import elements
from trio_dynomite.data.merge import merge, pack_body, unpack_body
from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    EXPIRY,
    MARKS_ORIGIN,
    STAMP,
    VALUE,
    Record,
    has_body,
    is_absent_at_cutoff,
    is_stripped,
    join_counts,
    newest,
)
from trio_dynomite.data.stamp import NODE_BITS, pack, unpack
from trio_dynomite.errors import ProtocolError

PUT, EXPIRE, COUNT, PATCH, RECORD, FLUSH, WHOLE, CELLS, GONE, DATES, TALLY, SAID = range(12)
FIELDS = 6
"""Values per effect in a flat list."""

Flat: TypeAlias = list[Any]


def apply(
    record: Record,
    kind: int,
    stamp: int,
    payload: Any,
    deadline_ms: int,
    cutoff: int = 0,
) -> Record | None:
    """`record` after an effect; the same object when it told nothing new; None when there is a gap.

    An element that is unknown was absent at the `cutoff`. A body is changed in place."""
    if kind == PUT:
        return _changed(record, put(stamp, payload, deadline_ms))
    if kind in elements.ACTS:
        return elements.apply(record, kind, stamp, payload, deadline_ms, cutoff)
    if kind == EXPIRE:
        return _apply_expire(record, stamp, deadline_ms)
    if kind == COUNT:
        return _apply_count(record, payload)
    if kind == PATCH:
        return _apply_patch(record, stamp, payload, deadline_ms)
    if kind == RECORD:
        return _changed(record, unpack_record(payload))
    if kind == WHOLE:
        return _changed(record, whole(stamp, unpack_body(payload), deadline_ms))
    raise ProtocolError(f"effect of unknown kind {kind}; is the peer newer?")


def put(stamp: int, value: bytes | None, deadline_ms: int) -> Record:
    """The record that a put or (value None) a delete makes."""
    return (stamp, value, stamp if deadline_ms else 0, deadline_ms, None)


def whole(stamp: int, body: Any, deadline_ms: int) -> Record:
    """The record of a list or a stream that is new under `stamp`."""
    return (stamp, body.kind, stamp if deadline_ms else 0, deadline_ms, body)


def _changed(record: Record, other: Record) -> Record:
    joined = merge(record, other)
    return record if joined == record else joined


def _apply_expire(record: Record, stamp: int, deadline_ms: int) -> Record | None:
    if stamp <= record[EXPIRY] or stamp < record[STAMP]:
        return record
    if is_stripped(record):
        return None  # and now it lives on
    return (record[STAMP], record[VALUE], stamp, deadline_ms, record[COUNTS])


def _apply_count(record: Record, payload: Any) -> Record | None:
    base, origin, sequence, total = unpack(payload[0]), unpack(payload[1]), payload[2], payload[3]
    if record[STAMP] != base and not (record[STAMP] > base and is_absent_at_cutoff(record)):
        return record if record[STAMP] > base else None
    if is_stripped(record):
        return None  # it is counted on where it has not expired yet
    if origin == MARKS_ORIGIN and (record[VALUE] is None or record[STAMP] != base):
        return None  # there is nothing here that they could mark
    return counted(record, origin, sequence, total)


def counted(record: Record, origin: int, sequence: int, total: int) -> Record:
    """`record` with an origin's running total; a total that is not news changes nothing."""
    if has_body(record) or type(record[COUNTS]) is int:
        return record  # another type has won meanwhile
    counts = join_counts(record[COUNTS], ((origin, sequence, total),))
    if counts == record[COUNTS]:
        return record
    value = b"" if record[VALUE] is None else record[VALUE]
    return (record[STAMP], value, record[EXPIRY], record[DEADLINE], counts)


def _apply_patch(record: Record, stamp: int, payload: Any, deadline_ms: int) -> Record | None:
    if record[STAMP] >= stamp:
        return record
    value, body = record[VALUE], record[COUNTS]
    if record[STAMP] != unpack(payload[0]) or value is None:
        return None
    if type(value) is not str:
        if body is not None:
            return None
        return _still_dated(record, put(stamp, patched(value, payload[1:]), deadline_ms))
    if body.made:
        return None
    body.apply(payload[1:])
    return _still_dated(record, whole(stamp, body, deadline_ms))


def _still_dated(before: Record, after: Record) -> Record:
    """A patched record; a deadline that was given later than the patch, and came first, stays."""
    if before[EXPIRY] <= after[STAMP]:
        return after
    return (after[STAMP], after[VALUE], before[EXPIRY], before[DEADLINE], after[COUNTS])


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
    stamp, value, expiry, deadline, extra = record
    packed: Any = None
    if type(extra) is tuple:
        packed = [[pack(origin), seq, total] for origin, seq, total in extra]
    elif type(extra) is int:
        packed = pack(extra)
    elif extra is not None:
        packed = pack_body(extra)
    return [pack(stamp), value, pack(expiry), deadline, packed]


def unpack_record(packed: Any) -> Record:
    """The record in a frame's values."""
    stamp, value, expiry, deadline, extra = packed
    if type(extra) is bytes:
        extra = unpack(extra)
    elif extra is not None and (not extra or type(extra[0]) is list):
        extra = tuple([(unpack(origin), seq, total) for origin, seq, total in extra])
    elif extra is not None:
        extra = unpack_body(extra)
    return (unpack(stamp), value, unpack(expiry), deadline, extra)


def record_effect(slot: int, key: bytes, record: Record) -> Flat:
    """One effect that tells all that `record` knows."""
    return [RECORD, slot, key, newest(record) >> NODE_BITS, pack_record(record), 0]
