"""Snapshots: all records of a store in memory as bytes, slot by slot, and back.

A snapshot is a mark and frames behind it. A frame is a length (4 bytes), a checksum (CRC-32 of its body, 4
bytes) and a body of MessagePack:

    the first      {format, node, time_ms, partitioner, …}
    of a slot      [slot, {floor, cutoff, …}, [key, record, key, record, …]], several of them where it is long
    the last       {records}

Both maps may get more entries; who does not know one skips it. It needs no single point in time: whatever a
record was when its turn came is joined with what the others know by now, and so is a floor. A slot's numbers
are never higher than its records are new: what was forgotten since under a higher cutoff is only missing.
"""

from collections.abc import Callable, Iterator, Mapping
from struct import Struct
from types import MappingProxyType
from typing import Any
from zlib import crc32

import msgspec

from trio_dynomite.data.merge import pack_body, unpack_body
from trio_dynomite.data.record import COUNTS, Record, has_body, newest
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.errors import SnapshotError
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record
from trio_dynomite.storage.store import Store

MARK = b"TDSNAP1\n"
FORMAT = 1
_PAGE_RECORDS, _PAGE_BYTES = 500, 256 << 10
_HEAD = Struct(">II")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode

NUMBERS: Mapping[str, Callable[[Store], list[int]]] = MappingProxyType(
    {"floor": lambda store: store.floors, "cutoff": lambda store: store.cutoffs}
)
"""What a store keeps of each slot beside its records, by the name that it has in a snapshot: stamps."""


def pieces(store: Store, facts: dict[str, Any]) -> Iterator[bytes]:
    """The bytes of a snapshot, a small piece at a time; the store may change between two."""
    yield MARK + _frame({"format": FORMAT, **facts})
    count = 0
    for slot in range(SLOTS):
        pairs = list(store.records[slot].items())
        numbers = {name: pack(kept(store)[slot]) for name, kept in NUMBERS.items() if kept(store)[slot]}
        if not pairs and not numbers:
            continue
        for page in _pages(pairs):
            yield _frame([slot, numbers, page])
            count += len(page) // 2
    yield _frame({"records": count})


def _pages(pairs: list[tuple[bytes, Record]]) -> Iterator[list[bytes]]:
    page: list[bytes] = []
    size = 0
    for key, record in pairs:
        data = _packed(record)
        page += (key, data)
        size += len(data)
        if len(page) >= 2 * _PAGE_RECORDS or size > _PAGE_BYTES:
            yield page
            page, size = [], 0
    if page or not pairs:
        yield page


def _packed(record: Record) -> bytes:
    return encode_record((*record[:COUNTS], pack_body(record[COUNTS])) if has_body(record) else record)


def _unpacked(data: bytes) -> Record:
    record = decode_record(data)
    told = record[COUNTS]
    return (*record[:COUNTS], unpack_body(told)) if type(told) is list else record


def _frame(body: Any) -> bytes:
    data = _encode(body)
    return _HEAD.pack(len(data), crc32(data)) + data


def load(read: Callable[[int], bytes], store: Store, partitioner: str) -> dict[str, Any]:
    """Put a snapshot into an empty store; what its first frame says. `read` gives so many bytes of it.

    Raises SnapshotError when it is damaged or of another kind; some of it is in the store then."""
    if read(len(MARK)) != MARK:
        raise SnapshotError("it is no snapshot of this version")
    frames = _frames(read)
    facts: dict[str, Any] = next(frames, {})
    mine, theirs = (FORMAT, partitioner), (facts.get("format"), facts.get("partitioner"))
    if mine != theirs:
        raise SnapshotError(f"it is of format and partitioner {theirs}, not {mine}")
    count = 0
    for body in frames:
        if isinstance(body, dict):
            if body["records"] != count or read(1):
                raise SnapshotError("it has more or fewer records than it says")
            store.is_restored = True
            return facts
        count += _join(store, *body)
    raise SnapshotError("its end is missing")


def _frames(read: Callable[[int], bytes]) -> Iterator[Any]:
    while head := read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise SnapshotError("its end is missing")
        length, checksum = _HEAD.unpack(head)
        data = read(length)
        if len(data) < length or crc32(data) != checksum:
            raise SnapshotError("it is damaged: a checksum is wrong")
        yield _decode(data)


def _join(store: Store, slot: int, numbers: dict[str, bytes], page: list[bytes]) -> int:
    for name, packed in numbers.items():
        if name in NUMBERS:
            kept, number = NUMBERS[name](store), unpack(packed)
            kept[slot] = max(kept[slot], number)
            store.newest = max(store.newest, number)
    store.bars[slot] = max(store.floors[slot], store.cutoffs[slot])
    for key, data in zip(page[::2], page[1::2], strict=True):
        record = _unpacked(data)
        store.set(slot, key, record)
        store.newest = max(store.newest, newest(record))
    return len(page) // 2
