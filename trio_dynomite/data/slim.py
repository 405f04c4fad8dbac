"""Slim cells: how a cell is kept in memory while it is nothing but a value under a stamp, as most are.

A tuple with a stamp of its own takes 224 bytes beside its value, one byte string 46: a letter, the stamp,
the value. What is more than that (a deadline, counts, a tombstone) stays a tuple. And a dictionary of byte
strings is nothing to the garbage collector, however many there are.
"""

from struct import Struct
from typing import Final, TypeAlias

from trio_dynomite.data.record import Record

Slim: TypeAlias = bytes | Record
"""A cell as it is kept."""

_AT: Final = 13
"""Where the value begins: one byte tells its type, twelve are the stamp."""
_SCORE: Final = 1 << 96
"""Beside the stamp: the value is a score. Else it is a byte string."""
_double = Struct(">d")


def slim(cell: Record) -> Slim:
    """`cell` as it is kept."""
    stamp, value, expiry, _, counts = cell
    if expiry or counts is not None:
        return cell
    if type(value) is bytes:
        return stamp.to_bytes(_AT, "big") + value
    if type(value) is float:
        return (stamp | _SCORE).to_bytes(_AT, "big") + _double.pack(value)
    return cell


def full(kept: Slim) -> Record:
    """The cell that is kept so."""
    if type(kept) is not bytes:
        return kept  # type: ignore[return-value]  # a tuple
    if kept[0]:
        return (int.from_bytes(kept[1:_AT], "big"), _double.unpack_from(kept, _AT)[0], 0, 0, None)
    return (int.from_bytes(kept[:_AT], "big"), kept[_AT:], 0, 0, None)
