"""An order on disk: values sorted by their keys, and how many stand before one.

    prefix, number (8 bytes, sortable), element → empty, or "-" for a score of minus zero

Adding and removing write one key. For ranks the keys are cut into **blocks**, of which the first keys and the
sizes are kept in memory; they are made when somebody asks for a rank or for what is far from both ends, by
one look at all keys, and kept exact from then on. So a rank costs the sum of some sizes and a look at one
block.

Nothing is below `_low`, and nothing at or above `_high`: a queue leaves deleted keys behind at its end, and
RocksDB would step over each of them again and again.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from math import copysign
from typing import Any

from trio_dynomite.storage.rocksdb.disk import Area, Pair

_BLOCK_MAX = 256
_NEAR = 4096
"""What is so near to an end is found from there, as long as there are no blocks."""
_NUMBER_BYTES = 8
_FRONT_BYTES = 24
_MINUS = b"-"

Value = tuple[Any, bytes]
"""(score or deadline, element)."""


class DiskOrder:
    """`shelf.Order` of scores or deadlines on a disk."""

    __slots__ = (
        *("_decode", "_area", "_encode", "_first", "_firsts"),
        *("_high", "_low", "_prefix", "_sizes", "front", "size"),
    )

    def __init__(
        self,
        area: Area,
        size: int,
        encode: Callable[[Any], bytes],
        decode: Callable[[bytes], Any],
        front: bytes = b"",
    ) -> None:
        self._area, self._prefix = area, area.prefix
        self._encode, self._decode = encode, decode
        self.size = size
        """How many values there are."""
        self._first: Value | None = None
        """The first value, if it is known."""
        self._low, self._high = area.prefix + front, area.upper
        self.front = front
        """Nothing is below; the header has it, so that a queue that is read anew is not looked for among what
        was taken from it."""
        self._firsts: list[bytes] = []
        """A lower bound of each block's keys; empty: there are no blocks."""
        self._sizes: list[int] = []

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Value]:
        return self.islice(0, self.size)

    def __getitem__(self, index: int) -> Value:
        at = index + self.size if index < 0 else index
        if not 0 <= at < self.size:
            raise IndexError(index)
        if at:
            return next(self.islice(at, at + 1))
        if self._first is None:
            self._first = next(self.islice(0, 1))
        return self._first

    def add(self, value: Value) -> None:
        """Put a value in its place."""
        key = self._key(value)
        self._area.put(key, b"" if value[0] or copysign(1, value[0]) > 0 else _MINUS)
        self.size += 1
        if self.size == 1:
            self._first, self._low, self._high = value, key, key + b"\0"
            self.front = self._front(key)
        elif key < self._low:
            self._low = key
            self.front = self._front(key)
        elif key >= self._high:
            self._high = key + b"\0"
        if self._first is not None and value < self._first:
            self._first = value
        if self._firsts:
            self._count_in(key)

    def remove(self, value: Value) -> None:
        """Take a value out that is there."""
        key = self._key(value)
        self._area.put(key, None)
        self.size -= 1
        if value == self._first:
            self._first, self._low = None, key
            self.front = self._front(key)
        if self._firsts:
            self._count_out(key)

    def bisect_left(self, value: Value) -> int:
        """How many values are less."""
        key = self._key(value)
        if key <= self._low:
            return 0
        if key >= self._high:
            return self.size
        self._make_blocks()
        block = bisect_right(self._firsts, key) - 1
        inside = len(self._keys(self._firsts[block], key))
        return sum(self._sizes[:block]) + inside

    def islice(self, start: int, stop: int, reverse: bool = False) -> Iterator[Value]:
        """The values at start..stop-1."""
        start, stop = max(start, 0), min(stop, self.size)
        if start >= stop:
            return iter(())
        near = _BLOCK_MAX if self._firsts else _NEAR
        if start <= near:
            pairs = list(islice(self._area.walk(self._low, self._high, first=stop), stop))
            self._low = pairs[0][0]
            self.front = self._front(self._low)
            found = self._values(pairs[start:])
        elif self.size - start <= near:
            count = self.size - start
            pairs = list(islice(self._area.walk(self._low, self._high, reverse=True, first=count), count))
            self._high = pairs[0][0] + b"\0"
            found = self._values(pairs[self.size - stop :][::-1])
        else:
            found = self._values(self._from_block(start, stop))
        return iter(found[::-1] if reverse else found)

    def drop(self) -> None:
        """Delete all values; the order is not used any more."""
        self._area.drop(self.size)

    def _key(self, value: Value) -> bytes:
        return self._prefix + self._encode(value[0]) + value[1]

    def _front(self, low: bytes) -> bytes:
        """`low` without the prefix, and no longer than a header should be: what is cut is below, too."""
        at = len(self._prefix)
        return low[at : at + _FRONT_BYTES]

    def _values(self, pairs: list[Pair]) -> list[Value]:
        at = len(self._prefix)
        to, decode = at + _NUMBER_BYTES, self._decode
        return [(-decode(key[at:to]) if mark else decode(key[at:to]), key[to:]) for key, mark in pairs]

    def _keys(self, lower: bytes, upper: bytes) -> list[bytes]:
        return [key for key, _ in self._area.walk(max(lower, self._low), min(upper, self._high))]

    # Blocks

    def _make_blocks(self) -> None:
        if self._firsts:
            return
        pairs = self._area.walk(self._low, self._high)
        while block := list(islice(pairs, _BLOCK_MAX // 2)):
            self._firsts.append(block[0][0])
            self._sizes.append(len(block))
        self._firsts[:1], self._sizes[:1] = [self._prefix], self._sizes[:1] or [0]

    def _from_block(self, start: int, stop: int) -> list[Pair]:
        self._make_blocks()
        block = bisect_right(list(accumulate(self._sizes)), start)
        before = sum(self._sizes[:block])
        return list(islice(self._area.walk(self._firsts[block], self._high), start - before, stop - before))

    def _count_in(self, key: bytes) -> None:
        firsts, sizes = self._firsts, self._sizes
        block = bisect_right(firsts, key) - 1
        sizes[block] += 1
        if sizes[block] > _BLOCK_MAX:
            upper = firsts[block + 1] if block + 1 < len(firsts) else self._high
            keys = self._keys(firsts[block], upper)
            half = len(keys) // 2
            firsts.insert(block + 1, keys[half])
            sizes[block : block + 1] = [half, len(keys) - half]

    def _count_out(self, key: bytes) -> None:
        """One less in a block; two that are nearly empty become one."""
        firsts, sizes = self._firsts, self._sizes
        block = bisect_right(firsts, key) - 1
        sizes[block] -= 1
        left = block if block + 1 < len(sizes) else block - 1
        if left >= 0 and sizes[left] + sizes[left + 1] <= _BLOCK_MAX // 2:
            sizes[left : left + 2] = [sizes[left] + sizes[left + 1]]
            del firsts[left + 1]
