"""Summaries: what is kept beside the records of a slot, on disk, so that a start reads none of the records.

    "S", slot (2 bytes) → the digest sum (8 bytes), the newest stamp (12), how many records (4), of these the
                          dead (4), those with a deadline (4), 1 if the slot is withered

One is written with every turn that touched its slot, in the same batch as the records. So whenever a process
ends, it tells of just those records that are there.
"""

from collections.abc import Iterator
from struct import Struct

from attrs import frozen

from trio_dynomite.storage.rocksdb.disk import Area, Disk

SUMMARIES = b"S"
_LAYOUT = Struct(">QQIIII?")
pack = _LAYOUT.pack
"""(the sum below 2**64, the upper 64 bits of the stamp, its lower 32, …) → bytes"""
NAMES = [SUMMARIES + slot.to_bytes(2) for slot in range(16384 + 1)]
"""The key of each slot's, and one above all."""


@frozen
class Summary:
    """What one slot's tells."""

    slot: int
    sum: int
    newest: int
    size: int
    dead: int
    volatile: int
    is_withered: bool


def packed(sum_: int, newest: int, *counts: int) -> bytes:
    """A summary as bytes; `sum_` is below 2**64."""
    return pack(sum_, newest >> 32, newest & 0xFFFFFFFF, *counts)


def area(disk: Disk) -> Area:
    """Where all of them are."""
    return disk.area(SUMMARIES)


def summaries(disk: Disk) -> Iterator[Summary]:
    """All of them."""
    for name, data in area(disk).walk():
        sum_, upper, lower, *counts = _LAYOUT.unpack(data)
        yield Summary(int.from_bytes(name[1:]), sum_, upper << 32 | lower, *counts)
