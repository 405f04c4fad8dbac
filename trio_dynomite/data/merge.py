"""The one merge: what a replica knows that was told two things of one key, of whatever types.

Strings, lists, streams and what modules keep are **whole**: one cell, which is replaced. Hashes, sets and
sorted sets are made of **cells**. Think of a record as a reset (DEL and everything whole kill what is older),
and for each type the newest stamp of what was done to it: the type with the newest wins, the newest of every
other type raises the reset. That is a join of maxima, and so is what is done here, with the parts left out
that can never matter again: cells older than the reset, and those of a type that lost.

Of two writes that make a key different types at the same moment, the later wins as a whole.
"""

from typing import Any

from trio_dynomite.data.cells import Cells, unpack_cells
from trio_dynomite.data.opaque import OPAQUE, OpaqueBody, unpack_opaque
from trio_dynomite.data.record import (
    COUNTS,
    DEADLINE,
    EXPIRY,
    STAMP,
    VALUE,
    Record,
    has_body,
    is_from_nothing,
    is_stripped,
    join,
    made,
)
from trio_dynomite.data.sequence import LIST, ListBody, unpack_list
from trio_dynomite.data.stream import StreamBody

STREAM = "stream"


def merge(mine: Record, theirs: Record) -> Record:
    """The join of two records, one of which may have a body. Mine may be changed; theirs is given away."""
    if not made(mine) and not made(theirs):
        return _whole(mine, theirs)
    reset = max(mine[STAMP], theirs[STAMP])
    older, newer = sorted((mine, theirs), key=_claim)
    if _kind(mine) and _kind(theirs) and _kind(mine) != _kind(theirs):
        reset = max(reset, _claim(older))
    elif isinstance(mine[COUNTS], Cells) and isinstance(theirs[COUNTS], Cells):
        mine[COUNTS].merge(theirs[COUNTS], reset)
        newer = mine
    elif isinstance(older[COUNTS], Cells) and not _kind(newer) and not _has_outlived(newer, older):
        newer = older  # the other is a shell of the same, or was deleted
    value, extra = _survivor(newer, reset)
    if type(extra) is int:
        extra = max(made(mine), made(theirs))
    return _dated(mine, theirs, reset, value, extra)


def _whole(mine: Record, theirs: Record) -> Record:
    """Two whole records: joined as strings are; of two with one stamp one may have lost its body."""
    if not has_body(mine) and not has_body(theirs):
        return join(mine, theirs)
    newer = mine if (mine[STAMP], has_body(mine)) >= (theirs[STAMP], has_body(theirs)) else theirs
    return _dated(mine, theirs, newer[STAMP], newer[VALUE], newer[COUNTS])


def _has_outlived(shell: Record, other: Record) -> bool:
    """Has a collection expired with something in it that `other` lacks? Then nobody may read that either."""
    return is_stripped(shell) and made(shell) > made(other) and shell[EXPIRY] >= other[EXPIRY]


def _claim(record: Record) -> int:
    """The stamp with which a record claims its type."""
    return made(record) or (record[STAMP] if _kind(record) else 0)


def _kind(record: Record) -> str:
    """Its type; "" of one that was deleted or never was, and of an expired one whose body is gone."""
    extra = record[COUNTS]
    if extra is None:
        return record[VALUE] if type(record[VALUE]) is str else ("" if _is_gone(record) else "string")
    if type(extra) is tuple:
        return "string"
    return "" if type(extra) is int else str(extra.kind)


def _is_gone(record: Record) -> bool:
    return record[VALUE] is None and not record[DEADLINE]


def _survivor(record: Record, reset: int) -> tuple[Any, Any]:
    """(value, last place) of `record` under a reset, which may have killed all of it, or some cells."""
    extra = record[COUNTS]
    if _claim(record) < reset:
        return None, None
    if isinstance(extra, Cells) and record[STAMP] < reset:
        extra.cut(reset)
    return record[VALUE], extra


def _dated(mine: Record, theirs: Record, reset: int, value: Any, extra: Any) -> Record:
    """The record, with the newer of both expiry cells if it is not older than the reset."""
    expiry, deadline = max((mine[EXPIRY], mine[DEADLINE]), (theirs[EXPIRY], theirs[DEADLINE]))
    if expiry < reset:
        expiry = deadline = 0
    if isinstance(extra, Cells):
        value = extra.kind if extra.live else None
    return (reset, value, expiry, deadline, extra)


def winnow(theirs: Record, mine: Record, cutoff: int) -> None:
    """Take those cells out of `theirs` that `mine` has not and that are as old as the `cutoff`.

    They are dead, and the replica that told `theirs` has not forgotten them yet."""
    body, known = theirs[COUNTS], mine[COUNTS]
    if not isinstance(body, Cells) or not isinstance(known, Cells):
        return
    for element, cell in list(body.cells.items()):
        is_old = max(cell[STAMP], cell[EXPIRY]) <= cutoff and not is_from_nothing(cell)
        if is_old and known.cells.get(element) is None:
            body.forget(element, cell)


def settle(record: Record) -> Record:
    """`record` after its body was changed: it has a value as long as the body has elements."""
    stamp, value, expiry, deadline, body = record
    now = body.kind if body.live else None
    return record if now == value else (stamp, now, expiry, deadline, body)


def pack_body(body: Any) -> list[Any]:
    """A body as values that a frame can carry; the first tells its type."""
    packed = body.pack()
    return [STREAM, packed] if body.kind == STREAM else list(packed)


def unpack_body(packed: Any) -> Cells | ListBody | StreamBody | OpaqueBody:
    """The body in a frame's values, in memory."""
    kind = packed[0]
    if kind == LIST:
        return unpack_list(packed)
    if kind == STREAM:
        return StreamBody.unpack(packed[1])
    if kind == OPAQUE:
        return unpack_opaque(packed)
    return unpack_cells(packed)
