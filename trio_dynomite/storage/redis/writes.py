"""The commands that make a server's record of a key what it is here: as few as what was noted asks for."""

from collections.abc import Iterable
from typing import Any

from attrs import define

from trio_dynomite.commands.dump import encode as dumped
from trio_dynomite.commands.rdb_stream import STREAM as STREAM_CODE
from trio_dynomite.commands.rdb_stream import stream_bytes
from trio_dynomite.data.cells import HASH, SET, SORTED_SET, Cells
from trio_dynomite.data.entry_id import PART_MAX, SEQUENCE_BITS
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS, DEADLINE, VALUE, Record, has_body, text
from trio_dynomite.data.sequence import LIST
from trio_dynomite.data.stream import StreamBody
from trio_dynomite.storage.redis.cells import encode, encode_cell, native_of
from trio_dynomite.storage.redis.heads import STREAM
from trio_dynomite.storage.redis.layout import cells_at, groups_at, heads_at
from trio_dynomite.storage.redis.library import NAME
from trio_dynomite.storage.redis.shelf import RedisShelf, adopt
from trio_dynomite.storage.servers.handshake import packed

_KEY, _CELLS, _GROUPS = 1, 3, 4
"""Numbers of keys in a function's KEYS."""
_ARGUMENTS_MAX = 1000
"""Of one command: Lua's stack takes 8000."""
_FIELDS_MAX = 7000
"""Fields and values of one entry of a stream; one that has more is restored with its stream."""
_REPLACE = NAME + b"_replace"
_ADDS = {HASH: b"HSET", SET: b"SADD", SORTED_SET: b"ZADD"}
_TAKES = {HASH: b"HDEL", SET: b"SREM", SORTED_SET: b"ZREM"}

Command = list[Any]
"""A name, the number of a key, arguments."""


@define(eq=False)
class Held:
    """The record that the server was told, or that it told."""

    record: Record | None
    head: bytes = b""
    is_sure: bool = False
    """It has answered that it has it."""


def changes_of(key: bytes, record: Record, before: Record) -> list[Command] | None:
    """What makes the key what it is here, where the server has what was before; None: everything anew.

    What was noted is forgotten hereby."""
    if has_body(record):
        changes = _noted(key, record) if record[COUNTS] is before[COUNTS] else None
        return None if changes is None else changes + _dated(record, before)
    if is_simple(record) and is_simple(before) and has_same_value(record, before):
        return _dated(record, before)
    return None


def is_simple(record: Record | None) -> bool:
    """Is it a string or nothing, and never was anything else beside it at the server?"""
    return record is None or record[COUNTS] is None or type(record[COUNTS]) is tuple


def has_same_value(record: Record, before: Record | None) -> bool:
    """Do two strings differ in nothing that the native key shows but the deadline?"""
    same = before is not None and record[VALUE] is before[VALUE] and record[COUNTS] == before[COUNTS]
    return same and record[VALUE] is not None


def replace(key: bytes, slot: int, record: Record | None, head: bytes) -> bytes:
    """The request for everything of a key anew."""
    commands: list[Command] = []
    if record is not None:
        if has_body(record):
            body = record[COUNTS]
            if type(body.shelf) is not RedisShelf or body.shelf.key != key:
                adopt(key, body)
            commands = _whole(body)
        elif record[VALUE] is not None:
            commands = [[b"SET", _KEY, text(record)]]
        commands += _dated(record, None)
    return packed("FCALL", _REPLACE, 4, *keys_of(key, slot), head, *flat(commands))


def _dated(record: Record, before: Record | None) -> list[Command]:
    """Give the native key its deadline: always, since it may have been emptied in between."""
    if record[VALUE] is None:
        return []
    places = (_KEY, _GROUPS) if type(record[COUNTS]) is OpaqueBody else (_KEY,)
    if record[DEADLINE]:
        return [[b"PEXPIREAT", place, b"%d" % record[DEADLINE]] for place in places]
    return [[b"PERSIST", place] for place in places] if before is not None and before[DEADLINE] else []


def keys_of(key: bytes, slot: int) -> tuple[bytes, bytes, bytes, bytes]:
    """What a function of one key gets as its keys."""
    return key, heads_at(slot), cells_at(key), groups_at(key)


def flat(commands: list[Command]) -> list[Any]:
    """The commands as arguments of a function."""
    return [word for command in commands for word in (len(command) - 2, *command)]


def _many(name: bytes, where: int, arguments: list[bytes]) -> list[Command]:
    """A command with any number of arguments, cut into several."""
    cuts = range(0, len(arguments), _ARGUMENTS_MAX)
    return [[name, where, *arguments[at : at + _ARGUMENTS_MAX]] for at in cuts]


# Everything of a body


def _whole(body: Any) -> list[Command]:
    """The commands that make a body where nothing is."""
    if body.kind == LIST:
        body.items.taken()
        return _many(b"RPUSH", _KEY, list(body.items))
    if body.kind == STREAM:
        return _whole_stream(body)
    if type(body) is OpaqueBody:
        return [[b"OPAQUE", _KEY, body.payload]]
    body.cells.taken()
    return _cells(body, body.cells.items())


def _whole_stream(body: Any) -> list[Command]:
    body.entries.taken()
    commands: list[Command] = []
    shelf: RedisShelf = body.shelf
    shelf.counters_told = (0, 0, 0)
    if any([len(fields) > _FIELDS_MAX for fields in body.entries.values()]):
        bare = StreamBody(body.entries, body.last_id, body.max_deleted_id, body.added)
        shelf.counters_told = (body.last_id, body.max_deleted_id, body.added)
        commands = [[b"RESTORE", _KEY, b"0", dumped(STREAM_CODE, stream_bytes(bare)), b"REPLACE"]]
    elif len(body.entries):
        commands = _added(body, body.entries)
    else:
        shelf.counters_told = (1, 0, 1)
        commands = [[b"XADD", _KEY, b"MAXLEN", b"0", b"0-1", b"", b""]]
    shelf.groups_told = -1
    return commands + _counters(body) + _groups(body)


