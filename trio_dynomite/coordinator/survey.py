"""Surveys: what a replica does with one stretch of the ring for a walk over the cluster.

A SCAN cursor is a place in an order that all replicas share: keys by ring position, then by hash. Any node
can take it up, and a node that dies in between changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import xxhash
from attrs import frozen

from trio_dynomite.commands.patterns import compile_glob
from trio_dynomite.coordinator.batch import nothing_done
from trio_dynomite.coordinator.here import slots_at_once, when_open
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import OK
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.topology.partitioner import Partitioner

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine

KEYS, COUNT, RANDOM, SCAN, FLUSH = b"keys", b"count", b"random", b"scan", b"flush"
PLACE_BITS = 48
_SCAN_SLOTS_MAX = 2048
_RING_SHIFT = 18
"""Bits of a 32-bit ring position below its slot."""

Answer = Callable[[Any], None]


@frozen
class Told:
    """Passes a batch's reply on to whoever asked for the survey."""

    answer: Answer

    def done(self, reply: bytes) -> None:
        """The reply."""
        self.answer(reply)


def perform(engine: Engine, request: list[Any], answer: Answer) -> None:
    """Survey a stretch: [what, first position, last position, level, argument…]."""
    what, first, last, level = request[:4]
    if not _is_one_stretch(engine, first, last):
        answer(None)
    elif what == FLUSH:
        _flush(engine, first, last, Level(level), answer)
    elif when_open(
        engine, _to_look_at(engine, request), lambda: perform(engine, request, answer), is_full=False
    ):
        answer(_LOOKS[what](engine, first, last, *request[4:]))


def _to_look_at(engine: Engine, request: list[Any]) -> list[int]:
    """The slots whose keys are looked at."""
    what, first, last = request[:3]
    if what == COUNT and engine.table.view.partitioner.ring_size == SLOTS:
        return []
    if what == SCAN:
        return list(_slots_from(engine, first, last, request[4]))
    return list(_slots(engine, first, last))


def _is_one_stretch(engine: Engine, first: int, last: int) -> bool:
    """Is this one part of our ring, too, and do we have a copy of it? Whoever asks may know another ring."""
    view = engine.table.view
    at = bisect_left(view.bounds, first)
    return view.ranges[at].last >= last and engine.table.of_position(first).is_replica


def key_place(partitioner: Partitioner, key: bytes) -> int:
    """Where `key` comes in its slot's order: the same on every replica, and along the ring."""
    hashed = int(xxhash.xxh3_64_intdigest(key))
    if partitioner.ring_size == SLOTS:
        return hashed & ((1 << PLACE_BITS) - 1)
    low = partitioner.position(key) & ((1 << _RING_SHIFT) - 1)
    return low << (PLACE_BITS - _RING_SHIFT) | hashed & ((1 << (PLACE_BITS - _RING_SHIFT)) - 1)


def cursor_position(partitioner: Partitioner, cursor: int) -> int:
    """The ring position at which a cursor stands."""
    if partitioner.ring_size == SLOTS:
        return cursor >> PLACE_BITS
    return cursor >> (PLACE_BITS - _RING_SHIFT)


def position_cursor(partitioner: Partitioner, position: int) -> int:
    """The cursor that stands at the beginning of a ring position."""
    if partitioner.ring_size == SLOTS:
        return position << PLACE_BITS
    return position << (PLACE_BITS - _RING_SHIFT)


def _slots(engine: Engine, first: int, last: int) -> range:
    slot_of = engine.table.view.partitioner.slot_of_position
    return range(slot_of(first), slot_of(last) + 1)


