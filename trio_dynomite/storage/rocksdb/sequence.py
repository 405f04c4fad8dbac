"""A sequence on disk: the elements of a list, each under its position.

    prefix, position (8 bytes) → element

Positions begin in the middle and grow to both sides; where they begin and end now stands in the record's
header. So an end costs one key, an index is found at once, and a change in the middle moves the shorter side.
"""

from collections.abc import Iterable, Iterator

from trio_dynomite.storage.rocksdb.disk import Area

_MIDDLE = 1 << 62
_AWAY = 1 << 24
"""So far from deleted positions a cleared sequence begins anew: they may be deleted after it is written."""
_CHUNK = 256


class DiskSequence:
    """The part of `collections.deque` that lists use, on a disk."""

    __slots__ = ("_area", "_prefix", "head", "tail")

    def __init__(self, area: Area, head: int = _MIDDLE, tail: int = _MIDDLE) -> None:
        self._area, self._prefix = area, area.prefix
        self.head = head
        """The position of the first element."""
        self.tail = tail
        """The position after the last one."""

    def __len__(self) -> int:
        return self.tail - self.head

    def _key(self, position: int) -> bytes:
        return self._prefix + position.to_bytes(8)

    def _position(self, index: int) -> int:
        position = index + (self.tail if index < 0 else self.head)
        if not self.head <= position < self.tail:
            raise IndexError(index)
        return position

    def __getitem__(self, index: int) -> bytes:
        element = self._area.get(self._key(self._position(index)))
        assert element is not None
        return element

    def __setitem__(self, index: int, element: bytes) -> None:
        self._area.put(self._key(self._position(index)), element)

    def __delitem__(self, index: int) -> None:
        position = self._position(index)
        if position - self.head < self.tail - position:
            self._move(self.head, position, 1)
            self.popleft()
        else:
            self._move(position + 1, self.tail, -1)
            self.pop()

    def __iter__(self) -> Iterator[bytes]:
        for _, element in self._area.walk(self._key(self.head), self._key(self.tail)):
            yield element

    def __reversed__(self) -> Iterator[bytes]:
        for stop in range(self.tail, self.head, -_CHUNK):
            yield from reversed(self._between(max(self.head, stop - _CHUNK), stop))

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1."""
        return self._between(self.head + start, min(self.head + stop, self.tail))

    def _between(self, first: int, end: int) -> list[bytes]:
        return [element for _, element in self._area.walk(self._key(first), self._key(end))]

    def extend(self, elements: Iterable[bytes]) -> None:
        """Put elements at the end."""
        for element in elements:
            self._area.put(self._key(self.tail), element)
            self.tail += 1

    def extendleft(self, elements: Iterable[bytes]) -> None:
        """Put elements at the beginning, one after the other."""
        for element in elements:
            self.head -= 1
            self._area.put(self._key(self.head), element)

    def pop(self) -> bytes:
        """Take the last element."""
        element = self[-1]
        self.tail -= 1
        self._area.put(self._key(self.tail), None)
        return element

    def popleft(self) -> bytes:
        """Take the first element."""
        element = self[0]
        self._area.put(self._key(self.head), None)
        self.head += 1
        return element

    def insert(self, index: int, element: bytes) -> None:
        """Put an element before the one at `index`."""
        position = self.head + index
        if index < len(self) - index:
            self._move(self.head, position, -1)
            self.head -= 1
            position -= 1
        else:
            self._move(position, self.tail, 1)
            self.tail += 1
        self._area.put(self._key(position), element)

    def _move(self, first: int, end: int, by: int) -> None:
        """Move the elements at some positions, over whatever is there."""
        for at, element in enumerate(self._between(first, end), first + by):
            self._area.put(self._key(at), element)

    def clear(self) -> None:
        """Remove all."""
        self._area.drop(len(self), self._key(self.head), self._key(self.tail))
        self.head = self.tail = self.tail + _AWAY

    def drop(self) -> None:
        """Delete all elements; the sequence is not used any more."""
        self._area.drop(len(self))
