"""A list: the body of a list's record, and the operations that patch it.

A list is one cell that holds a sequence, so replicas repeat the primary's operations one after the other,
each on the state that it was made for (`effect.PATCH`). Operations are explicit: they name ends, counts and
indexes, and leave nothing to be found out.
"""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from trio_dynomite.data.shelf import MEMORY, Shelf
from trio_dynomite.errors import ProtocolError

LIST = "list"


@define(eq=False)
class ListBody:
    """The elements of one list, over a `deque` or what works like one."""

    shelf: Shelf = MEMORY
    items: Any = field(init=False)
    kind: str = LIST
    made: int = 0
    digest: int = 0
    """Nothing: a list's stamp tells all."""

    def __attrs_post_init__(self) -> None:
        self.items = self.shelf.sequence()

    def __len__(self) -> int:
        return len(self.items)

    def apply(self, operation: Sequence[Any]) -> Any:
        """Carry out one operation; those taken by a pop.

        `push left values`, `pop left count`, `set index value`, `insert index value`, `remove indexes`
        (ascending), `keep start stop`."""
        act = _ACTS.get(operation[0])
        if act is None:
            raise ProtocolError(f"patch of unknown operation {operation[0]!r}; is the peer newer?")
        return act(self.items, *operation[1:])

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1, as far as there are so many."""
        stop = min(stop, len(self.items))
        return self.shelf.slice(self.items, start, stop) if start < stop else []

    def on(self, shelf: Shelf) -> "ListBody":
        """The same elements on another shelf."""
        body = ListBody(shelf)
        body.items.extend(self.items)
        return body

    def pack(self) -> list[Any]:
        """All of it, as values that a frame can carry."""
        return [LIST, list(self.items)]


def unpack_list(packed: Any) -> ListBody:
    """The body in a frame's values."""
    body = ListBody()
    body.items.extend(packed[1])
    return body


def _push(items: Any, left: int, values: list[bytes]) -> None:
    if left:
        items.extendleft(values)
    else:
        items.extend(values)


def _pop(items: Any, left: int, count: int) -> list[bytes]:
    take = items.popleft if left else items.pop
    return [take() for _ in range(min(count, len(items)))]


def _set(items: Any, index: int, value: bytes) -> None:
    items[index] = value


def _insert(items: Any, index: int, value: bytes) -> None:
    items.insert(index, value)


def _remove(items: Any, indexes: list[int]) -> None:
    if len(indexes) == 1:
        del items[indexes[0]]
        return
    gone = set(indexes)
    kept = [item for at, item in enumerate(items) if at not in gone]
    items.clear()
    items.extend(kept)


def _keep(items: Any, start: int, stop: int) -> None:
    _pop(items, 0, len(items) - stop)
    _pop(items, 1, start)


_ACTS: dict[bytes, Callable[..., Any]] = {
    b"push": _push,
    b"pop": _pop,
    b"set": _set,
    b"insert": _insert,
    b"remove": _remove,
    b"keep": _keep,
}
