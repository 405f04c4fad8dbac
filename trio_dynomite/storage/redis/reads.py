"""What a server's answer tells of a key: its record, from the head, the native value and the cells.

A native key that has passed its deadline is gone, and its head is still there: that is a record which has
lost its value to its deadline. Where a value is missing for no such reason, the server has lost it, and what
the head says is worth nothing. A native key without a head was written by somebody else, before this node had
the server: it counts as older than anything a node writes. What a module made is told as its payload, which
stands beside the key where the server has not got that module.
"""

from collections.abc import Iterable
from typing import Any

from trio_dynomite.data.cells import HASH, SET, SORTED_SET, Cells
from trio_dynomite.data.entry_id import SEQUENCE_BITS
from trio_dynomite.data.opaque import OPAQUE, OpaqueBody
from trio_dynomite.data.record import COUNTS, STAMP, VALUE, Record
from trio_dynomite.data.sequence import LIST, ListBody
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.storage.redis.cells import FOREIGN, decode, decode_cell, value_in
from trio_dynomite.storage.redis.heads import STREAM, Told, decode_head
from trio_dynomite.storage.redis.shelf import RedisShelf, adopt

_STRING = "string"
_OWN = (LIST, STREAM, HASH, SET, SORTED_SET)


def record_in(key: bytes, answer: list[Any]) -> Record | None:
    """The record in the answer to `read`; None: nothing is known of the key."""
    head, kind, native, *beside = answer
    type_ = kind.decode()
    if head is None:
        return _foreign(key, type_, native)
    record = decode_head(head)
    told, value = record[COUNTS], record[VALUE]
    if isinstance(told, Told) and told.kind == OPAQUE and value is not None:
        return _opaque(key, record, native if type_ == value else None, beside[1])
    if value is not None and type_ != (value if type(value) is str else _STRING):
        return _without_value(record)
    if isinstance(told, Told):
        cells, groups = beside
        return (*record[:COUNTS], _body(key, told, native if value is not None else None, cells, groups))
    return record if value is not True else (record[STAMP], native, *record[VALUE + 1 :])


def _opaque(key: bytes, record: Record, native: bytes | None, beside: bytes | None) -> Record | None:
    payload = native or beside
    if payload is None:
        return _without_value(record)
    return (*record[:COUNTS], _adopted(key, OpaqueBody(record[VALUE], payload)))


def _adopted(key: bytes, body: Any) -> Any:
    adopt(key, body)
    return body


def _without_value(record: Record) -> Record | None:
    """A record whose native key is gone: it has expired, or is lost."""
    stamp, _, expiry, deadline, extra = record
    if not deadline:
        return None
    return (stamp, None, expiry, deadline, (extra.made or None) if isinstance(extra, Told) else extra)


def _foreign(key: bytes, type_: str, native: Any) -> Record | None:
    if type_ == _STRING:
        return (FOREIGN, native, 0, 0, None)
    if native is None:
        return None
    if type_ not in _OWN:
        return (FOREIGN, type_, 0, 0, _adopted(key, OpaqueBody(type_, native)))
    stamp = FOREIGN if type_ in (LIST, STREAM) else 0
    return (stamp, type_, 0, 0, _body(key, Told(type_, made=FOREIGN), native, [], None))


def _body(key: bytes, told: Told, native: Any, cells: list[bytes], groups: bytes | None) -> Any:
    if told.kind == LIST:
        return _list(key, native or [])
    if told.kind == STREAM:
        return _stream(key, told, native or [], groups)
    return _cells(key, told, native or [], cells)


def _list(key: bytes, native: list[bytes]) -> ListBody:
    body = ListBody()
    body.items.extend(native)
    adopt(key, body)
    return body


def _stream(key: bytes, told: Told, native: list[Any], groups: bytes | None) -> StreamBody:
    body = StreamBody()
    for entry_id, fields in native:
        body.entries[_id_in(entry_id)] = tuple(fields)
    body.last_id, body.max_deleted_id, body.added = told.counters
    if not body.last_id and native:
        body.last_id, body.added = body.top_id, len(native)
    if groups is not None:
        body.groups = {name: Group.unpack(group) for name, group in decode(groups)}
    adopt(key, body)
    assert isinstance(body.shelf, RedisShelf)
    body.shelf.counters_told = (body.last_id, body.max_deleted_id, body.added)
    return body


def _id_in(text: bytes) -> int:
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds) << SEQUENCE_BITS | int(sequence)


def _cells(key: bytes, told: Told, native: list[bytes], listed: list[bytes]) -> Cells:
    """The cells, each with its native value; the sums are those of what was found."""
    kind = told.kind
    body = Cells(kind)
    values = dict(_elements(kind, native))
    for element, data in zip(listed[::2], listed[1::2], strict=True):
        cell = decode_cell(kind, data, values.pop(element, None))
        if cell is not None:
            body.put(element, cell)
    for element, value in values.items():
        body.put(element, (FOREIGN, value_in(kind, value), 0, 0, None))
    body.made = told.made
    adopt(key, body)
    return body


def _elements(kind: str, native: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """(element, native value) of a reply."""
    if kind in (HASH, SORTED_SET):
        return zip(native[::2], native[1::2], strict=True)
    return [(member, b"") for member in native]
