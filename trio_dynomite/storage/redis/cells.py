"""A cell as it stands beside the native element, without what can be read there.

    the stamp (12 bytes)                            a value under a stamp, which the native element has
    "-", the stamp                                  a tombstone
    "x", the stamp, MessagePack of [value, expiry stamp, deadline, counts]

In the last form `value` is None where there is none, True where the native element has it, and else the value
itself: the base of what was counted, or a score that is not read back as it was written. A plain string's
record is kept by the same rule (`heads.py`).
"""

from math import copysign
from typing import Any

import msgspec

from trio_dynomite.data.cells import HASH, SORTED_SET, score_of
from trio_dynomite.data.record import COUNTS, VALUE, Count, Record, text
from trio_dynomite.data.stamp import STAMP_BYTES

FOREIGN = (1 << 32) | 1
"""The stamp of what no node has written."""
DEAD, OTHER = b"-", b"x"
_DEAD, _OTHER = DEAD[0], OTHER[0]
_AT = 1 + STAMP_BYTES
encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder().decode


def encode_cell(kind: str, cell: Record) -> bytes:
    """A cell of an element in a collection of that type."""
    stamp, value, expiry, deadline, counts = cell
    told = value if value is None or _has_own(kind, cell) else True
    if not expiry and counts is None:
        if told is True:
            return stamp.to_bytes(STAMP_BYTES)
        if value is None:
            return DEAD + stamp.to_bytes(STAMP_BYTES)
    return OTHER + stamp.to_bytes(STAMP_BYTES) + encode([told, number(expiry), deadline, packed(counts)])


def decode_cell(kind: str, data: bytes, native: bytes | None) -> Record | None:
    """The cell, with the native value; None where the server has lost it and nobody meant it to go."""
    if len(data) == STAMP_BYTES:
        if native is None:
            return None
        return (int.from_bytes(data), value_in(kind, native), 0, 0, None)
    stamp = int.from_bytes(data[1:_AT])
    if data[0] == _DEAD:
        return (stamp, None, 0, 0, None)
    told, expiry, deadline, counts = decode(memoryview(data)[_AT:])
    if told is not None and native is None:
        if not deadline:
            return None
        told = None
    if told is True and native is not None:
        told = value_in(kind, native)
    return (stamp, told, int.from_bytes(expiry), deadline, unpacked(counts))


def value_in(kind: str, native: bytes) -> Any:
    """The value of a cell in a native element."""
    return float(native) if kind == SORTED_SET else native


def native_of(kind: str, cell: Record) -> bytes:
    """What stands in the native element of a live cell: a field's value, or a score."""
    if kind == SORTED_SET:
        return repr(score_of(cell)).encode()
    return text(cell)


def _has_own(kind: str, cell: Record) -> bool:
    """Is its value another than the native element shows?"""
    value = cell[VALUE]
    if kind == HASH:
        return cell[COUNTS] is not None and text(cell) != value
    if kind == SORTED_SET:
        return cell[COUNTS] is not None or type(value) is not float or (not value and copysign(1, value) < 0)
    return False


def packed(counts: tuple[Count, ...] | None) -> list[Any] | None:
    """Counts as MessagePack takes them."""
    return None if counts is None else [[number(origin), seq, sum_] for origin, seq, sum_ in counts]


def unpacked(told: list[Any] | None) -> tuple[Count, ...] | None:
    """The counts in what `packed` gave."""
    return None if told is None else tuple([(int.from_bytes(one), seq, sum_) for one, seq, sum_ in told])


def number(value: int) -> bytes:
    """An unsigned integer of any size, short when it is small."""
    return value.to_bytes((value.bit_length() + 7) // 8)