def _slots_from(engine: Engine, first: int, last: int, cursor: int) -> range:
    """The slots at which one step of a SCAN may look: so many that some keys are found, as a rule."""
    partitioner, store = engine.table.view.partitioner, engine.keyspace.store
    slots = _slots(engine, max(first, cursor_position(partitioner, cursor)), last)[:_SCAN_SLOTS_MAX]
    most = slots_at_once(engine, len(slots))
    filled = list(islice((slot for slot in slots if len(store.records[slot])), most))
    return slots if len(filled) < most else slots[: filled[-1] + 1 - slots[0]]


def _live_keys(
    engine: Engine, slot: int, first: int, last: int, wanted: bytes | None = None
) -> Iterator[bytes]:
    """The live keys of a slot whose ring position is in first..last; of one type, if one is wanted."""
    partitioner, now_ms = engine.table.view.partitioner, engine.now_ms
    is_whole = partitioner.ring_size == SLOTS
    for key, kind in engine.keyspace.store.living(slot, now_ms):
        is_here = is_whole or first <= partitioner.position(key) <= last
        if is_here and (wanted is None or kind.lower().encode() == wanted):
            yield key


def _keys(engine: Engine, first: int, last: int, pattern: bytes) -> list[bytes]:
    matches = compile_glob(pattern).fullmatch
    slots = _slots(engine, first, last)
    return [key for slot in slots for key in _live_keys(engine, slot, first, last) if matches(key)]


def _count(engine: Engine, first: int, last: int) -> int:
    if engine.table.view.partitioner.ring_size == SLOTS:
        return engine.keyspace.store.key_count(first, last)
    return sum(1 for slot in _slots(engine, first, last) for _ in _live_keys(engine, slot, first, last))


def _random(engine: Engine, first: int, last: int) -> list[bytes]:
    """A random key of the stretch, or none."""
    rng = engine.keyspace.rng
    for slot in sorted(_slots(engine, first, last), key=lambda slot: rng.random()):
        keys = list(_live_keys(engine, slot, first, last))
        if keys:
            return [keys[rng.randrange(len(keys))]]
    return []


def _scan(
    engine: Engine,
    first: int,
    last: int,
    cursor: int,
    count: int,
    pattern: bytes | None,
    wanted: bytes | None,
) -> list[Any]:
    """[the cursor to go on from, or None at the stretch's end; the keys from `cursor` on]."""
    partitioner = engine.table.view.partitioner
    matches = compile_glob(pattern).fullmatch if pattern is not None else None
    found: list[bytes] = []
    looked = 0
    for slot in _slots_from(engine, first, last, cursor):
        base = slot << PLACE_BITS
        keys = _live_keys(engine, slot, first, last, wanted)
        placed = [(base | key_place(partitioner, key), key) for key in keys]
        before = -1
        for place, key in sorted([entry for entry in placed if entry[0] >= cursor]):
            if looked >= count and place != before:
                return [place, found]
            before = place
            looked += 1
            if matches is None or matches(key):
                found.append(key)
        next_slot = slot + 1
    if next_slot > partitioner.slot_of_position(last):
        return [None, found]
    return [next_slot << PLACE_BITS, found]


def _flush(engine: Engine, first: int, last: int, level: Level, answer: Answer) -> None:
    route = engine.table.of_position(first)
    if not route.is_ready:
        answer(None)
        return
    if (reason := route.write_shortfall[level]) is not None:
        answer(nothing_done(reason))
        return
    if (refusal := engine.disk.refusal_of_flush()) is not None:
        answer(refusal)
        return
    batch = route.direct if level == Level.DC_EACH_SAFE_QUORUM else route.batch
    if not batch.effects:
        engine.dirty.append(route)
    engine.keyspace.effects = None if route.is_alone else batch.effects
    slots = _slots(engine, first, last)
    engine.keyspace.flush(slots[0], slots[-1])
    need = route.flush_acks(level)
    if need:
        batch.waiting.append((need, Told(answer), OK))
    else:
        answer(OK)


_LOOKS: dict[bytes, Callable[..., Any]] = {KEYS: _keys, COUNT: _count, RANDOM: _random, SCAN: _scan}
