"""The entries of a stream on disk: id → fields and values, in the order of ids.

    prefix, id (16 bytes) → MessagePack of the fields and values

Nothing is below `_low`: a stream is trimmed at its beginning, and RocksDB would step over the deleted keys
again and again.
"""

from collections.abc import Iterator

import msgspec

from trio_dynomite.data.entry_id import decode, encode
from trio_dynomite.storage.rocksdb.disk import Area

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode
_MAX = (1 << 128) - 1


class DiskEntries:
    """The part of `sortedcontainers.SortedDict` that streams use, on a disk."""

    __slots__ = ("_area", "_low", "_prefix", "_top", "_upper", "size")

    def __init__(self, area: Area, size: int, front: bytes = b"") -> None:
        self._area, self._prefix, self._upper = area, area.prefix, area.upper
        self.size = size
        """How many there are."""
        self._low = area.prefix + front
        self._top = area.upper if size else area.prefix
        """No id is above; what is put above is new."""

    @property
    def front(self) -> bytes:
        """Nothing is below, as far as is known; the header has it."""
        return self._low[len(self._prefix) :]

    def __len__(self) -> int:
        return self.size

    def _key(self, entry_id: int) -> bytes:
        return self._prefix + encode(entry_id)

    def _id(self, key: bytes) -> int:
        return decode(key[len(self._prefix) :])

    def __contains__(self, entry_id: int) -> bool:
        return self._area.get(self._key(entry_id)) is not None

    def get(self, entry_id: int) -> tuple[bytes, ...] | None:
        """The fields and values of an entry."""
        data = self._area.get(self._key(entry_id))
        return None if data is None else _unpack(data)

    def values(self) -> Iterator[tuple[bytes, ...]]:
        """The fields and values of all entries, in the order of ids."""
        for _, data in self._area.walk(self._low):
            yield _unpack(data)

    def __setitem__(self, entry_id: int, fields: tuple[bytes, ...]) -> None:
        key = self._key(entry_id)
        if self._top == self._upper:
            self._top = self._key(self.peekitem(-1)[0]) if self.size else self._prefix
        if key > self._top or self._area.get(key) is None:
            self.size += 1
        self._top, self._low = max(self._top, key), min(self._low, key)
        self._area.put(key, _pack(fields))

    def __delitem__(self, entry_id: int) -> None:
        key = self._key(entry_id)
        if self._area.get(key) is None:
            raise KeyError(entry_id)
        self._area.put(key, None)
        self.size -= 1

    def peekitem(self, index: int) -> tuple[int, tuple[bytes, ...]]:
        """The first (0) or the last (-1) id and its fields."""
        for key, data in self._area.walk(self._low, self._upper, reverse=index < 0, first=1):
            if not index:
                self._low = key
            return self._id(key), _unpack(data)
        raise IndexError(index)

    def irange(
        self,
        minimum: int | None = None,
        maximum: int | None = None,
        inclusive: tuple[bool, bool] = (True, True),
        reverse: bool = False,
    ) -> Iterator[int]:
        """The ids from `minimum` to `maximum`; None: from or to the end."""
        first = self._edge(0 if minimum is None else minimum + (not inclusive[0]))
        lower, upper = (
            max(first, self._low),
            self._edge(_MAX + 1 if maximum is None else maximum + inclusive[1]),
        )
        is_lowest = lower == self._low and not reverse
        for key, _ in self._area.walk(lower, upper, reverse=reverse):
            if is_lowest:
                self._low, is_lowest = key, False
            yield self._id(key)

    def _edge(self, entry_id: int) -> bytes:
        return self._upper if entry_id > _MAX else self._key(entry_id)

    def drop(self) -> None:
        """Delete all entries; they are not used any more."""
        self._area.drop(self.size)
