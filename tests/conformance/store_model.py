"""A store that is obviously right: of every key all that was ever told of it, and its record is their join.

It keeps nothing by difference. What a store may forget, after a flush, an expiry or a collection, is
forgotten here: what is left of the record is the only fact then.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import xxhash
from attrs import define, evolve, field

from trio_dynomite.data import effect
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.effect import (
    COUNT,
    FIELDS,
    FLUSH,
    PATCH,
    RECORD,
    TALLY,
    Flat,
    pack_record,
    unpack_record,
)
from trio_dynomite.data.merge import merge, settle, winnow
from trio_dynomite.data.record import (
    ABSENT,
    COUNTS,
    DEADLINE,
    DIGEST_MASK,
    VALUE,
    Record,
    digest,
    newest,
    shell,
)
from trio_dynomite.data.stamp import NODE_BITS, milliseconds
from trio_dynomite.storage.contract import SLOTS

BUILDS_ON_A_CELL = (COUNT, PATCH, TALLY)
"""Effects that do not commute."""


@define
class Model:
    """What a store promises, worked out anew whenever somebody asks."""

    slot_of: Callable[[bytes], int]
    facts: dict[bytes, list[Any]] = field(factory=dict)
    """Key → packed records."""
    floors: dict[int, int] = field(factory=dict)
    cutoffs: dict[int, int] = field(factory=dict)

    def copy(self) -> "Model":
        """The same, from where both go on by themselves."""
        facts = {key: list(facts) for key, facts in self.facts.items()}
        return evolve(self, facts=facts, floors=dict(self.floors), cutoffs=dict(self.cutoffs))

    # What is known

    def floor(self, slot: int) -> int:
        """The newest flush."""
        return self.floors.get(slot, 0)

    def cutoff(self, slot: int) -> int:
        """Up to where what was dead has been forgotten."""
        return self.cutoffs.get(slot, 0)

    def bar(self, slot: int) -> int:
        """The higher of both."""
        return max(self.floor(slot), self.cutoff(slot))

    def get(self, key: bytes) -> Record:
        """The join of all facts; of an unknown key, that it was absent at the bar."""
        if key not in self.facts:
            return _absent(self.bar(self.slot_of(key)))
        return reduce(merge, map(unpack_record, self.facts[key]))

    def keys(self, slot: int) -> list[bytes]:
        """All that is known of a slot, tombstones included."""
        return [key for key in self.facts if self.slot_of(key) == slot]

    def records(self, slot: int) -> Iterator[tuple[bytes, Record]]:
        """The same, with the records."""
        return ((key, self.get(key)) for key in self.keys(slot))

    def sum(self, slot: int) -> int:
        """Of hash(key) * digest(record)."""
        weighed = [xxhash.xxh3_64_intdigest(key) * digest(record) for key, record in self.records(slot)]
        return sum(weighed) & DIGEST_MASK

    def slot_digest(self, slot: int) -> int:
        """What two replicas have in common that know the same."""
        return (self.sum(slot) + self.floor(slot) * SLOTS) & DIGEST_MASK

    def dead(self, slot: int) -> int:
        """Records without a value."""
        return sum(record[VALUE] is None for _, record in self.records(slot))

    # What is told

    def tell(self, origin: int, effects: Flat) -> list[bytes]:
        """The effects of a frame; the keys at which there is a gap."""
        rows = [effects[at : at + FIELDS] for at in range(0, len(effects), FIELDS)]
        return [row[2] for row in rows if not self._tell(origin, *row)]

    def _tell(
        self, origin: int, kind: int, slot: int, key: bytes, clock: int, payload: Any, deadline_ms: int
    ) -> bool:
        stamp = clock << NODE_BITS | origin
        if kind == FLUSH:
            self.flush(payload[0], payload[1], stamp)
        elif kind == RECORD:
            self.join(key, unpack_record(payload))
        elif stamp > self.cutoff(slot):
            new = effect.apply(self.get(key), kind, stamp, payload, deadline_ms, self.cutoff(slot))
            if new is None:
                return False
            fact = effect.apply(ABSENT, kind, stamp, payload, deadline_ms)
            if kind in BUILDS_ON_A_CELL or fact is None:
                fact = new
            else:
                joined = merge(self.get(key), unpack_record(pack_record(fact)))
                assert pack_record(new) == pack_record(joined), "an effect does what its record does"
            self._add(key, fact, _absent(self.bar(slot)))
        return True

    def join(self, key: bytes, record: Record, cutoff_there: int = 0) -> None:
        """What another replica knows of a key."""
        slot = self.slot_of(key)
        base = _absent(self.floor(slot))
        if cutoff_there < self.cutoff(slot):
            winnow(record, self.get(key), self.cutoff(slot))
            base = _absent(self.bar(slot))
        self._add(key, record, base)

    def _add(self, key: bytes, fact: Record, base: Record) -> None:
        """One more fact, beside `base` where nothing is known, unless all of it is dead."""
        facts = self.facts.get(key) or [pack_record(base)]
        told = pack_record(fact)
        record = reduce(merge, map(unpack_record, [*facts, told]))
        is_new = key in self.facts or record != base
        if is_new and newest(record) >= self.floor(self.slot_of(key)):
            self.facts[key] = [*facts, told]

    # What is forgotten

    def flush(self, first: int, last: int, stamp: int) -> None:
        """Everything older in these slots is dead."""
        for slot in range(first, last + 1):
            if stamp <= self.floor(slot):
                continue
            self.floors[slot] = stamp
            for key, record in [*self.records(slot)]:
                left = merge(record, _absent(stamp))
                self._leave(key, None if left == _absent(stamp) else left)

    def collect(self, slot: int, cutoff: int) -> None:
        """Everybody has heard of all that is as old: what is dead of it is forgotten."""
        if cutoff <= self.cutoff(slot):
            return
        self.cutoffs[slot] = cutoff
        for key, record in [*self.records(slot)]:
            body = record[COUNTS]
            if isinstance(body, Cells):
                for element, cell in [*body.cells.items()]:
                    if _is_past(cell, cutoff):
                        body.forget(element, cell)
                record = settle(record)
            has_dead_cells = isinstance(body, Cells) and body.dead
            self._leave(key, record if has_dead_cells or not _is_past(record, cutoff) else None)

    def expire(self, now_ms: int) -> None:
        """Whatever is due has no value any more."""
        for key in self.facts:
            record = self.get(key)
            if record[VALUE] is not None and 0 < record[DEADLINE] <= now_ms:
                self._leave(key, shell(record))
            elif (
                record[VALUE] is not None
                and isinstance(record[COUNTS], Cells)
                and record[COUNTS].sweep(now_ms)
            ):
                self._leave(key, settle(record))

    def forget(self, key: bytes) -> None:
        """Nothing is known of a key any more."""
        del self.facts[key]

    def _leave(self, key: bytes, record: Record | None) -> None:
        """This is all that is left of the facts."""
        if record is None:
            del self.facts[key]
        else:
            self.facts[key] = [pack_record(record)]


def _absent(stamp: int) -> Record:
    return (stamp, None, 0, 0, None)


def _is_past(record: Record, cutoff: int) -> bool:
    """Is it dead, and all of it as old?"""
    is_dead = record[VALUE] is None and newest(record) <= cutoff
    return is_dead and record[DEADLINE] <= milliseconds(cutoff)