# What was noted of one


def _noted(key: bytes, record: Record) -> list[Command] | None:
    """The commands for what has changed since the last write; None: everything had better be written."""
    body = record[COUNTS]
    shelf = body.shelf
    if type(shelf) is not RedisShelf or shelf.key != key:
        return None
    if body.kind == LIST:
        return _noted_list(body)
    if body.kind == STREAM:
        return _noted_stream(body)
    if type(body) is OpaqueBody:
        return []
    changed = body.cells.taken()
    get = body.cells.get
    if len(changed) == 1:
        [element] = changed
        cell = get(element)
        if cell is not None and cell[VALUE] is not None and body.kind != SORTED_SET:
            return _one_cell(body.kind, element, cell)
    return _cells(body, [(element, get(element)) for element in changed], anew=False)


def _one_cell(kind: str, element: bytes, cell: Record) -> list[Command]:
    """The usual change: one field or member."""
    put = [b"SADD", _KEY, element] if kind == SET else [b"HSET", _KEY, element, native_of(kind, cell)]
    return [put, [b"HSET", _CELLS, element, encode_cell(kind, cell)]]


def _cells(
    body: Cells, elements: Iterable[tuple[bytes, Record | None]], *, anew: bool = True
) -> list[Command]:
    """Put elements and their cells; `anew`: nothing of them is there yet."""
    kind = body.kind
    put: list[bytes] = []
    taken: list[bytes] = []
    told: list[bytes] = []
    forgotten: list[bytes] = []
    for element, cell in elements:
        if cell is None:
            taken.append(element)
            forgotten.append(element)
            continue
        told += (element, encode_cell(kind, cell))
        if cell[VALUE] is None:
            taken.append(element)
        elif kind == SET:
            put.append(element)
        elif kind == HASH:
            put += (element, native_of(kind, cell))
        else:
            score = native_of(kind, cell)
            put += (score, element)
            if score in _ZEROS:
                taken.append(element)  # a native score of 0 does not become -0 otherwise
    commands = [] if anew else _many(_TAKES[kind], _KEY, taken) + _many(b"HDEL", _CELLS, forgotten)
    return commands + _many(_ADDS[kind], _KEY, put) + _many(b"HSET", _CELLS, told)


_ZEROS = (b"0.0", b"-0.0")


def _noted_list(body: Any) -> list[Command] | None:
    notes = body.items.taken()
    if notes is None:
        return None
    commands: list[Command] = []
    for name, arguments in notes:
        if name in (b"RPUSH", b"LPUSH"):
            commands += _many(name, _KEY, arguments)
        else:
            commands.append([name, _KEY, *arguments])
    return commands


def _noted_stream(body: Any) -> list[Command] | None:
    added, removed = body.entries.taken()
    if any([len(body.entries.get(number)) > _FIELDS_MAX for number in added]):
        return None
    return _removed(body, added, removed) + _added(body, added) + _counters(body) + _groups(body)


def _removed(body: Any, added: list[int], removed: list[int]) -> list[Command]:
    """Remove entries: those before all that stay by trimming, so that they do not count as deleted."""
    if not removed:
        return []
    new = set(added)
    first = next((number for number in body.entries.irange() if number not in new), None)
    inside = [] if first is None else [number for number in removed if number > first]
    commands: list[Command] = []
    if first is None:
        commands = [[b"XTRIM", _KEY, b"MAXLEN", b"0"]]
    elif len(inside) < len(removed):
        commands = [[b"XTRIM", _KEY, b"MINID", _id(first)]]
    if inside:
        last, most, count = body.shelf.counters_told
        body.shelf.counters_told = (last, max(most, inside[-1]), count)
    return commands + _many(b"XDEL", _KEY, [_id(number) for number in inside])


def _added(body: Any, ids: Iterable[int]) -> list[Command]:
    commands: list[Command] = []
    last, most, count = body.shelf.counters_told
    for number in ids:
        if number <= last:
            commands.append(_set_id(number - 1, count, min(most, number - 1)))
        commands.append([b"XADD", _KEY, _id(number), *body.entries.get(number)])
        last, count = number, count + 1
    body.shelf.counters_told = (last, most, count)
    return commands


def _counters(body: Any) -> list[Command]:
    counters = (body.last_id, body.max_deleted_id, body.added)
    if body.shelf.counters_told == counters:
        return []
    body.shelf.counters_told = counters
    return [_set_id(body.last_id, body.added, body.max_deleted_id)]


def _set_id(last: int, added: int, max_deleted: int) -> Command:
    return [b"XSETID", _KEY, _id(last), b"ENTRIESADDED", b"%d" % added, b"MAXDELETEDID", _id(max_deleted)]


def _groups(body: Any) -> list[Command]:
    shelf: RedisShelf = body.shelf
    if shelf.groups_told == body.group_changes:
        return []
    shelf.groups_told = body.group_changes
    if not body.groups:
        return [[b"DEL", _GROUPS]]
    return [[b"SET", _GROUPS, encode([[name, group.pack()] for name, group in body.groups.items()])]]


def _id(entry_id: int) -> bytes:
    return b"%d-%d" % (entry_id >> SEQUENCE_BITS, entry_id & PART_MAX)
