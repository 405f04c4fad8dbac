"""The records of a slot on disk: one header a key, and what is kept in memory of them.

    "R", slot (2 bytes), key → the record, with the header of its body in the body's place

Decoded records are kept in two generations: what is asked for moves to the young one, and when that has grown
heavy, at the end of a turn, the old one goes. So nothing goes while a command runs, and a body that was asked
for twice is one object: a view may change it in place and then set the record.

A record that was set is made into bytes when the turn ends, once, however often it was set; or by a scan.
Plain values, which are most, are kept apart from all others: a loop without a question writes them.

    "N" → no body has a number that is as high

Numbers are taken from a stretch that was reserved, so that they need not be written one by one.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from rocksdict import WriteBatch

from trio_dynomite.data.cells import Cells
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS, EXPIRY, STAMP, VALUE, Record, has_body, newest
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb import bodies
from trio_dynomite.storage.rocksdb.calendar import DiskDeadlines, due
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record
from trio_dynomite.storage.rocksdb.disk import Disk, Pair
from trio_dynomite.storage.rocksdb.journal import Journal
from trio_dynomite.storage.rocksdb.shelf import DiskShelf

RECORDS, NUMBERS = b"R", b"N"
_SLOT_BYTES = 2
_HEAD = len(RECORDS) + _SLOT_BYTES
"""Where the key begins."""
HEADS = [RECORDS + slot.to_bytes(_SLOT_BYTES) for slot in range(SLOTS + 1)]
"""What the keys of all headers in a slot begin with; those of one slot end where the next begin."""
_GENERATION_BYTES = 32 << 20
_WEIGHT, _BODY_WEIGHT = 300, 12_000
"""What a record and a body are taken to weigh in memory beside the value."""
_STRETCH = 1024
"""Numbers that are reserved at a time."""
UNKNOWN: Any = object()
"""Stands for a record that is not among the young."""


def key_in(name: bytes) -> tuple[int, bytes]:
    """(slot, key) of a header key."""
    return int.from_bytes(name[len(RECORDS) : _HEAD]), name[_HEAD:]


class Book:
    """What the slots share: the disk, the records in memory, the numbers of bodies."""

    def __init__(self, disk: Disk, calendar: DiskDeadlines, journal: Journal) -> None:
        self._disk, self.journal = disk, journal
        self.calendar = calendar
        self.headers = disk.area(RECORDS)
        self._numbers = disk.area(NUMBERS)
        self.young: dict[bytes, Record | None] = {}
        """By header key; None: there is no such record."""
        self._old: dict[bytes, Record | None] = {}
        self.bytes = 0
        """What the values and bodies in the young generation weigh."""
        self.plain: dict[bytes, Record] = {}
        """Set, and not yet written: values under a stamp, nothing more."""
        self._others: dict[bytes, Record] = {}
        """Set, and not yet written: all other records."""
        told = self._numbers.get(NUMBERS)
        self.next_number = self._reserved = 1 if told is None else int.from_bytes(told)

    def load(self, name: bytes) -> Record | None:
        """The record under a header key that is not among the young."""
        record: Record | None = self._old.get(name, UNKNOWN)
        if record is UNKNOWN:
            record = self.plain.get(name) or self._others.get(name)
            data = self.headers.get(name) if record is None else None
            if data is not None:
                record = self._decode(name, data)
        self.keep(name, record)
        return record

    def keep(self, name: bytes, record: Record | None) -> None:
        """Have `record` in memory."""
        self.bytes += _bytes(record) - _bytes(self.young.get(name))
        self.young[name] = record

    def read(self, name: bytes, data: bytes) -> Record:
        """The record that was found under `name`: as it is in memory, or else in `data`, and not kept."""
        return self.young.get(name) or self._old.get(name) or self._decode(name, data)

    def _decode(self, name: bytes, data: bytes) -> Record:
        record = decode_record(data)
        told = record[COUNTS]
        if type(told) is not list:
            return record
        record = (*record[:COUNTS], bodies.body_of(self._disk, key_in(name)[0], name, told))
        record[COUNTS].shelf.due_ms = due(record)
        return record

    def shelved(self, name: bytes, body: Any) -> Any:
        """`body` on a shelf of the record under `name`: itself if it is there, else a copy."""
        shelf = body.shelf
        if type(shelf) is DiskShelf and shelf.owner == name:
            return body
        return body.on(DiskShelf(self._disk, key_in(name)[0], self._number(), name, {}))

    def _number(self) -> int:
        number = self.next_number
        self.next_number += 1
        if number == self._reserved:
            self.reserve(number + _STRETCH)
        return number

    def reserve(self, number: int) -> None:
        """Bodies may have all numbers below."""
        self._reserved = number
        self._numbers.put(NUMBERS, number.to_bytes(6))

    def set(self, name: bytes, old: Record | None, record: Record) -> None:
        """The record under `name`, whose body is shelved, is to be written; it was `old`, which is young."""
        if self.plain:
            self.plain.pop(name, None)
        self._others[name] = self.young[name] = record
        if old is None or old[VALUE] is not record[VALUE] or old[COUNTS] is not record[COUNTS]:
            self.bytes += _bytes(record) - _bytes(old)

    def delete(self, name: bytes) -> None:
        """There is no record under `name` any more."""
        self.plain.pop(name, None)
        self._others.pop(name, None)
        self.headers.put(name, None)
        self.keep(name, None)

    def write(self) -> None:
        """Put every header that was set where scans find it."""
        self._write_others()
        for name, record in self.plain.items():
            self.headers.put(name, encode_record(record))
        self.plain.clear()

    def _write_others(self) -> None:
        for name, record in self._others.items():
            if has_body(record):
                record = (*record[:COUNTS], bodies.header(record[COUNTS]))
            self.headers.put(name, encode_record(record))
        self._others.clear()

    def commit(self) -> None:
        """A turn is over: write everything, at once, and let go of what has not been asked for lately."""
        if self._others:
            self._write_others()
        if (self.plain or self.journal.touched or self._disk.is_pending) and self._disk.commit(
            self._put_into
        ):
            self.journal.committed()
            self.plain.clear()
        if self.bytes + len(self.young) * _WEIGHT > _GENERATION_BYTES:
            self._old, self.young, self.bytes = self.young, {}, 0

    def _put_into(self, batch: WriteBatch) -> None:
        """What was set comes after what scans have had written of the same keys."""
        records = self.plain.values()
        values = [b"b" + record[0].to_bytes(12) + record[1] for record in records]  # as `encode_record` does
        deque(map(batch.put, self.plain, values), 0)
        self.journal.put_into(batch)

    def forget(self) -> None:
        """Nothing is in memory any more."""
        self.commit()
        self.young, self._old, self.bytes = {}, {}, 0


class Slot:
    """`store.Records` of one slot."""

    __slots__ = ("_book", "_head", "_journal", "_slot", "size", "volatile")

    def __init__(self, book: Book, slot: int) -> None:
        self._book, self._journal, self._slot, self._head = book, book.journal, slot, HEADS[slot]
        self.size = 0
        """How many records there are."""
        self.volatile = 0
        """How many records are in the calendar."""

    def __len__(self) -> int:
        return self.size

    def get(self, key: bytes, default: Any = None) -> Any:
        """The record of `key`."""
        name = self._head + key
        record = self._book.young.get(name, UNKNOWN)
        if record is UNKNOWN:
            record = self._book.load(name)
        return default if record is None else record

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None

    def __getitem__(self, key: bytes) -> Record:
        record: Record | None = self.get(key)
        if record is None:
            raise KeyError(key)
        return record

    def __setitem__(self, key: bytes, record: Record) -> None:
        name, book = self._head + key, self._book
        old = book.young.get(name, UNKNOWN)
        if old is UNKNOWN:
            old = book.load(name)
        if record[4] is None and is_plain(record) and (old is None or is_plain(old)):
            self._put(name, old, record)
        else:
            self._set(key, name, old, record)

    def _put(self, name: bytes, old: Record | None, record: Record) -> None:
        """A plain value over nothing or over another, which is what most writes are."""
        journal, slot, stamp, book = self._journal, self._slot, record[0], self._book
        journal.touched.add(slot)
        if old is None:
            self.size += 1
            journal.recounted.add(slot)
            book.bytes += len(record[VALUE])
        else:
            book.bytes += len(record[VALUE]) - len(old[VALUE])
        if stamp > journal.newests[slot]:
            journal.newests[slot] = stamp
        book.plain[name] = book.young[name] = record

    def _set(self, key: bytes, name: bytes, old: Record | None, record: Record) -> None:
        body = record[COUNTS]
        is_there = old is not None and body is not None and old[COUNTS] is body  # and was changed in place
        if not is_there and has_body(record):
            body = self._book.shelved(name, body)
            record = (*record[:COUNTS], body)
        if old is None:
            self.size += 1
        elif not is_there and has_body(old):
            bodies.drop(old[COUNTS])
        self.note(old, record)
        if not is_there or _told(old) != due(record):
            self.date(key, old, record)
        self._book.set(name, old, record)

    def note(self, old: Record | None, record: Record) -> None:
        """Have the journal tell of `record`, which was `old`."""
        journal, slot, body = self._journal, self._slot, record[COUNTS]
        journal.touched.add(slot)
        is_withered = type(body) is Cells and body.dead
        if is_withered or old is None or (old[VALUE] is None) is not (record[VALUE] is None):
            journal.recounted.add(slot)
        stamp = newest(record) if record[EXPIRY] or body is not None else record[STAMP]
        if stamp > journal.newests[slot]:
            journal.newests[slot] = stamp

    def date(self, key: bytes, old: Record | None, record: Record | None) -> None:
        """Have the calendar tell what `record` does, where it told what `old` did."""
        before, after = _told(old), 0 if record is None else due(record)
        if before != after:
            self._book.calendar.move(self._slot, key, before, after)
            if (after > 0) is not (before > 0):
                self.volatile += 1 if after else -1
                self._journal.recounted.add(self._slot)
        if record is not None and has_body(record):
            record[COUNTS].shelf.due_ms = after

    @property
    def newest(self) -> int:
        """No record has a newer stamp."""
        return self._journal.newests[self._slot]

    def __delitem__(self, key: bytes) -> None:
        old = self[key]
        if has_body(old):
            bodies.drop(old[COUNTS])
        self.size -= 1
        self.date(key, old, None)
        self._journal.touch((self._slot,))
        self._book.delete(self._head + key)

    def __iter__(self) -> Iterator[bytes]:
        for name, _ in self._written():
            yield name[_HEAD:]

    def items(self) -> Iterator[tuple[bytes, Record]]:
        """Every key and its record."""
        for name, data in self._written():
            yield name[_HEAD:], self._book.read(name, data)

    def _written(self) -> Iterator[Pair]:
        """Every header."""
        self._book.write()
        return self._book.headers.walk(self._head, HEADS[self._slot + 1])

    def values(self) -> Iterator[Record]:
        """Every record."""
        for _, record in self.items():
            yield record

    def clear(self) -> None:
        """Forget all of them."""
        for key in list(self):
            del self[key]


def is_plain(record: Record) -> bool:
    """Is it a value under a stamp, nothing more?"""
    return record[COUNTS] is None and not record[EXPIRY] and type(record[VALUE]) is bytes


def _bytes(record: Record | None) -> int:
    """What the value or the body of a record is taken to weigh."""
    value = None if record is None else record[VALUE]
    if type(value) is bytes or value is None:
        return len(value or b"")
    body = record[COUNTS] if record is not None else None
    return _BODY_WEIGHT + (len(body) if type(body) is OpaqueBody else 0)


def _told(record: Record | None) -> int:
    """Under which time a record stands in the calendar; its body may have been changed since."""
    if record is None:
        return 0
    if has_body(record):
        due_ms: int = record[COUNTS].shelf.due_ms
        return due_ms
    return due(record)
