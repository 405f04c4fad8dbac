"""Containers that note what changes, so that a write sends that alone.

They are those in memory, and whole: every element of the body is here. Each has `taken()`, which is called
when a write leaves: what happened since the last one. A body is put on such a shelf where it stands
(`adopt`), as soon as all of it was written once.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from sortedcontainers import SortedDict

from trio_dynomite.data.buckets import Buckets
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import Record
from trio_dynomite.data.sequence import LIST
from trio_dynomite.data.shelf import MemoryShelf

_MARK = b"\x01trio-dynomite"
_NOTES_FEW = 16
"""So many notes of a list are worth sending, however short it is."""
Note = tuple[bytes, list[bytes]]
"""A native command and its arguments behind the key."""


class RedisShelf(MemoryShelf):
    """`shelf.Shelf` of the body at one key of a server."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.groups_told = 0
        """`StreamBody.group_changes` when the groups were written."""
        self.counters_told = (0, 0, 0)
        """The counters of a stream as the native one has them."""


class NotedCells(Buckets):
    """Element → cell, and which elements have changed."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[bytes] = set()

    @classmethod
    def over(cls, cells: Buckets) -> "NotedCells":
        """Those that are in `cells`, which is not used any more."""
        noted = cls()
        noted._only, noted._several = cells._only, cells._several
        return noted

    def __setitem__(self, element: bytes, cell: Record) -> None:
        self.changed.add(element)
        Buckets.__setitem__(self, element, cell)

    def __delitem__(self, element: bytes) -> None:
        self.changed.add(element)
        Buckets.__delitem__(self, element)

    def taken(self) -> set[bytes]:
        """The elements that have changed since this was asked."""
        changed, self.changed = self.changed, set()
        return changed


class NotedSequence(deque[bytes]):
    """The elements of a list, and the native commands that bring another copy to where it is."""

    def __init__(self, elements: Iterable[bytes] = ()) -> None:
        super().__init__(elements)
        self._notes: list[Note] = []
        self._is_whole = False
        """Has so much changed that all of it had better be written?"""

    def taken(self) -> list[Note] | None:
        """What happened since this was asked, in order; None: everything is to be written."""
        notes, is_whole = self._notes, self._is_whole or len(self._notes) > len(self) + _NOTES_FEW
        self._notes, self._is_whole = [], False
        return None if is_whole else notes

    def _note(self, command: bytes, *arguments: bytes) -> None:
        if not self._is_whole:
            self._notes.append((command, list(arguments)))

    def _note_pushed(self, command: bytes, elements: list[bytes]) -> None:
        if self._notes and self._notes[-1][0] == command:
            self._notes[-1][1].extend(elements)
        else:
            self._note(command, *elements)

    def _note_popped(self, at: int) -> None:
        """An element was taken from the left (argument 0 of LTRIM) or the right (argument 1)."""
        if not self._notes or self._notes[-1][0] != b"LTRIM":
            self._note(b"LTRIM", b"0", b"-1")
        if not self._is_whole:
            bounds = self._notes[-1][1]
            bounds[at] = b"%d" % (int(bounds[at]) + (-1 if at else 1))

    def extend(self, elements: Iterable[bytes]) -> None:
        """Put elements at the end."""
        more = list(elements)
        super().extend(more)
        self._note_pushed(b"RPUSH", more)

    def extendleft(self, elements: Iterable[bytes]) -> None:
        """Put elements at the beginning, one after the other."""
        more = list(elements)
        super().extendleft(more)
        self._note_pushed(b"LPUSH", more)

    def pop(self) -> bytes:  # type: ignore[override]  # a deque's has no index either
        """Take the last element."""
        self._note_popped(1)
        return super().pop()

    def popleft(self) -> bytes:
        """Take the first element."""
        self._note_popped(0)
        return super().popleft()

    def __setitem__(self, index: int, element: bytes) -> None:  # type: ignore[override]
        super().__setitem__(index, element)
        self._note(b"LSET", b"%d" % index, element)

    def __delitem__(self, index: int) -> None:  # type: ignore[override]
        mark = self._unused()
        super().__delitem__(index)
        self._note(b"LSET", b"%d" % index, mark)
        self._note(b"LREM", b"1", mark)

    def insert(self, index: int, element: bytes) -> None:
        """Put an element before the one at `index`: a native list finds places by what stands there."""
        if index >= len(self):
            self.extend([element])
            return
        mark, before = self._unused(), self[index]
        super().insert(index, element)
        self._note(b"LSET", b"%d" % index, mark)
        self._note(b"LINSERT", b"BEFORE", mark, element)
        self._note(b"LSET", b"%d" % (index + 1), before)

    def _unused(self) -> bytes:
        mark = _MARK
        while mark in self:
            mark += b"."
        return mark

    def clear(self) -> None:
        """Remove all."""
        super().clear()
        self._notes.clear()
        self._is_whole = True


class NotedEntries(SortedDict[int, tuple[bytes, ...]]):
    """The entries of a stream, and which ids were added and removed."""

    def __init__(self, entries: Any = ()) -> None:
        super().__init__(entries)  # type: ignore[call-arg]
        self.added: set[int] = set()
        self.removed: set[int] = set()

    def __setitem__(self, entry_id: int, fields: tuple[bytes, ...]) -> None:
        if entry_id in self:
            self.removed.add(entry_id)
        super().__setitem__(entry_id, fields)
        self.added.add(entry_id)

    def __delitem__(self, entry_id: int) -> None:
        super().__delitem__(entry_id)
        if entry_id in self.added:
            self.added.discard(entry_id)
        else:
            self.removed.add(entry_id)

    def taken(self) -> tuple[list[int], list[int]]:
        """(added, removed) since this was asked: what was removed is to be removed first."""
        added, removed = sorted(self.added), sorted(self.removed)
        self.added, self.removed = set(), set()
        return added, removed


def adopt(key: bytes, body: Any) -> None:
    """Have a body in memory note what changes from now on."""
    body.shelf = RedisShelf(key)
    if body.kind == LIST:
        body.items = NotedSequence(body.items)
    elif body.kind == "stream":
        body.entries = NotedEntries(body.entries)
    elif not isinstance(body, OpaqueBody):
        body.cells = NotedCells.over(body.cells)
