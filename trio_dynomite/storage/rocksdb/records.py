"""The records of a slot on disk: one header a key, and what is kept in memory of them.

    "R", slot (2 bytes), key → the record, with the header of its body in the body's place

Decoded records are kept in two generations: what is asked for moves to the young one, and when that has grown
heavy, at the end of a turn, the old one goes. So nothing goes while a command runs, and a body that was asked
for twice is one object: a view may change it in place and then set the record. A record that was set is
written by `Book.write` only, once a turn, however often it was set.
"""

from collections.abc import Iterator
from typing import Any

from trio_dynomite.data.record import COUNTS, EXPIRY, STAMP, VALUE, Record, has_body, newest
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb import bodies
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record
from trio_dynomite.storage.rocksdb.disk import Disk, Pair
from trio_dynomite.storage.rocksdb.shelf import DiskShelf

RECORDS = b"R"
_SLOT_BYTES = 2
_HEAD = len(RECORDS) + _SLOT_BYTES
"""Where the key begins."""
HEADS = [RECORDS + slot.to_bytes(_SLOT_BYTES) for slot in range(SLOTS + 1)]
"""What the keys of all headers in a slot begin with; those of one slot end where the next begin."""
_GENERATION_BYTES = 32 << 20
_WEIGHT, _BODY_WEIGHT = 300, 12_000
"""What a record and a body are taken to weigh in memory beside the value."""
_SETS_MAX = 4096
"""So often a record is set before all is written though nobody says that a turn is over."""
_UNKNOWN: Any = object()


def key_in(name: bytes) -> tuple[int, bytes]:
    """(slot, key) of a header key."""
    return int.from_bytes(name[len(RECORDS) : _HEAD]), name[_HEAD:]


class Book:
    """What the slots share: the disk, the records in memory, the numbers of bodies."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.headers = disk.area(RECORDS)
        self.young: dict[bytes, Record | None] = {}
        """By header key; None: there is no such record."""
        self._old: dict[bytes, Record | None] = {}
        self._weight = 0
        self._dirty: dict[bytes, Record] = {}
        """Set, and not yet written."""
        self._sets = 0
        self.next_number = 1

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
                self._weight += _BODY_WEIGHT

    def read(self, name: bytes, data: bytes) -> Record:
        """The record that was found under `name`: as it is in memory, or else in `data`, and not kept."""
        return self.young.get(name) or self._old.get(name) or self._decode(name, data)

    def _decode(self, name: bytes, data: bytes) -> Record:
        record = decode_record(data)
        told = record[COUNTS]
        if type(told) is not list:
            return record
        return (*record[:COUNTS], bodies.body_of(self._disk, key_in(name)[0], name, told))

    def shelved(self, name: bytes, body: Any) -> Any:
        """`body` on a shelf of the record under `name`: itself if it is there, else a copy."""
        shelf = body.shelf
        if type(shelf) is DiskShelf and shelf.owner == name:
            return body
        slot, number = key_in(name)[0], self.next_number
        self.next_number += 1
        return body.on(DiskShelf(self._disk, slot, number, name, {}))

    def set(self, name: bytes, record: Record) -> None:
        """The record under `name`, whose body is shelved, is to be written."""
        self._dirty[name] = record
        self.keep(name, record)
        self._sets += 1
        if self._sets > _SETS_MAX:
            self.hand_over()

    def delete(self, name: bytes) -> None:
        """There is no record under `name` any more."""
        self._dirty.pop(name, None)
        self.headers.put(name, None)
        self.keep(name, None)

    def write(self) -> None:
        """Put every header that was set where scans find it."""
        put = self.headers.put
        for name, record in self._dirty.items():
            if has_body(record):
                record = (*record[:COUNTS], bodies.header(record[COUNTS]))
            put(name, encode_record(record))
        self._dirty.clear()

    def hand_over(self) -> None:
        """Write everything, at once; all stays in memory."""
        self.write()
        self._disk.commit()
        self._sets = 0

    def commit(self) -> None:
        """A turn is over: write everything, at once, and let go of what has not been asked for lately."""
        self.hand_over()
        if self._weight > _GENERATION_BYTES:
            self._old, self.young, self._weight = self.young, {}, 0

    def forget(self) -> None:
        """Nothing is in memory any more."""
        self.commit()
        self.young, self._old, self._weight = {}, {}, 0


class Slot:
    """`store.Records` of one slot."""

    __slots__ = ("_book", "_head", "newest", "size")

    def __init__(self, book: Book, slot: int) -> None:
        self._book, self._head = book, HEADS[slot]
        self.size = 0
        """How many records there are."""
        self.newest = 0
        """No record has a newer stamp."""

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
        name, old, body = self._head + key, self.get(key), record[COUNTS]
        if has_body(record):
            shelved = self._book.shelved(name, body)
            if shelved is not body:
                body, record = shelved, (*record[:COUNTS], shelved)
        if old is None:
            self.size += 1
        elif old[COUNTS] is not body and has_body(old):
            bodies.drop(old[COUNTS])
        self.note(record)
        self._book.set(name, record)

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
        return self._book.headers.walk(self._head, HEADS[key_in(self._head)[0] + 1])

    def values(self) -> Iterator[Record]:
        """Every record."""
        for _, record in self.items():
            yield record

    def clear(self) -> None:
        """Forget all of them."""
        for key in list(self):
            del self[key]
