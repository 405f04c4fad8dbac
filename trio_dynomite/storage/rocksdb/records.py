"""The records of a slot on disk: one header a key, and what is kept in memory of them.

    "R", slot (2 bytes), key → the record, with the header of its body in the body's place

Decoded records are kept in two generations: what is asked for moves to the young one, and when that has grown
heavy, at the end of a turn, the old one goes. So nothing goes while a command runs, and a body that was asked
for twice is one object: a view may change it in place and then set the record. A record that was set is
written by `Book.write` only, once a turn, however often it was set.

    "N" → no body has a number that is as high

Numbers are taken from a stretch that was reserved, so that they need not be written one by one.
"""

from collections.abc import Callable, Iterator
from typing import Any

from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS, EXPIRY, STAMP, VALUE, Record, has_body, newest
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb import bodies
from trio_dynomite.storage.rocksdb.calendar import DiskDeadlines, due
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record
from trio_dynomite.storage.rocksdb.disk import Disk, Pair
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
_UNKNOWN: Any = object()


def key_in(name: bytes) -> tuple[int, bytes]:
    """(slot, key) of a header key."""
    return int.from_bytes(name[len(RECORDS) : _HEAD]), name[_HEAD:]


class Book:
    """What the slots share: the disk, the records in memory, the numbers of bodies."""

    def __init__(self, disk: Disk, calendar: DiskDeadlines, summarize: Callable[[set[int]], None]) -> None:
        self._disk, self._summarize = disk, summarize
        self.calendar = calendar
        self.touched: set[int] = set()
        """Slots whose summary is to be written."""
        self.headers = disk.area(RECORDS)
        self._numbers = disk.area(NUMBERS)
        self.young: dict[bytes, Record | None] = {}
        """By header key; None: there is no such record."""
        self._old: dict[bytes, Record | None] = {}
        self._weight = 0
        self._dirty: dict[bytes, Record] = {}
        """Set, and not yet written."""
        told = self._numbers.get(NUMBERS)
        self.next_number = self._reserved = 1 if told is None else int.from_bytes(told)

    def load(self, name: bytes) -> Record | None:
        """The record under a header key that is not among the young."""
        record: Record | None = self._old.get(name, _UNKNOWN)
        if record is _UNKNOWN:
            record = self._dirty.get(name)
            data = self.headers.get(name) if record is None else None
            if data is not None:
                record = self._decode(name, data)
        self.keep(name, record)
        return record

    def keep(self, name: bytes, record: Record | None) -> None:
        """Have `record` in memory."""
        self.young[name] = record
        self._weight += _WEIGHT
        if record is not None:
            value = record[VALUE]
            if type(value) is bytes:
                self._weight += len(value)
            elif type(value) is str:
                body = record[COUNTS]
                self._weight += _BODY_WEIGHT + (len(body) if type(body) is OpaqueBody else 0)

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

    def set(self, name: bytes, record: Record) -> None:
        """The record under `name`, whose body is shelved, is to be written."""
        self._dirty[name] = self.young[name] = record
        value = record[1]
        self._weight += _WEIGHT + (len(value) if type(value) is bytes else _BODY_WEIGHT if value else 0)

    def weigh(self, size: int) -> None:
        """A record that was set has so many bytes that are not in its value."""
        self._weight += size

    def delete(self, name: bytes) -> None:
        """There is no record under `name` any more."""
        self._dirty.pop(name, None)
        self.headers.put(name, None)
        self.keep(name, None)

    def write(self) -> None:
        """Put every header that was set where scans find it."""
        if not self._dirty:
            return
        pairs: list[tuple[bytes, bytes | None]] = []
        for name, record in self._dirty.items():
            if record[4] is None and not record[2] and type(record[1]) is bytes:
                data = b"b" + record[0].to_bytes(12) + record[1]  # as `encode_record` does
            else:
                if has_body(record):
                    record = (*record[:COUNTS], bodies.header(record[COUNTS]))
                data = encode_record(record)
            pairs.append((name, data))
        self.headers.put_all(pairs)
        self._dirty.clear()

    def commit(self) -> None:
        """A turn is over: write everything, at once, and let go of what has not been asked for lately."""
        self.write()
        if self.touched:
            self._summarize(self.touched)
            self.touched.clear()
        self._disk.commit()
        if self._weight > _GENERATION_BYTES:
            self._old, self.young, self._weight = self.young, {}, 0

    def forget(self) -> None:
        """Nothing is in memory any more."""
        self.commit()
        self.young, self._old, self._weight = {}, {}, 0


class Slot:
    """`store.Records` of one slot."""

    __slots__ = ("_book", "_head", "_slot", "newest", "size", "volatile")

    def __init__(self, book: Book, slot: int) -> None:
        self._book, self._slot, self._head = book, slot, HEADS[slot]
        self.size = 0
        """How many records there are."""
        self.newest = 0
        """No record has a newer stamp."""
        self.volatile = 0
        """How many records are in the calendar."""

    def __len__(self) -> int:
        return self.size

    def get(self, key: bytes, default: Any = None) -> Any:
        """The record of `key`."""
        name = self._head + key
        record = self._book.young.get(name, _UNKNOWN)
        if record is _UNKNOWN:
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
        old = book.young.get(name, _UNKNOWN)
        if old is _UNKNOWN:
            old = book.load(name)
        book.touched.add(self._slot)
        if record[4] is None and not record[2] and (old is None or (old[4] is None and not old[2])):
            # A plain value over nothing or over another, which is what most writes are.
            self.size += old is None
            if record[0] > self.newest:
                self.newest = record[0]
            book.set(name, record)
        else:
            self._set(key, name, old, record)

    def _set(self, key: bytes, name: bytes, old: Record | None, record: Record) -> None:
        body = record[COUNTS]
        if has_body(record):
            shelved = self._book.shelved(name, body)
            if shelved is not body:
                body, record = shelved, (*record[:COUNTS], shelved)
            if type(body) is OpaqueBody:
                self._book.weigh(len(body))
        if old is None:
            self.size += 1
        elif old[COUNTS] is not body and has_body(old):
            bodies.drop(old[COUNTS])
        self.note(record)
        self.date(key, old, record)
        self._book.set(name, record)

    def date(self, key: bytes, old: Record | None, record: Record | None) -> None:
        """Have the calendar tell what `record` does, where it told what `old` did."""
        before, after = _told(old), 0 if record is None else due(record)
        if before != after:
            self._book.calendar.move(self._slot, key, before, after)
            self.volatile += (after > 0) - (before > 0)
        if record is not None and has_body(record):
            record[COUNTS].shelf.due_ms = after

    def note(self, record: Record) -> None:
        """Keep `newest` true, now that `record` is here."""
        stamp = newest(record) if record[EXPIRY] or record[COUNTS] is not None else record[STAMP]
        if stamp > self.newest:
            self.newest = stamp

    def __delitem__(self, key: bytes) -> None:
        old = self[key]
        if has_body(old):
            bodies.drop(old[COUNTS])
        self.size -= 1
        self.date(key, old, None)
        self._book.touched.add(self._slot)
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


def _told(record: Record | None) -> int:
    """Under which time a record stands in the calendar; its body may have been changed since."""
    if record is None:
        return 0
    if has_body(record):
        due_ms: int = record[COUNTS].shelf.due_ms
        return due_ms
    return due(record)
