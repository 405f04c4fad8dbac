"""Buckets: a map of elements in the order of their hashes, for cursors and for choice by chance.

Every element has a **place**, 48 bits of its hash, the same on every replica. The map is cut into buckets,
each a dictionary of the elements between two places; one that has grown too large is cut in two. A cursor
is a place, so any replica can take an iteration up, and an element that stays is met once. Compared with an
order kept beside a dictionary, this costs nothing per element and a binary search per access.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator

import xxhash

from trio_dynomite.data.record import Record

PLACE_MASK = (1 << 48) - 1
BUCKET_MAX = 512
_TRIES = 64


def place(element: bytes) -> int:
    """Where `element` stands in every iteration."""
    return xxhash.xxh3_64_intdigest(element) & PLACE_MASK


class Buckets:
    """Element → cell, in the order of places (`shelf.CellMap`)."""

    __slots__ = ("_bounds", "_buckets", "_size")

    def __init__(self) -> None:
        self._bounds = [0]
        self._buckets: list[dict[bytes, Record]] = [{}]
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def get(self, element: bytes) -> Record | None:
        """The cell of `element`."""
        return self._buckets[self._at(element)].get(element)

    def __setitem__(self, element: bytes, cell: Record) -> None:
        at = self._at(element)
        bucket = self._buckets[at]
        before = len(bucket)
        bucket[element] = cell
        if len(bucket) != before:
            self._size += 1
            if before >= BUCKET_MAX:
                self._cut(at)

    def __delitem__(self, element: bytes) -> None:
        del self._buckets[self._at(element)][element]
        self._size -= 1

    def items(self) -> Iterator[tuple[bytes, Record]]:
        """Every element and cell, bucket after bucket; inside one in the order of arrival."""
        for bucket in self._buckets:
            yield from bucket.items()

    def page(self, cursor: int, limit: int) -> tuple[int, list[tuple[bytes, Record]]]:
        """At least `limit` elements from `cursor` on, and the place to go on from; 0: that was all."""
        found: list[tuple[bytes, Record]] = []
        for at in range(bisect_right(self._bounds, cursor) - 1, len(self._buckets)):
            placed = sorted([(place(element), element) for element in self._buckets[at]])
            before = -1
            for where, element in placed:
                if where < cursor:
                    continue
                if len(found) >= limit and where != before:
                    return where, found
                before = where
                found.append((element, self._buckets[at][element]))
        return 0, found

    def sample(self, draw: Callable[[int], int]) -> tuple[bytes, Record]:
        """An element by chance, each as likely as any other."""
        for _ in range(_TRIES):
            bucket = self._buckets[draw(len(self._buckets))]
            # A place among as many as the largest bucket may have: an emptier bucket is as likely to miss.
            at = draw(BUCKET_MAX + 1 if len(self._buckets) > 1 else len(bucket))
            if at < len(bucket):
                return list(bucket.items())[at]
        everything = list(self.items())
        return everything[draw(len(everything))]

    def _at(self, element: bytes) -> int:
        if len(self._buckets) == 1:
            return 0
        return bisect_right(self._bounds, xxhash.xxh3_64_intdigest(element) & PLACE_MASK) - 1

    def _cut(self, at: int) -> None:
        """Cut a bucket at the middle of its places."""
        bucket = self._buckets[at]
        places = sorted([place(element) for element in bucket])
        middle = places[len(places) // 2]
        if middle == places[0]:
            return
        lower = {element: cell for element, cell in bucket.items() if place(element) < middle}
        upper = {element: cell for element, cell in bucket.items() if place(element) >= middle}
        self._buckets[at : at + 1] = [lower, upper]
        self._bounds.insert(at + 1, middle)
