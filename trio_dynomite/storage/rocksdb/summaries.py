"""Summaries: what is kept beside the records of each slot, as bytes. When they are written: `journal.py`.

They are in columns, for a turn that writes a thousand keys has as many slots:

    generation (8 bytes), how many slots, newest stamps, and slots with counts (4 each);
    of all slots: number (2), digest sum (8), and newest stamp (12; one alone is for all of them);
    of those with counts: number (2), how many records (4), of these the dead (4), those in the calendar (4),
    and 1 if the slot is withered
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct, pack, unpack_from

from attrs import frozen

from trio_dynomite.data.stamp import STAMP_BYTES

SUMMARIES = b"S"
_HEAD = Struct("<QIII")
_SUM_BYTES = 2 + 8
ROW = Struct(">QQIIII?")
"""One slot's, as the second format had it: each under a key of its own."""


@frozen
class Columns:
    """The summaries of some slots, column by column."""

    generation: int
    slots: list[int]
    sums: list[int]
    newests: list[int]
    recounted: list[int]
    """Those of the slots whose counts are told."""
    sizes: list[int]
    dead: list[int]
    volatile: list[int]
    withered: list[bool]


def packed(
    generation: int,
    slots: list[int],
    sums: list[int],
    newests: list[int],
    recounted: Sequence[int] = (),
    counts: Iterable[Iterable[int]] = (),
) -> bytes:
    """Columns as bytes; `counts` has those of `recounted`, in the order of `Columns`."""
    many, counted = len(slots), len(recounted)
    stamps = b"".join([newest.to_bytes(STAMP_BYTES) for newest in newests])
    head = (generation, many, len(newests), counted)
    data = pack(f"<QIII{many}H{many}Q", *head, *slots, *sums) + stamps
    return data + pack(_counts(counted), *recounted, *chain(*counts)) if counted else data


def unpacked(data: bytes) -> Columns:
    """What `packed` made `data` of."""
    generation, many, stamps, counted = _HEAD.unpack_from(data)
    told = unpack_from(f"<{many}H{many}Q", data, _HEAD.size)
    at = _HEAD.size + many * _SUM_BYTES
    end = at + stamps * STAMP_BYTES
    newests = [int.from_bytes(data[first : first + STAMP_BYTES]) for first in range(at, end, STAMP_BYTES)]
    counts = unpack_from(_counts(counted), data, end)
    recounted, sizes, dead, volatile, withered = [
        list(counts[first * counted : (first + 1) * counted]) for first in range(5)
    ]
    newests = newests * many if stamps == 1 else newests
    sums = (list(told[:many]), list(told[many:]), newests)
    return Columns(generation, *sums, recounted, sizes, dead, volatile, withered)


def _counts(many: int) -> str:
    return f"<{many}H{many}I{many}I{many}I{many}?"


def generation_of(data: bytes) -> int:
    """The generation in what `packed` gave."""
    generation: int = _HEAD.unpack_from(data)[0]
    return generation


def packed_rows(rows: list[tuple[int, bytes]]) -> bytes:
    """The first generation of slots whose summaries stand in rows, as the second format had them."""
    told = [(slot, *ROW.unpack(data)) for slot, data in rows]
    slots, sums, upper, lower, *counts = [list(column) for column in zip(*told, strict=True)] or [[]] * 8
    newests = [high << 32 | low for high, low in zip(upper, lower, strict=True)]
    return packed(1, slots, sums, newests, slots, counts)
