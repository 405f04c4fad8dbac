"""Effects on the elements of a hash, a set or a sorted set: CELLS, GONE, DATES and TALLY.

Each joins some cells under one stamp, and claims the record's type with it (`merge.py`). A record of another
type that is older gives way; one that is newer stays, and its reset rises to the stamp.
"""

from typing import Any

from trio_dynomite.data.cells import SET, SORTED_SET, Cells
from trio_dynomite.data.merge import merge, settle
from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    EXPIRY,
    STAMP,
    VALUE,
    Record,
    is_absent_at_cutoff,
    is_stripped,
    join,
    join_counts,
)
from trio_dynomite.data.stamp import milliseconds, unpack

CELLS, GONE, DATES, TALLY = range(7, 11)
ACTS = frozenset([CELLS, GONE, DATES, TALLY])


def apply(
    record: Record, kind: int, stamp: int, payload: Any, deadline_ms: int, cutoff: int = 0
) -> Record | None:
    """`record` after an effect on elements; the same object when it told nothing new; None at a gap.

    An element that is unknown was absent at the `cutoff`."""
    if stamp < record[STAMP]:
        return record
    if record[VALUE] is None and 0 < record[DEADLINE] <= milliseconds(stamp):
        return None  # whoever did this did not know of what has expired here, and begins anew
    body, type_ = record[COUNTS], payload[0]
    if type(body) is not Cells or body.kind != type_:
        if type(body) is int:
            return None  # it expired, and its body, which might live on, is gone
        claim = Cells(type_)
        claim.made = stamp
        record = _claimed(record, claim)
        body = record[COUNTS]
        if body is not claim:
            return record  # the other type is newer
    if not _join(body, max(record[STAMP], cutoff), kind, stamp, payload, deadline_ms):
        return None
    if stamp > body.made:
        body.made = stamp
    return settle(record)


def grow(record: Record, stamp: int, payload: Any) -> int | None:
    """Put cells that never expire into the body of `record`, the usual case: its digest until now.

    None, and nothing done, where it has no element of that type or is newer."""
    body = record[COUNTS]
    if type(body) is not Cells or not body.live or body.kind != payload[0] or stamp < record[STAMP]:
        return None
    before = body.digest
    _join(body, record[STAMP], CELLS, stamp, payload, 0)
    if stamp > body.made:
        body.made = stamp
    return before


def _claimed(record: Record, claim: Cells) -> Record:
    """`record` after something was done to elements of the type of `claim`, which has none yet."""
    stamp, value, expiry, deadline, extra = record
    if value is None and extra is None and not expiry and not deadline:
        return (stamp, None, 0, 0, claim)  # nothing was there, which needs no merge
    return merge(record, (0, None, 0, 0, claim))


def _join(body: Cells, ground: int, kind: int, stamp: int, payload: Any, deadline_ms: int) -> bool:
    """Join one effect's cells; False at a gap. An unknown element was absent at `ground`."""
    if kind == CELLS:
        if body.kind == SET:
            _put(body, payload[1:], cell(stamp, b"", deadline_ms))
        else:
            for at in range(1, len(payload), 2):
                _put(body, payload[at : at + 1], cell(stamp, payload[at + 1], deadline_ms))
    elif kind == GONE:
        _put(body, payload[1:], (stamp, None, 0, 0, None))
    elif kind == DATES:
        if any(_is_gap(body, field, stamp) for field in payload[1:]):
            return False  # before anything is changed: who reports a gap has learned nothing
        for field in payload[1:]:
            _date(body, field, stamp, deadline_ms)
    else:
        return _count(body, ground, payload)
    return True


def cell(stamp: int, value: Any, deadline_ms: int) -> Record:
    """A new cell."""
    return (stamp, value, stamp if deadline_ms else 0, deadline_ms, None)


def _put(body: Cells, elements: list[bytes], new: Record) -> None:
    """Join the cell `new` to what is known of each element."""
    stamp = new[STAMP]
    for element in elements:
        old = body.cells.get(element)
        if old is None or (old[STAMP] < stamp and old[EXPIRY] <= stamp):
            body.replace(element, old, new)
        elif old[STAMP] < stamp:
            body.replace(element, old, join(old, new))


def _is_gap(body: Cells, field: bytes, stamp: int) -> bool:
    """Is too little known of `field` to give it a deadline?"""
    old = body.cells.get(field)
    if old is None:
        return True
    is_news = stamp > old[EXPIRY] and stamp >= old[STAMP]
    return is_news and is_stripped(old)


def _date(body: Cells, field: bytes, stamp: int, deadline_ms: int) -> None:
    old = body.cells.get(field)
    if old is not None and stamp > old[EXPIRY] and stamp >= old[STAMP]:
        body.replace(field, old, (old[STAMP], old[VALUE], stamp, deadline_ms, old[COUNTS]))


def _count(body: Cells, ground: int, payload: Any) -> bool:
    element, base, origin = payload[1], unpack(payload[2]), unpack(payload[3])
    old = body.cells.get(element) or (ground, None, 0, 0, None)
    if old[STAMP] != base and not (old[STAMP] > base and is_absent_at_cutoff(old)):
        return old[STAMP] > base
    if is_stripped(old):
        return False  # it is counted on where it has not expired yet
    new = counted(body, old, origin, payload[4], payload[5])
    if new != old:
        body.put(element, new)
    return True


def counted(body: Cells, old: Record, origin: int, sequence: int, total: int) -> Record:
    """The cell with an origin's running total."""
    zero: Any = 0 if body.kind == SORTED_SET else b""
    counts = join_counts(old[COUNTS], ((origin, sequence, total),))
    return (old[STAMP], zero if old[VALUE] is None else old[VALUE], old[EXPIRY], old[DEADLINE], counts)


__all__ = ["ACTS", "CELLS", "DATES", "GONE", "TALLY", "apply", "cell", "counted", "grow"]
