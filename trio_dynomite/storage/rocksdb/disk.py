"""The disk: one RocksDB, what has been written since the last commit, and walks over both.

Keys belong to areas, one for the headers of records and one for each container of a body. Writes are
collected there, and `commit` hands all of them over in one batch: a process that is killed loses whole turns
at the end, and never half a record. So does a machine that loses its power, but for what was synced
(`syncing.py`): to sync here would stop the node for as long as that takes.

Traps of rocksdict 0.3.29: an iterator that lives on keeps the database locked after `close`, so none outlives
a call here; `set_iterate_lower_bound` sets the upper bound; each `delete_range` makes the next read sort all
of them anew, so it is for large ranges only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from rocksdict import ReadOptions, WriteBatch
from sortedcontainers import SortedList

from trio_dynomite.errors import NoRoomError
from trio_dynomite.storage.rocksdb.opening import Opened, Tuning, open_database

Pair = tuple[bytes, bytes]

_UNKNOWN = b"?"
"""Stands for a key about which nothing is pending; told from values by its identity."""
_FEW = 64
"""Pending keys up to which a walk looks at all of them."""
_CHUNK_MAX = 2048
_RANGE_FROM = 1024
"""Keys from which on a range is deleted as a range."""
_HOLLOW_FROM = 50_000
"""Keys from which on it is worth the work to have the room of a body back at once."""
_BODY_PREFIX_BYTES = 1 + 2 + 6 + 1
"""Of a body's container: `shelf.py`."""


class Disk:
    """Areas of a database."""

    def __init__(self, opened: Opened, tuning: Tuning) -> None:
        self.tuning, self.opened = tuning, opened
        self.database: Any = opened.database  # whose types allow for more than bytes
        self.commits = 0
        """That wrote something."""
        self.reopened = 0
        self.hollow: list[tuple[bytes, bytes]] = []
        """Large ranges that were deleted: their room comes back when they are compacted (`tidying.py`)."""
        self.users = 0
        """Threads that work with the database: it must not be closed."""
        self.error: str | None = None
        """Why the last commit failed; so long nothing is committed, and all stays pending."""
        self._lasting: dict[bytes, Area] = {}
        """Those that are not of one body."""
        self._wiped: list[tuple[bytes, bytes]] = []
        """Ranges to delete with the next commit whose keys may be written again."""
        self.written: dict[bytes, Area] = {}
        """By prefix, the areas that were written since the last commit."""
        self.doomed: list[tuple[bytes, bytes]] = []
        """Ranges to delete with the next commit, after all else is written."""
        self.gone: list[bytes] = []
        """Keys to delete with it."""

    def area(self, prefix: bytes) -> "Area":
        """All keys that begin with `prefix`; there is one at a time that anything is pending in."""
        area = self.written.get(prefix) or self._lasting.get(prefix) or Area(self, prefix)
        if len(prefix) == 1:
            self._lasting[prefix] = area
        return area

    @property
    def is_pending(self) -> bool:
        """Is there anything to commit?"""
        return bool(self.written or self.doomed or self._wiped or self.gone)

    def commit(self, put_more: Callable[[WriteBatch], None] | None = None) -> bool:
        """Hand over what is pending and what `put_more` adds, at once or not at all; was it done?"""
        if self.error is not None:
            return False
        if put_more is None and not self.is_pending:
            return True
        try:
            self.database.write(self._batch(put_more))
        except Exception as why:
            self.error = str(why)
            self._hide_wiped()
            return False
        self._committed_all()
        return True

    def _committed_all(self) -> None:
        self.commits += 1
        for area in self.written.values():
            area.committed()
        self.written.clear()
        self.doomed.clear()
        self._wiped.clear()
        self.gone.clear()

    def _batch(self, put_more: Callable[[WriteBatch], None] | None) -> WriteBatch:
        batch = WriteBatch(raw_mode=True)
        put = batch.put
        for area in self.written.values():
            for key, value in area.pending.items():
                if value is None:
                    del batch[key]
                else:
                    put(key, value)
        if put_more is not None:
            put_more(batch)
        for key in self.gone:
            del batch[key]
        for lower, upper in self.doomed + self._wiped:
            batch.delete_range(lower, upper)
        return batch

    def _hide_wiped(self) -> None:
        """What was to be wiped is still there, and may soon be written again: delete it key by key."""
        for lower, upper in self._wiped:
            self.gone += [key for key, _ in self._committed(lower, upper)]
        self._wiped.clear()
        for key in self.gone:
            self.area(prefix_of(key)).put(key, None)
        self.gone.clear()

    def _committed(self, lower: bytes, upper: bytes) -> Iterator[Pair]:
        options = ReadOptions()
        options.set_iterate_upper_bound(upper)
        pairs: Iterator[Pair] = self.database.items(from_key=lower, read_opt=options)
        return pairs

    def recover(self) -> None:
        """There is room again, perhaps: a database that has failed to write must be opened anew to go on.

        What is pending stays so until it is committed.

        Raises NoRoomError when the room was taken meanwhile: then nothing can be read either."""
        path = self.database.path()
        with suppress(Exception):  # it has told us of its trouble
            self.database.close()
        try:
            self.opened = open_database(path, self.tuning)
        except Exception as why:
            self.database = _Gone(f"{path} cannot be opened again: {why}")
            raise NoRoomError(self.database.why) from why
        self.database = self.opened.database
        self.error = None
        self.reopened += 1

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The database, for a thread."""
        self.users += 1
        try:
            yield self.database
        finally:
            self.users -= 1

    def wipe(self, lower: bytes, upper: bytes) -> None:
        """Delete what was committed with lower <= key < upper, which nobody reads before the next commit."""
        keys = [key for key, _ in islice(self._committed(lower, upper), _RANGE_FROM)]
        if len(keys) == _RANGE_FROM:
            self._wiped.append((lower, upper))
            self.hollow.append((lower, upper))
        else:
            self.gone += keys

    def close(self) -> None:
        """Commit, sync, and let go of the database."""
        self.commit()
        if self.error is not None:
            with suppress(Exception):  # it has told us of its trouble
                self.database.close()
            return
        self.database.flush_wal(True)
        self.database.close()


class _Gone:
    """Stands for a database that could not be opened again, until the process has ended."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __getattr__(self, name: str) -> Any:
        raise NoRoomError(self.why)


