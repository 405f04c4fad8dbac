"""Buckets: a map of elements in the order of their hashes, for cursors and for choice by chance.

Every element has a **place**, 48 bits of its hash, the same on every replica. The map is cut into buckets,
each a dictionary of the elements between two places; one that has grown too large is cut in two. A cursor
is a place, so any replica can take an iteration up, and an element that stays is met once. Compared with an
order kept beside a dictionary, this costs nothing per element and a binary search per access. Most maps are
small, and are one dictionary. Cells are kept slim (`slim.py`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

import xxhash

from trio_dynomite.data.record import Record
from trio_dynomite.data.slim import Slim, full, slim

PLACE_MASK = (1 << 48) - 1
BUCKET_MAX = 512
_TRIES = 64


def place(element: bytes) -> int:
    """Where `element` stands in every iteration."""
    return xxhash.xxh3_64_intdigest(element) & PLACE_MASK


class Buckets:
    """Element → cell, in the order of places (`shelf.CellMap`)."""

    __slots__ = ("_only", "_several")

    def __init__(self) -> None:
        self._only: dict[bytes, Slim] | None = {}
        """The one bucket; None when there are several."""
        self._several: tuple[list[int], list[dict[bytes, Slim]]] = _NONE
        """Of several buckets: where each begins, and they."""

    def __len__(self) -> int:
        return sum(map(len, self._all()))

    def get(self, element: bytes) -> Record | None:
        """The cell of `element`."""
        only = self._only
        kept = (self._bucket_of(element) if only is None else only).get(element)
        return None if kept is None else full(kept)

    def __setitem__(self, element: bytes, cell: Record) -> None:
        only = self._only
        bucket = self._bucket_of(element) if only is None else only
        bucket[element] = slim(cell)
        if len(bucket) > BUCKET_MAX:
            self._cut(bucket)

    def __delitem__(self, element: bytes) -> None:
        del (self._bucket_of(element) if self._only is None else self._only)[element]

    def items(self) -> Iterator[tuple[bytes, Record]]:
        """Every element and cell, bucket after bucket."""
        for bucket in self._all():
            for element, kept in bucket.items():
                yield element, full(kept)

    def page(self, cursor: int, limit: int) -> tuple[int, list[tuple[bytes, Record]]]:
        """At least `limit` elements from `cursor` on, and the place to go on from; 0: that was all."""
        found: list[tuple[bytes, Record]] = []
        first = max(0, bisect_right(self._several[0], cursor) - 1)
        for bucket in self._all()[first:]:
            before = -1
            for where, element in _placed(bucket):
                if where < cursor:
                    continue
                if len(found) >= limit and where != before:
                    return where, found
                before = where
                found.append((element, full(bucket[element])))
        return 0, found

    def sample(self, draw: Callable[[int], int]) -> tuple[bytes, Record]:
        """An element by chance, each as likely as any other."""
        buckets = self._all()
        for _ in range(_TRIES):
            bucket = buckets[draw(len(buckets))]
            # A place among as many as the largest bucket may have: an emptier bucket is as likely to miss.
            at = draw(BUCKET_MAX if len(buckets) > 1 else len(bucket))
            if at < len(bucket):
                element = list(bucket)[at]
                return element, full(bucket[element])
        everything = list(self.items())
        return everything[draw(len(everything))]

    def _all(self) -> list[dict[bytes, Slim]]:
        return self._several[1] if self._only is None else [self._only]

    def _bucket_of(self, element: bytes) -> dict[bytes, Slim]:
        """The one of several buckets in which `element` has its place."""
        bounds, buckets = self._several
        return buckets[bisect_right(bounds, xxhash.xxh3_64_intdigest(element) & PLACE_MASK) - 1]

    def _cut(self, bucket: dict[bytes, Slim]) -> None:
        """Cut a bucket at the middle of its places."""
        placed = _placed(bucket)
        middle = placed[len(placed) // 2][0]
        half = bisect_left(placed, (middle, b""))
        if not half:
            return
        lower = {element: bucket[element] for _, element in placed[:half]}
        upper = {element: bucket[element] for _, element in placed[half:]}
        if self._only is not None:
            self._only, self._several = None, ([0, middle], [lower, upper])
            return
        bounds, buckets = self._several
        at = bisect_right(bounds, placed[0][0]) - 1
        buckets[at : at + 1] = [lower, upper]
        bounds.insert(at + 1, middle)


_NONE: tuple[list[int], list[dict[bytes, Slim]]] = ([], [])


def _placed(bucket: dict[bytes, Slim]) -> list[tuple[int, bytes]]:
    return sorted([(place(element), element) for element in bucket])
