"""Streams inside payloads: their entries in listpacks, their counters, their groups.

Entries stand in nodes. A node has an id to which the ids of its entries are relative, and a listpack that
begins with the fields of its first entry, which need not be repeated where they are the same. Redis 7 added
counters to streams and groups, 7.2 to consumers the time when they last got something. We write what Redis 7
reads, and so lose just that: after RESTORE it is the time when the consumer last asked.
"""

import enum
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from trio_dynomite.commands import rdb_listpack
from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.rdb import BAD_FORMAT, Reader, length_bytes, require, string_bytes
from trio_dynomite.commands.stream_counters import position
from trio_dynomite.data.entry_id import PART_MAX, SEQUENCE_BITS, encode
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.errors import CommandError

STREAM = 19
"""The type code that we write: `StreamForm.REDIS_7`."""

_DELETED = 1
_SAME_FIELDS = 2
_ID_BYTES = 16
_NODE_ENTRIES_MAX = 100
_NODE_BYTES_MAX = 4096
_UNKNOWN = PART_MAX
"""How -1 is written: a group does not know how many entries it has read."""
_NEVER = -1


class StreamForm(enum.IntEnum):
    """Which version of the format a payload has."""

    REDIS_5 = 15
    REDIS_7 = 19
    REDIS_7_2 = 21


def read_stream(reader: Reader, form: StreamForm) -> StreamBody:
    """The stream that stands next in `reader`. Raises CommandError at what is damaged."""
    body = StreamBody()
    for _ in range(reader.length()):
        for entry_id, fields in _node_entries(reader):
            require(entry_id > body.last_id)
            body.add(encode(entry_id), fields, None)
    length, last_id = reader.length(), _id(reader)
    require(length == len(body) and last_id >= body.last_id)
    body.last_id, body.added = last_id, length
    if form >= StreamForm.REDIS_7:
        _id(reader)  # the first id, which the entries tell
        body.max_deleted_id, body.added = _id(reader), reader.length()
    for _ in range(reader.length()):
        name = reader.string()
        require(name not in body.groups)
        body.groups[name] = _read_group(reader, form, body)
    return body


def operations(body: StreamBody) -> Iterator[list[Any]]:
    """The operations that make of an empty stream one like `body`, in order."""
    for entry_id in body.entries.irange():
        yield [b"add", encode(entry_id), list(body.entries.get(entry_id)), None]
    yield [b"setid", encode(body.last_id), body.added, encode(body.max_deleted_id)]
    for name, group in body.groups.items():
        yield [b"group", name, encode(group.last_id), group.entries_read]
        for consumer in group.consumers.values():
            yield [b"see", name, consumer.name, consumer.seen_ms, consumer.active_ms]
        for (owner, time_ms), alike in groupby(group.pending.items(), lambda item: item[1][:2]):
            pending = list(alike)
            ids, counts = [encode(entry_id) for entry_id, _ in pending], [state[2] for _, state in pending]
            yield [b"claim", name, owner, ids, time_ms, counts]


def stream_bytes(body: StreamBody) -> bytes:
    """What `read_stream` reads in the form of Redis 7."""
    nodes = list(_nodes(body))
    pieces = [length_bytes(len(nodes)), *nodes]
    counters = (body.last_id, body.first_id, body.max_deleted_id)
    pieces += [length_bytes(len(body)), *map(_id_lengths, counters), length_bytes(body.added)]
    pieces.append(length_bytes(len(body.groups)))
    pieces += [_group_bytes(name, group) for name, group in body.groups.items()]
    return b"".join(pieces)


# ---- reading ----------------------------------------------------------------------------------------


def _node_entries(reader: Reader) -> Iterator[tuple[int, list[bytes]]]:
    """The entries of a node that are not deleted: ids, and fields and values in turn."""
    key = reader.string()
    require(len(key) == _ID_BYTES)
    milliseconds, sequence = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
    elements = rdb_listpack.unpack(reader.string())
    require(elements)
    count, deleted, width = map(_number, _part(elements, 0, 3))
    require(count >= 0 and deleted >= 0 and width >= 0)
    names = _part(elements, 3, width)
    require(_part(elements, 3 + width, 1) == [b"0"])
    at, live = 4 + width, 0
    for _ in range(count + deleted):
        flags, after_ms, after = map(_number, _part(elements, at, 3))
        fields, size = _fields(elements, at + 3, names, same=bool(flags & _SAME_FIELDS))
        require(_part(elements, at + 3 + size, 1) == [b"%d" % (3 + size)])
        at += 4 + size
        if not flags & _DELETED:
            live += 1
            yield (milliseconds + after_ms & PART_MAX) << SEQUENCE_BITS | sequence + after & PART_MAX, fields
    require(at == len(elements) and live == count)


