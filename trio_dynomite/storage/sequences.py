"""The views of lists and streams over a keyspace: bodies that are replaced or patched as one cell.

A change is an operation of the body. It is carried out here and told as a PATCH, which every other replica
repeats on the same state; the first one makes the record, and is told as a WHOLE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trio_dynomite.data.effect import PATCH, WHOLE, whole
from trio_dynomite.data.merge import pack_body
from trio_dynomite.data.record import COUNTS, DEADLINE, STAMP, VALUE
from trio_dynomite.data.sequence import ListBody
from trio_dynomite.data.stamp import NODE_BITS, TICK, pack
from trio_dynomite.data.stream import StreamBody

if TYPE_CHECKING:
    from trio_dynomite.storage.keyspace import StoreKeyspace

_EMPTY = ListBody()


def _make(ks: StoreKeyspace, slot: int, key: bytes, body: Any) -> Any:
    """A new record with `body`; the body as it is kept."""
    stamp = ks.clock.next()
    packed = pack_body(body)
    ks.store.set(slot, key, whole(stamp, body, 0))
    ks.tell(WHOLE, slot, key, stamp >> NODE_BITS, packed, 0)
    return ks.store.records[slot][key][COUNTS]


def _patch(ks: StoreKeyspace, slot: int, key: bytes, body: Any, operation: Sequence[Any]) -> Any:
    """Carry out `operation` on the body of the record at `key`; what it gives."""
    record = ks.store.records[slot][key]
    result = body.apply(operation)
    clock, deadline = ks.clock, record[DEADLINE]
    clock.last = stamp = clock.last + TICK
    ks.store.set(slot, key, (stamp, record[VALUE], stamp if deadline else 0, deadline, body))
    if ks.effects is not None:
        told = [pack(record[STAMP]), *operation]
        ks.effects.extend((PATCH, slot, key, stamp >> NODE_BITS, told, deadline))
    return result


class ListView:
    """The list at one key."""

    __slots__ = ("_body", "_key", "_ks", "_slot")

    def __init__(self, ks: StoreKeyspace, slot: int, key: bytes, body: ListBody | None) -> None:
        self._ks, self._slot, self._key = ks, slot, key
        self._body = _EMPTY if body is None else body

    def __len__(self) -> int:
        return len(self._body.items)

    def __getitem__(self, index: int) -> bytes:
        element: bytes = self._body.items[index]
        return element

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body.items)

    def __reversed__(self) -> Iterator[bytes]:
        backwards: Iterator[bytes] = reversed(self._body.items)
        return backwards

    def slice(self, start: int, stop: int) -> list[bytes]:
        """The elements start..stop-1."""
        return self._body.slice(start, stop)

    def push(self, values: Sequence[bytes], *, left: bool) -> None:
        """Put values at an end."""
        operation = [b"push", int(left), list(values)]
        if self._body is _EMPTY:
            body = ListBody()
            body.apply(operation)
            self._body = _make(self._ks, self._slot, self._key, body)
        else:
            self._change(operation)

    def pop(self, count: int, *, left: bool) -> list[bytes]:
        """Take elements from an end."""
        if count < len(self):
            taken: list[bytes] = self._change([b"pop", int(left), count])
            return taken
        everything = list(self) if left else list(reversed(self))
        self._drop()
        return everything

    def set(self, index: int, value: bytes) -> None:
        """Replace one element."""
        self._change([b"set", index, value])

    def insert(self, index: int, value: bytes) -> None:
        """Put `value` before what is at `index`."""
        self._change([b"insert", index, value])

    def remove(self, indexes: Sequence[int]) -> None:
        """Remove the elements at these indexes."""
        if len(indexes) == len(self):
            self._drop()
        elif indexes:
            self._change([b"remove", list(indexes)])

    def keep(self, start: int, stop: int) -> None:
        """Keep the elements start..stop-1 only."""
        if start >= stop:
            self._drop()
        elif start or stop < len(self):
            self._change([b"keep", start, stop])

    def _change(self, operation: list[Any]) -> Any:
        return _patch(self._ks, self._slot, self._key, self._body, operation)

    def _drop(self) -> None:
        """The last element has gone, and the key with it."""
        if self._body is not _EMPTY:
            self._ks.delete(self._key)
            self._body = _EMPTY


class StreamView:
    """The stream at one key."""

    __slots__ = ("_key", "_ks", "_slot", "body")

    def __init__(self, ks: StoreKeyspace, slot: int, key: bytes, body: StreamBody | None) -> None:
        self._ks, self._slot, self._key = ks, slot, key
        self.body = body
        """What it holds, to be looked at."""

    def change(self, *operation: Any) -> Any:
        """Carry out one of `StreamBody.apply`'s operations, here and on every replica."""
        if self.body is not None:
            return _patch(self._ks, self._slot, self._key, self.body, operation)
        body = StreamBody()
        result = body.apply(list(operation))
        self.body = _make(self._ks, self._slot, self._key, body)
        return result
