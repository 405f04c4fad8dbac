"""What memcached's commands do to an item, classic or meta: store it, count with it, tell when it expires.

An item is a string of the one key space. Its marks are the client's 32 flags, and above them two bits of
leases: STALE (md or ms with I: somebody should bring a newer value) and SENT (somebody was told to). Marks
are written with the value; SENT alone is added later, which is done in one way only, as `data/record.py`
asks.

memcached adds to unsigned 64-bit numbers and keeps the length of a number that gets shorter, with spaces.
Here what fits into a counter is one (`Keyspace.count`), so that what two datacenters add is added up, and
the spaces are made when the item is read; any other number is written as a whole.
"""

import re

from attrs import frozen

from trio_dynomite.commands.numeric import INT64_MAX, parse_int64
from trio_dynomite.commands.record import Item
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.strings import tell_set
from trio_dynomite.errors import CommandError

FLAGS = (1 << 32) - 1
"""The client's part of the marks."""
STALE = 1 << 32
SENT = 1 << 33
MONTH_S = 60 * 60 * 24 * 30
"""What is more is a date, not a duration."""
OTHER_TYPE = b"SERVER_ERROR the key holds another type than a string\r\n"
_SPARE = 48 + 8 + 1 + 2
_WRAP = 1 << 64
_number = re.compile(rb"[\t-\r ]*\+?0*([0-9]{1,20})(?![^\t-\r ])").match

STORED, NOT_STORED, EXISTS, NOT_FOUND = range(4)
NON_NUMERIC = -1
MISMATCH = -2
ABSENT = -3


def item_at(ks: Keyspace, key: bytes) -> Item | None:
    """The item at `key` as memcached's clients see it; what is no string is none."""
    try:
        item = ks.item(key)
    except CommandError:
        return None
    if item is None or item[4] <= len(item[0]):
        return item
    return (item[0].ljust(item[4]), *item[1:])


def deadline_ms(exptime: int, now_ms: int) -> int:
    """When an item expires; 0: never. A negative time has passed already."""
    if not exptime:
        return 0
    if exptime < 0:
        return 1
    return exptime * 1000 + (now_ms if exptime <= MONTH_S else 0)


def weight(key: bytes, value: bytes, flags: int) -> int:
    """Bytes that memcached's limit of an item is compared with."""
    return _SPARE + len(key) + len(value) + (4 if flags else 0)


def put(ks: Keyspace, key: bytes, value: bytes, deadline: int, marks: int) -> None:
    """Write an item whole."""
    if marks:
        ks.put_item(key, value, deadline, marks)
    else:
        ks.put(key, value, deadline)
    if ks.wants_events:
        tell_set(ks, key, deadline)


def delete(ks: Keyspace, key: bytes) -> bool:
    """Delete what is at `key`, of whatever type; was there something?"""
    was_there = ks.delete(key)
    if was_there and ks.wants_events:
        ks.event("del", key)
    return was_there


def expire(ks: Keyspace, key: bytes, deadline: int) -> None:
    """The existing `key` expires then."""
    if deadline or ks.deadline(key):
        ks.expire(key, deadline)
        if ks.wants_events:
            ks.event("persist" if not deadline else "expire" if deadline > ks.now_ms else "expired", key)


@frozen
class Storing:
    """One storage command."""

    mode: int
    """Its letter as ms knows it (S E R A P), or C for cas."""
    flags: int = 0
    deadline: int = 0
    unique: int = 0
    """The version that the item must have; 0: any."""
    marks_stale: bool = False
    """A value that comes too late is taken, as a stale one."""
    item_max: int = 1 << 62
    """Bytes that an item may have in all."""


def store(ks: Keyspace, key: bytes, value: bytes, how: Storing) -> int:
    """Store `value`, if all is as it must be; STORED or why not."""
    item = item_at(ks, key)
    if item is None:
        return _store_new(ks, key, value, how)
    mode = how.mode
    if mode == _CAS:
        return _store_over(ks, key, value, how, item)
    if mode in _JOINING:
        return _lengthen(ks, key, value, how, item)
    if mode == _ADD:
        return NOT_STORED
    put(ks, key, value, how.deadline, how.flags)
    return STORED


_ADD, _REPLACE, _APPEND, _PREPEND, _CAS = b"ERAPC"
_JOINING = (_APPEND, _PREPEND)


def _store_new(ks: Keyspace, key: bytes, value: bytes, how: Storing) -> int:
    is_other = ks.kind(key) is not None
    if how.mode == _CAS:
        return EXISTS if is_other else NOT_FOUND
    if is_other and how.mode in _JOINING:
        raise CommandError(OTHER_TYPE.decode())
    if (how.mode == _ADD) if is_other else how.mode in (_REPLACE, *_JOINING):
        return NOT_STORED
    put(ks, key, value, how.deadline, how.flags)
    return STORED


def _store_over(ks: Keyspace, key: bytes, value: bytes, how: Storing, item: Item) -> int:
    _, marks, version, deadline, _ = item
    if how.unique == version:
        put(ks, key, value, how.deadline, how.flags)
    elif how.marks_stale and 0 < how.unique < version:
        put(ks, key, value, deadline, how.flags | STALE | marks & SENT)
    else:
        return EXISTS
    return STORED


def _lengthen(ks: Keyspace, key: bytes, piece: bytes, how: Storing, item: Item) -> int:
    value, marks, version, deadline, _ = item
    if how.unique not in (0, version):
        return EXISTS
    new = value + piece if how.mode == _APPEND else piece + value
    if weight(key, new, marks & FLAGS) > how.item_max:
        return NOT_STORED
    if marks > FLAGS:
        ks.put_item(key, new, deadline, marks & FLAGS)
    elif how.mode == _APPEND:
        ks.patch(key, new, b"append", piece)
    else:
        ks.patch(key, new, b"setrange", 0, new)
    if ks.wants_events:
        ks.event("append" if how.mode == _APPEND else "setrange", key)
    return STORED


def add(ks: Keyspace, key: bytes, delta: int, *, up: bool, unique: int = 0) -> int:
    """Add to the number at `key`, or subtract from it; the new number, or what is wrong (negative)."""
    item = item_at(ks, key)
    if item is None:
        return ABSENT if ks.kind(key) is None else NON_NUMERIC
    value, marks, version, deadline, counted = item
    if not value:
        return NON_NUMERIC
    if unique not in (0, version):
        return MISMATCH
    held = parse_int64(value.rstrip(b" ") if counted else value)
    number = max(held, 0) if held is not None and counted else _number_in(value)
    if number is None:
        return NON_NUMERIC
    new = (number + delta) % _WRAP if up else max(number - delta, 0)
    if held is not None and new <= INT64_MAX:
        ks.count(key, new - held)
    else:
        ks.put_item(key, (b"%d" % new).ljust(len(value)), deadline, marks)
    if ks.wants_events:
        ks.event("incrby", key)
    return new


def _number_in(value: bytes) -> int | None:
    found = _number(value)
    number = int(found[1]) if found else _WRAP
    return number if number < _WRAP else None