def prefix_of(key: bytes) -> bytes:
    """The prefix of the area to which a header or a part of a body belongs."""
    return key[:_BODY_PREFIX_BYTES] if key[:1] == b"B" else key[:1]


class Area:
    """Byte strings under the keys that begin with one prefix, in the order of the keys."""

    __slots__ = ("_disk", "_order", "pending", "prefix", "upper")

    def __init__(self, disk: Disk, prefix: bytes) -> None:
        self._disk = disk
        self.prefix = prefix
        self.upper = prefix[:-1] + bytes([prefix[-1] + 1])
        """No key of the area is as high as this; prefixes end with a letter."""
        self.pending: dict[bytes, bytes | None] = {}
        """Written since the last commit; None: deleted."""
        self._order: SortedList[bytes] | None = None
        """The keys of what is pending, once somebody walked there while it was much."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`."""
        value = self.pending.get(key, _UNKNOWN) if self.pending else _UNKNOWN
        if value is _UNKNOWN:
            found: bytes | None = self._disk.database.get(key)
            return found
        return value

    def put(self, key: bytes, value: bytes | None) -> None:
        """`value` is under `key` from now on; None: nothing is."""
        if not self.pending:
            self._disk.written[self.prefix] = self
        if self._order is not None and key not in self.pending:
            self._order.add(key)
        self.pending[key] = value

    def committed(self) -> None:
        """Nothing is pending any more."""
        self.pending.clear()
        self._order = None

    def walk(
        self, lower: bytes = b"", upper: bytes | None = None, *, reverse: bool = False, first: int = 64
    ) -> Iterator[Pair]:
        """The pairs with lower <= key < upper, about `first` at a time in the beginning.

        What is written meanwhile is seen or not."""
        lower, upper = max(lower, self.prefix), self.upper if upper is None else min(upper, self.upper)
        limit = min(first, _CHUNK_MAX)
        while pairs := self._chunk(lower, upper, limit, reverse):
            yield from pairs
            if reverse:
                upper = pairs[-1][0]
            else:
                lower = pairs[-1][0] + b"\0"
            limit = min(limit * 4, _CHUNK_MAX)

    def _chunk(self, lower: bytes, upper: bytes, limit: int, reverse: bool) -> list[Pair]:
        """Some pairs from one end of a range; none when it is empty."""
        while True:
            stored = self._stored(lower, upper, limit, reverse)
            near = self._near(lower, upper, limit, reverse) if self.pending else []
            if not near:
                return stored
            # Of a source that may have more, nothing is known behind the last key that it gave.
            ends = [stored[-1][0]] if len(stored) == limit else []
            ends += [near[-1]] if len(near) == limit else []
            if not ends:
                return self._merged(stored, near, lower, upper, reverse)
            if reverse:
                following = max(ends)
                merged = self._merged(stored, near, following, upper, reverse)
                upper = following
            else:
                following = min(ends) + b"\0"
                merged = self._merged(stored, near, lower, following, reverse)
                lower = following
            if merged:
                return merged

    def _near(self, lower: bytes, upper: bytes, limit: int, reverse: bool) -> list[bytes]:
        """The pending keys from one end of a range, at most `limit`."""
        if len(self.pending) <= _FEW:
            return sorted([key for key in self.pending if lower <= key < upper], reverse=reverse)[:limit]
        if self._order is None:
            self._order = SortedList(self.pending)
        return list(islice(self._order.irange(lower, upper, (True, False), reverse), limit))

    def _stored(self, lower: bytes, upper: bytes, limit: int, reverse: bool) -> list[Pair]:
        options = ReadOptions()
        options.set_iterate_upper_bound(upper)
        if not reverse:
            return list(islice(self._disk.database.items(from_key=lower, read_opt=options), limit))
        pairs = list(islice(self._disk.database.items(backwards=True, read_opt=options), limit))
        while pairs and pairs[-1][0] < lower:
            del pairs[-1]
        return pairs

    def _merged(
        self, stored: list[Pair], near: list[bytes], lower: bytes, upper: bytes, reverse: bool
    ) -> list[Pair]:
        merged: dict[bytes, bytes | None] = dict(stored)
        merged.update([(key, self.pending[key]) for key in near])
        found = [(key, value) for key, value in merged.items() if value is not None and lower <= key < upper]
        return sorted(found, reverse=reverse)

    def drop(self, size: int, lower: bytes = b"", upper: bytes | None = None) -> None:
        """Delete the about `size` keys of a range, which nobody reads or writes before the next commit."""
        lower, upper = max(lower, self.prefix), self.upper if upper is None else upper
        if size >= _RANGE_FROM:
            self._disk.doomed.append((lower, upper))
            if size >= _HOLLOW_FROM:
                self._disk.hollow.append((lower, upper))
        elif size:
            for key, _ in self.walk(lower, upper):
                self.put(key, None)
