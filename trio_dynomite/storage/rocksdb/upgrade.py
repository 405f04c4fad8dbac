"""Upgrades of data that was written in older formats.

The first had nothing beside the records: all of them are looked at. The second had the summary of each slot
under a key of its own. An upgrade may be broken off at any moment: the next start begins it again, and writes
the same.
"""

from collections import defaultdict

from attrs import define

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.record import COUNTS, DIGEST_MASK, VALUE, Record, digest, has_body, newest
from trio_dynomite.storage.contract import hash_of
from trio_dynomite.storage.rocksdb.calendar import DiskDeadlines, due
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.journal import Journal
from trio_dynomite.storage.rocksdb.records import Book, key_in
from trio_dynomite.storage.rocksdb.summaries import ROW, SUMMARIES, packed_rows

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

    def row(self) -> bytes:
        stamp = (self.newest >> 32, self.newest & 0xFFFFFFFF)
        return ROW.pack(self.sum & DIGEST_MASK, *stamp, self.size, self.dead, self.volatile, self.is_withered)


def upgrade_first(disk: Disk) -> None:
    """Write what is kept beside the records; the caller says in the end that it is there."""
    calendar = DiskDeadlines(disk)
    book = Book(disk, calendar, Journal(disk, [], [], set()))
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
    rows = [(slot, tally.row()) for slot, tally in tallies.items()]
    disk.area(SUMMARIES).put(SUMMARIES, packed_rows(rows))
    book.reserve(number + 1)


def upgrade_second(disk: Disk) -> None:
    """Write the summaries together; the caller says in the end that they are."""
    area = disk.area(SUMMARIES)
    rows = list(area.walk(SUMMARIES + b"\0"))
    told = [(int.from_bytes(name[len(SUMMARIES) :]), data) for name, data in rows]
    area.put(SUMMARIES, packed_rows(told))
    for name, _ in rows:
        area.put(name, None)
