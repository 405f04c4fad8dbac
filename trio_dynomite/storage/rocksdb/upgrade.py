"""The upgrade of data that was written before there were summaries and a calendar: one look at all records.

It may be broken off at any moment: the next start begins it again, and writes the same.
"""

from collections import defaultdict

from attrs import define

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import COUNTS, DIGEST_MASK, VALUE, Record, digest, has_body, newest
from trio_dynomite.storage.contract import hash_of
from trio_dynomite.storage.rocksdb import summaries
from trio_dynomite.storage.rocksdb.calendar import DiskDeadlines, due
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.records import Book, key_in

_EVERY = 10_000
"""Records between two commits."""


@define
class _Tally:
    """The summary of a slot in the making."""

    sum: int = 0
    newest: int = 0
    size: int = 0
    dead: int = 0
    volatile: int = 0
    is_withered: bool = False

    def count(self, key: bytes, record: Record) -> None:
        self.size += 1
        self.sum += hash_of(key) * digest(record)
        self.newest = max(self.newest, newest(record))
        self.dead += record[VALUE] is None
        self.volatile += due(record) > 0
        self.is_withered = self.is_withered or (type(record[COUNTS]) is Cells and record[COUNTS].dead > 0)

    def packed(self) -> bytes:
        return summaries.packed(
            self.sum & DIGEST_MASK, self.newest, self.size, self.dead, self.volatile, self.is_withered
        )


def upgrade(disk: Disk) -> None:
    """Write what is kept beside the records; the caller says in the end that it is there."""
    calendar = DiskDeadlines(disk)
    book = Book(disk, calendar, lambda slots: None)
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    number = 0
    for count, (name, data) in enumerate(book.headers.walk(), 1):
        slot, key = key_in(name)
        record = book.read(name, data)
        tallies[slot].count(key, record)
        calendar.move(slot, key, 0, due(record))
        if has_body(record):
            number = max(number, record[COUNTS].shelf.number)
        if count % _EVERY == 0:
            disk.commit()
    for slot, tally in tallies.items():
        summaries.area(disk).put(summaries.NAMES[slot], tally.packed())
    book.reserve(number + 1)
