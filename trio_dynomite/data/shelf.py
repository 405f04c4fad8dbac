"""A shelf: where the body of one record keeps its cells, its order, its sequence.

The bodies of hashes, sets, sorted sets, lists and streams are written once, over four kinds of container;
an engine brings its own. In memory they are a dictionary cut by hash (`buckets.Buckets`), a `SortedList`, a
`deque` and a `SortedDict`, and an engine on disk has objects with the same methods, as far as they stand
here.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol

from sortedcontainers import SortedDict, SortedList

from trio_dynomite.data.buckets import Buckets
from trio_dynomite.data.record import Record

_NODE = 64
"""Elements that a step inside a deque passes over."""


class CellMap(Protocol):
    """Element → cell, in the order of the elements' places (`buckets.place`)."""

    def __len__(self) -> int: ...

    def __setitem__(self, element: bytes, cell: Record) -> None: ...

    def __delitem__(self, element: bytes) -> None: ...

    def get(self, element: bytes) -> Record | None:
        """The cell of `element`."""

    def items(self) -> Iterator[tuple[bytes, Record]]:
        """Every element and cell."""

    def page(self, cursor: int, limit: int) -> tuple[int, list[tuple[bytes, Record]]]:
        """At least `limit` elements from place `cursor` on, and the place to go on from; 0: that was all."""

    def sample(self, draw: Callable[[int], int]) -> tuple[bytes, Record]:
        """An element by chance; `draw(n)` gives a number below n. The map is not empty."""


class Order(Protocol):
    """Sorted values, each once: the part of `sortedcontainers.SortedList` that bodies use."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, index: int) -> Any: ...

    def add(self, value: Any) -> None:
        """Put a value in its place."""

    def remove(self, value: Any) -> None:
        """Take a value out that is there."""

    def bisect_left(self, value: Any) -> int:
        """How many values are less."""

    def islice(self, start: int, stop: int, reverse: bool = False) -> Iterator[Any]:
        """The values at start..stop-1."""


class Shelf(Protocol):
    """Makes the containers of one record's body."""

    is_ordered: bool
    """Are orders there from the first element on? Else a body makes one when it has grown."""

    def cells(self) -> CellMap:
        """An empty map of cells."""

    def order(self, name: str, values: Iterable[Any]) -> Order:
        """A new order of `values`; a body has at most one of a name."""

    def sequence(self) -> Any:
        """An empty `deque` of byte strings."""

    def slice(self, sequence: Any, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1 of a sequence, which has so many."""

    def entries(self) -> Any:
        """An empty `SortedDict` for the entries of a stream."""


class MemoryShelf:
    """Containers in this process's memory."""

    is_ordered = False

    def cells(self) -> CellMap:
        """An empty map of cells."""
        return Buckets()

    def order(self, name: str, values: Iterable[Any]) -> Order:
        """A new order."""
        order: Order = SortedList(values)
        return order

    def sequence(self) -> Any:
        """An empty deque."""
        return deque()

    def slice(self, sequence: Any, start: int, stop: int) -> list[bytes]:
        """A slice of a deque, by the way that passes the fewest others."""
        size = len(sequence)
        near = min(start, size - stop)
        if (stop - start) * (near // _NODE + 1) < near:
            return [sequence[at] for at in range(start, stop)]
        if near == start:
            return list(islice(sequence, start, stop))
        return list(islice(reversed(sequence), size - stop, size - start))[::-1]

    def entries(self) -> Any:
        """An empty sorted dictionary."""
        return SortedDict()


MEMORY = MemoryShelf()
