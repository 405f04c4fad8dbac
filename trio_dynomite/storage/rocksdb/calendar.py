"""The calendar on disk: which keys to look at, and when, because something of theirs may expire.

    "E", the time in milliseconds (8 bytes), slot (2 bytes), key → empty

There is one entry for each record with a value that has a deadline, or a field with one, under the earliest;
it is written and deleted with the record. What is due is found at the beginning, and all that is kept in
memory is where that is, and when something is due there next.

A wipe of some slots leaves their entries behind; each is found to be stale when its time has come.
"""

from collections.abc import Iterator
from itertools import islice

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import COUNTS, DEADLINE, VALUE, Record
from trio_dynomite.storage.rocksdb.codec import unsigned, unsigned_in
from trio_dynomite.storage.rocksdb.disk import Disk

DATES = b"E"
_TIME_END = len(DATES) + 8
_KEY_AT = _TIME_END + 2
_NEVER = 1 << 64


def due(record: Record) -> int:
    """When to look at a record; 0: never."""
    if record[VALUE] is None:
        return 0
    deadline, body = record[DEADLINE], record[COUNTS]
    if type(body) is Cells and body.due_ms and not 0 < deadline <= body.due_ms:
        return body.due_ms
    return deadline


class DiskDeadlines:
    """`deadlines.Calendar` on a disk."""

    def __init__(self, disk: Disk) -> None:
        self._area = disk.area(DATES)
        self._low = DATES
        """Nothing is below."""
        self._first_ms = 0
        """Nothing is due before."""
        self.count = 0
        """How many keys are in it."""

    def __len__(self) -> int:
        return self.count

    def plan(self, key: bytes, deadline_ms: int) -> None:
        """Nothing: the entry comes with the record."""

    def move(self, slot: int, key: bytes, before: int, after: int) -> None:
        """A record that was due at `before` is due at `after`; 0: never."""
        rest = slot.to_bytes(2) + key
        if before:
            self._area.put(DATES + unsigned(before) + rest, None)
            self.count -= 1
        if after:
            name = DATES + unsigned(after) + rest
            self._area.put(name, b"")
            self.count += 1
            self._low, self._first_ms = min(self._low, name), min(self._first_ms, after)

    def take(self, now_ms: int, limit: int) -> Iterator[bytes]:
        """At most `limit` keys that are due; each is gone from here when it was looked at."""
        if now_ms < self._first_ms:
            return
        end = DATES + unsigned(now_ms + 1)
        names = [name for name, _ in islice(self._area.walk(self._low, end, first=limit), limit)]
        self._low = names[-1] if len(names) == limit else end
        for name in names:
            yield name[_KEY_AT:]
            if self._area.get(name) is not None:
                self._area.put(name, None)  # it was stale, or the record's own entry would be gone
        following = next(self._area.walk(self._low, first=1), None)
        self._first_ms = unsigned_in(following[0][1:_TIME_END]) if following else _NEVER

    def has(self, key: bytes, slot: int, deadline_ms: int) -> bool:
        """Will `key` be looked at when `deadline_ms` has passed?"""
        return self._area.get(DATES + unsigned(deadline_ms) + slot.to_bytes(2) + key) is not None

    def all_keys(self) -> set[bytes]:
        """All keys in it, those of stale entries as well."""
        return {name[_KEY_AT:] for name, _ in self._area.walk()}

    def wiped(self, count: int, disk: Disk) -> None:
        """`count` of its keys are no more; when these were all, nothing of it is left."""
        self.count -= count
        if not self.count:
            disk.wipe(DATES, self._area.upper)