def _fields(elements: list[bytes], at: int, names: list[bytes], *, same: bool) -> tuple[list[bytes], int]:
    """Fields and values in turn, and how many elements they took."""
    if same:
        values = _part(elements, at, len(names))
        return [piece for pair in zip(names, values, strict=True) for piece in pair], len(names)
    width = _number(_part(elements, at, 1)[0])
    require(width >= 0)
    return _part(elements, at + 1, 2 * width), 1 + 2 * width


def _part(elements: list[bytes], at: int, count: int) -> list[bytes]:
    part = elements[at : at + count]
    require(len(part) == count)
    return part


def _number(text: bytes) -> int:
    number = parse_int64(text)
    if number is None:
        raise CommandError(BAD_FORMAT)
    return number


def _id(reader: Reader) -> int:
    return reader.length() << SEQUENCE_BITS | reader.length()


def _read_group(reader: Reader, form: StreamForm, body: StreamBody) -> Group:
    group = Group(_id(reader), None)
    if form >= StreamForm.REDIS_7:
        entries_read = reader.length()
        group.entries_read = None if entries_read == _UNKNOWN else entries_read
    else:
        group.entries_read = position(body, group.last_id)
    deliveries: dict[int, tuple[int, int]] = {}
    for _ in range(reader.length()):
        entry_id = int.from_bytes(reader.take(_ID_BYTES), "big")
        require(entry_id not in deliveries)
        deliveries[entry_id] = reader.number(8, signed=True), reader.length()
    for _ in range(reader.length()):
        _read_consumer(reader, form, group, deliveries)
    require(not deliveries)
    return group


def _read_consumer(
    reader: Reader, form: StreamForm, group: Group, deliveries: dict[int, tuple[int, int]]
) -> None:
    """Read a consumer, and give it what it has of `deliveries`."""
    name = reader.string()
    require(name not in group.consumers)
    seen_ms = active_ms = reader.number(8, signed=True)
    if form >= StreamForm.REDIS_7_2:
        active_ms = reader.number(8, signed=True)
    consumer = group.see(name, seen_ms, None if active_ms == _NEVER else active_ms)
    for _ in range(reader.length()):
        entry_id = int.from_bytes(reader.take(_ID_BYTES), "big")
        require(entry_id in deliveries)
        time_ms, count = deliveries.pop(entry_id)
        group.assign(consumer, [entry_id], time_ms, [count])


# ---- writing ----------------------------------------------------------------------------------------


def _nodes(body: StreamBody) -> Iterator[bytes]:
    """The entries, so many to a node as Redis puts there by default."""
    entries: list[tuple[int, tuple[bytes, ...]]] = []
    size = 0
    for entry_id in body.entries.irange():
        fields = body.entries.get(entry_id)
        if entries and (size >= _NODE_BYTES_MAX or len(entries) >= _NODE_ENTRIES_MAX):
            yield _node(entries)
            entries, size = [], 0
        entries.append((entry_id, fields))
        size += sum(map(len, fields))
    if entries:
        yield _node(entries)


def _node(entries: list[tuple[int, tuple[bytes, ...]]]) -> bytes:
    first_id, first_fields = entries[0]
    names = first_fields[::2]
    elements: list[bytes | int] = [len(entries), 0, len(names), *names, 0]
    for entry_id, fields in entries:
        after_ms = _signed((entry_id >> SEQUENCE_BITS) - (first_id >> SEQUENCE_BITS))
        after = _signed((entry_id & PART_MAX) - (first_id & PART_MAX))
        if fields[::2] == names:
            content: list[bytes | int] = [*fields[1::2]]
            flags = _SAME_FIELDS
        else:
            content, flags = [len(fields) // 2, *fields], 0
        elements += [flags, after_ms, after, *content, 3 + len(content)]
    return string_bytes(encode(first_id)) + string_bytes(rdb_listpack.pack(elements))


def _signed(number: int) -> int:
    """The 64-bit integer that is the same as `number` when counting goes round."""
    return (number + (1 << 63) & PART_MAX) - (1 << 63)


def _id_lengths(entry_id: int) -> bytes:
    return length_bytes(entry_id >> SEQUENCE_BITS) + length_bytes(entry_id & PART_MAX)


def _group_bytes(name: bytes, group: Group) -> bytes:
    entries_read = _UNKNOWN if group.entries_read is None else group.entries_read
    pieces = [string_bytes(name), _id_lengths(group.last_id), length_bytes(entries_read)]
    pieces.append(length_bytes(len(group.pending)))
    for entry_id, (_, time_ms, count) in group.pending.items():
        pieces += [encode(entry_id), time_ms.to_bytes(8, "little", signed=True), length_bytes(count)]
    pieces.append(length_bytes(len(group.consumers)))
    for consumer in group.consumers.values():
        pieces += [string_bytes(consumer.name), consumer.seen_ms.to_bytes(8, "little", signed=True)]
        pieces += [length_bytes(len(consumer.pending)), *map(encode, consumer.pending)]
    return b"".join(pieces)
