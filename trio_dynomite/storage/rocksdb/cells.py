"""Cells on disk: element → cell, each under a key of its own, in the order of the elements' places.

    prefix, place (6 bytes), element → cell

A write touches one key, whatever the size of the map. A page is a stretch of keys. The cells that were looked
at last stay decoded, since a command reads a cell, joins it, and reads it again to count.
"""

from collections.abc import Callable, Iterator

from trio_dynomite.data.buckets import PLACE_MASK, place
from trio_dynomite.data.record import Record
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record
from trio_dynomite.storage.rocksdb.disk import Area

_PLACE_BYTES = 6
_RECENT_MAX = 32
_STRETCH = 8
"""Elements in a stretch of places, on average."""
_STRETCH_MAX = 40
"""No stretch has more: with 8 on average, one in 10**14 would."""
_TRIES = 1000


class DiskCells:
    """`shelf.CellMap` on a disk."""

    __slots__ = ("_area", "_prefix", "_recent", "size")

    def __init__(self, area: Area, size: int) -> None:
        self._area, self._prefix = area, area.prefix
        self.size = size
        """How many there are."""
        self._recent: dict[bytes, Record | None] = {}

    def __len__(self) -> int:
        return self.size

    def _key(self, element: bytes) -> bytes:
        return self._prefix + place(element).to_bytes(_PLACE_BYTES) + element

    def get(self, element: bytes) -> Record | None:
        """The cell of `element`."""
        try:
            return self._recent[element]
        except KeyError:
            data = self._area.get(self._key(element))
            cell = None if data is None else decode_record(data)
            self._remember(element, cell)
            return cell

    def __setitem__(self, element: bytes, cell: Record) -> None:
        if self.get(element) is None:
            self.size += 1
        self._area.put(self._key(element), encode_record(cell))
        self._remember(element, cell)

    def __delitem__(self, element: bytes) -> None:
        if self.get(element) is None:
            raise KeyError(element)
        self.size -= 1
        self._area.put(self._key(element), None)
        self._remember(element, None)

    def _remember(self, element: bytes, cell: Record | None) -> None:
        if len(self._recent) >= _RECENT_MAX:
            self._recent.clear()
        self._recent[element] = cell

    def items(self) -> Iterator[tuple[bytes, Record]]:
        """Every element and cell, in the order of places."""
        at = len(self._prefix) + _PLACE_BYTES
        for key, data in self._area.walk():
            yield key[at:], decode_record(data)

    def page(self, cursor: int, limit: int) -> tuple[int, list[tuple[bytes, Record]]]:
        """At least `limit` elements from `cursor` on, and the place to go on from; 0: that was all."""
        head = len(self._prefix)
        at = head + _PLACE_BYTES
        found: list[tuple[bytes, Record]] = []
        before = b""
        for key, data in self._area.walk(self._prefix + cursor.to_bytes(_PLACE_BYTES)):
            if len(found) >= limit and key[head:at] != before:
                return int.from_bytes(key[head:at]), found
            before = key[head:at]
            found.append((key[at:], decode_record(data)))
        return 0, found

    def sample(self, draw: Callable[[int], int]) -> tuple[bytes, Record]:
        """An element by chance, each as likely as any other.

        The places are cut into equal stretches; a stretch is drawn, and a number below the most that one may
        have. An emptier stretch is as likely to miss as it is empty, and then all is drawn anew."""
        stretches = max(1, self.size // _STRETCH)
        at = len(self._prefix) + _PLACE_BYTES
        most = _STRETCH_MAX if stretches > 1 else self.size
        for _ in range(_TRIES):
            stretch, wanted = draw(stretches), draw(most)
            lower = self._edge(stretch * (PLACE_MASK + 1) // stretches)
            upper = self._edge((stretch + 1) * (PLACE_MASK + 1) // stretches)
            for number, (key, data) in enumerate(self._area.walk(lower, upper, first=wanted + 1)):
                if number == wanted:
                    return key[at:], decode_record(data)
        everything = list(self.items())
        return everything[draw(len(everything))]

    def _edge(self, at_place: int) -> bytes:
        return self._area.upper if at_place > PLACE_MASK else self._prefix + at_place.to_bytes(_PLACE_BYTES)

    def drop(self) -> None:
        """Delete all of them; the map is not used any more."""
        self._area.drop(self.size)
