"""The commands on all keys of the cluster, each a walk: what to ask, how to fold, what to answer.

A walk takes several turns, and nothing more of its client runs meanwhile: what follows a flush in a pipeline
must not be flushed, nor be seen by what asked how many keys there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trio_dynomite.commands.rdb_module import may_be_module_type
from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator import survey
from trio_dynomite.coordinator.walk import SLOTS_A_SLICE, Walk, stretches
from trio_dynomite.protocol import replies
from trio_dynomite.storage.contract import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine

_BAD_CURSOR = replies.error("ERR invalid cursor")
_SYNTAX = replies.error("ERR syntax error")
_COUNT_DEFAULT = 10
_FLUSHES = frozenset(["flushall", "flushdb"])
_NO_LIST = replies.error(
    "ERR this cluster's storage cannot tell which keys it has (memcached, or a Redis without stamps)"
)


def submit(engine: Engine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Start the walk of a KEYSPACE command."""
    if not engine.keyspace.store.capabilities.can_list and row.name not in _FLUSHES:
        return _NO_LIST
    return _COMMANDS[row.name](engine, args, caller)


def _keys(engine: Engine, args: list[bytes], caller: Caller) -> bytes | None:
    found: list[bytes] = []

    def fold(keys: list[bytes]) -> bool:
        found.extend(keys)
        return True

    walk = _walk(
        engine, caller, survey.KEYS, [args[1]], SLOTS_A_SLICE, fold, lambda: replies.bulk_array(found)
    )
    return walk.start(caller.block)


def _dbsize(engine: Engine, args: list[bytes], caller: Caller) -> bytes | None:
    total = 0

    def fold(count: int) -> bool:
        nonlocal total
        total += count
        return True

    walk = _walk(engine, caller, survey.COUNT, [], SLOTS, fold, lambda: replies.integer(total))
    return walk.start(caller.block)


def _randomkey(engine: Engine, args: list[bytes], caller: Caller) -> bytes | None:
    chosen: list[bytes] = []

    def fold(keys: list[bytes]) -> bool:
        chosen.extend(keys)
        return not chosen

    def finish() -> bytes:
        return replies.bulk(chosen[0]) if chosen else replies.NULL[caller.resp]

    walk = _walk(engine, caller, survey.RANDOM, [], SLOTS_A_SLICE, fold, finish)
    everything = list(walk.stretches)
    everything.sort(key=lambda stretch: engine.keyspace.rng.random())
    walk.stretches = iter(everything)
    return walk.start(caller.block)


def _flush(engine: Engine, args: list[bytes], caller: Caller) -> bytes | None:
    if len(args) > 2 or (len(args) == 2 and args[1].upper() not in (b"SYNC", b"ASYNC")):
        return _SYNTAX
    walk = _walk(engine, caller, survey.FLUSH, [], SLOTS_A_SLICE, lambda _: True, lambda: replies.OK)
    return walk.start(caller.block)


def _walk(
    engine: Engine, caller: Caller, what: bytes, args: list[Any], slots_max: int, fold: Any, finish: Any
) -> Walk:
    return Walk(engine, what, args, caller.write_level, stretches(engine, slots_max), fold, finish)


def _scan(engine: Engine, args: list[bytes], caller: Caller) -> bytes | None:
    try:
        cursor = int(args[1]) if args[1].isdigit() else -1
        pattern, count, kind = _scan_options(args[2:])
    except ValueError as error:
        return replies.error(str(error))
    partitioner = engine.table.view.partitioner
    if not 0 <= cursor < SLOTS << survey.PLACE_BITS:
        return _BAD_CURSOR
    found: list[bytes] = []
    state = {"cursor": cursor}
    begin = survey.cursor_position(partitioner, cursor)
    ring = stretches(engine, SLOTS, begin)
    walk = Walk(
        engine, survey.SCAN, [cursor, count, pattern, kind], caller.write_level, ring, _never, _nothing
    )

    def fold(value: list[Any]) -> bool:
        found.extend(value[1])
        assert walk.stretch is not None
        following = value[0]
        if following is None:
            following = survey.position_cursor(partitioner, walk.stretch.last + 1)
        if following >= SLOTS << survey.PLACE_BITS:
            following = 0
        state["cursor"] = following
        walk.args = [following, count - len(found), pattern, kind]
        return following != 0 and value[0] is None and len(found) < count

    def finish() -> bytes:
        return replies.array([replies.bulk(b"%d" % state["cursor"]), replies.bulk_array(found)])

    walk.fold, walk.finish = fold, finish
    return walk.start(caller.block)


def _never(value: Any) -> bool:
    return False


def _nothing() -> bytes:
    return replies.OK


_TYPES = frozenset([b"string", b"list", b"set", b"zset", b"hash", b"stream"])


def _scan_options(options: list[bytes]) -> tuple[bytes | None, int, bytes | None]:
    """(pattern, count, type). Raises ValueError with the error's text."""
    pattern, count, kind = None, _COUNT_DEFAULT, None
    if len(options) % 2:
        raise ValueError("ERR syntax error")
    for name, value in zip(options[::2], options[1::2], strict=True):
        word = name.upper()
        if word == b"COUNT":
            if not value.lstrip(b"-").isdigit():
                raise ValueError("ERR value is not an integer or out of range")
            count = int(value)
            if count < 1:
                raise ValueError("ERR syntax error")
        elif word == b"MATCH":
            pattern = value
        elif word == b"TYPE":
            kind = value.lower()
            if kind not in _TYPES and not may_be_module_type(kind):
                raise ValueError(f"ERR unknown type name '{value.decode('latin-1')}'")
        else:
            raise ValueError("ERR syntax error")
    return pattern, count, kind


_COMMANDS = {
    "keys": _keys,
    "dbsize": _dbsize,
    "randomkey": _randomkey,
    "flushall": _flush,
    "flushdb": _flush,
    "scan": _scan,
}
