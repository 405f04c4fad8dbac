"""A shelf on disk: the containers of one body, whose keys begin with the body's number.

    "B", slot (2 bytes), number (6 bytes), a letter for the container, …

Numbers are given once, so nothing of a body that went is ever mistaken for a part of another.
"""

from collections.abc import Iterable
from typing import Any

from trio_dynomite.storage.rocksdb.cells import DiskCells
from trio_dynomite.storage.rocksdb.codec import score_in, sortable, unsigned, unsigned_in
from trio_dynomite.storage.rocksdb.disk import Area, Disk
from trio_dynomite.storage.rocksdb.entries import DiskEntries
from trio_dynomite.storage.rocksdb.groups import DiskGroups
from trio_dynomite.storage.rocksdb.order import DiskOrder
from trio_dynomite.storage.rocksdb.sequence import DiskSequence

BODIES = b"B"
SHELF_BYTES = len(BODIES) + 2 + 6
"""So many bytes of a key tell which body it belongs to."""
_CELLS, _SCORES, _DEADLINES, _ELEMENTS, _ENTRIES, _GROUPS = b"c", b"s", b"d", b"l", b"e", b"g"
_CODECS = {"scores": (_SCORES, sortable, score_in), "deadlines": (_DEADLINES, unsigned, unsigned_in)}


def bodies_of(slot: int) -> bytes:
    """What the keys of all bodies in a slot begin with."""
    return BODIES + slot.to_bytes(2)


class DiskShelf:
    """`shelf.Shelf` on a disk, for one body."""

    is_ordered = True

    def __init__(
        self,
        disk: Disk,
        slot: int,
        number: int,
        owner: bytes,
        sizes: dict[str, int],
        fronts: dict[str, bytes] | None = None,
    ) -> None:
        self._disk = disk
        self.prefix = bodies_of(slot) + number.to_bytes(6)
        """What all its keys begin with."""
        self.number = number
        self.owner = owner
        """The key of the record's header."""
        self.sizes = sizes
        """How much is on the shelf already, by container."""
        self._fronts = fronts or {}
        """Where the orders and the entries on it begin."""
        self.due_ms = 0
        """Under which time its record stands in the calendar; 0: it does not."""
        self._groups: DiskGroups | None = None

    def cells(self) -> DiskCells:
        """The map of cells."""
        return DiskCells(self._area(_CELLS), self.sizes.get("cells", 0))

    def order(self, name: str, values: Iterable[Any]) -> DiskOrder:
        """The order `name`, with `values` in it if it is new."""
        letter, encode, decode = _CODECS[name]
        front = self._fronts.get(name, b"")
        order = DiskOrder(self._area(letter), self.sizes.get(name, 0), encode, decode, front)
        for value in values:
            order.add(value)
        return order

    def sequence(self) -> DiskSequence:
        """The sequence."""
        ends = [self.sizes[end] for end in ("head", "tail") if end in self.sizes]
        return DiskSequence(self._area(_ELEMENTS), *ends)

    def slice(self, sequence: Any, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1 of a sequence, which has so many."""
        elements: list[bytes] = sequence.slice(start, stop)
        return elements

    def entries(self) -> DiskEntries:
        """The entries of a stream."""
        return DiskEntries(
            self._area(_ENTRIES), self.sizes.get("entries", 0), self._fronts.get("entries", b"")
        )

    @property
    def groups(self) -> DiskGroups:
        """The consumer groups of a stream."""
        if self._groups is None:
            self._groups = DiskGroups(self._area(_GROUPS))
        return self._groups

    def _area(self, letter: bytes) -> Area:
        return self._disk.area(self.prefix + letter)
