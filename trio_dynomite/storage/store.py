"""The store: a node's records, slot by slot, and what is kept beside them. Engines differ in `records` alone.

Everything happens inside the turn. Each slot keeps, by difference at every write, the sum of
hash(key) * digest(record), so two replicas compare a slot by comparing one number; how many of its
records are tombstones or shells; and a `floor`, the stamp of the last flush, below which everything is
dead. Deadlines are remembered by the tenth of a second in which they fall.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol, overload

import xxhash
from attrs import define, field

from trio_dynomite.data import effect, elements
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.effect import COUNT, EXPIRE, FIELDS, FLUSH, PUT
from trio_dynomite.data.elements import CELLS
from trio_dynomite.data.merge import merge, settle
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
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.storage.usage import Usage

SLOTS = 16384
_MOMENT_MS = 100
"""What expires is looked for that often."""
hash_of = xxhash.xxh3_64_intdigest
"""What weighs a key's digest in the sum of its slot."""


class Records(Protocol):
    """Key → record of one slot: the part of a dictionary that stores and their users need."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __contains__(self, key: object, /) -> bool: ...

    def __getitem__(self, key: bytes, /) -> Record: ...

    def __setitem__(self, key: bytes, record: Record, /) -> None: ...

    def __delitem__(self, key: bytes, /) -> None: ...

    @overload
    def get(self, key: bytes, /) -> Record | None:
        """The record of `key`."""

    @overload
    def get(self, key: bytes, default: Record, /) -> Record:
        """The record of `key`, or `default`."""

    def items(self) -> Iterable[tuple[bytes, Record]]:
        """Every key and its record."""

    def values(self) -> Iterable[Record]:
        """Every record."""

    def clear(self) -> None:
        """Forget all of them."""


@define(repr=False)
class Store:
    """The records of one node. Not safe across threads; needs none."""

    is_in_memory: ClassVar[bool] = False
    """Do its values take memory, so that `maxmemory` has a meaning?"""
    slot_of: Callable[[bytes], int]
    records: Sequence[Records] = field(init=False)
    """Per slot, key → record, tombstones included."""
    sums: list[int] = field(init=False)
    """Per slot, the unbounded digest sum; compare modulo 2**64."""
    dead: list[int] = field(init=False)
    """Per slot, how many records have no value."""
    floors: list[int] = field(init=False)
    """Per slot, the newest flush."""
    due: dict[int, set[bytes]] = field(factory=dict)
    """Moment (of 100 ms) → keys that may expire in it."""
    planned: dict[bytes, int] = field(factory=dict)
    """Key → the moment of `due` in which it stands."""
    next_due: int = 0
    written: list[bytes] | None = None
    """The keys that were changed, while somebody wants to know."""
    newest: int = 0
    """No stamp that the store held when it was made is newer."""
    on_expired: Callable[[str, bytes], None] = lambda event, key: None
    """Told what was found to have expired: `expired` (a key), `hexpired` (a field), `del` (with its last)."""
    on_new: Callable[[bytes], None] | None = None
    """Told of every key that was absent and is there now, while somebody listens."""
    was_flushed: bool = False
    """Slots were flushed since somebody looked."""
    usage: Usage | None = None
    """The bytes that keys take, while `maxmemory` wants them counted."""

    def __attrs_post_init__(self) -> None:
        self.sums = [0] * SLOTS
        self.dead = [0] * SLOTS
        self.floors = [0] * SLOTS

    def freeze(self) -> None:
        """All of a node's parts are made: what lives now will live long."""

    def commit(self) -> None:
        """A turn is over: write what it changed, if this engine writes anything."""

    def close(self) -> None:
        """Write what is not written yet, and touch nothing any more."""

    def put(self, slot: int, key: bytes, stamp: int, value: bytes | None, deadline_ms: int) -> None:
        """Write a whole new record whose stamp is newer than all that is known of `key` here."""
        records = self.records[slot]
        old = records.get(key)
        if deadline_ms:
            self._schedule(key, deadline_ms)
            records[key] = new = (stamp, value, stamp, deadline_ms, None)
            change = digest(new)
        else:
            records[key] = (stamp, value, 0, 0, None)
            change = stamp
        if old is not None:
            change -= old[0] if old[2] == 0 and old[4] is None else digest(old)
            if old[1] is None:
                self.dead[slot] -= 1
        if value is None:
            self.dead[slot] += 1
        self.sums[slot] += hash_of(key) * change
        if self.usage is not None:
            self.usage.weigh(key, records[key])
        if self.written is not None:
            self.written.append(key)
        if self.on_new is not None and value is not None and (old is None or old[1] is None):
            self.on_new(key)

    def set(self, slot: int, key: bytes, new: Record, before: int | None = None) -> None:
        """`key` now has the record `new`.

        `before` is the digest of the record until now, where its body was changed in place."""
        records = self.records[slot]
        old = records.get(key, ABSENT)
        if before is None:
            before = digest(old)
        if new[VALUE] is not None:
            if new[DEADLINE]:
                self._schedule(key, new[DEADLINE])
            if type(new[COUNTS]) is Cells and new[COUNTS].due_ms:
                self._schedule(key, new[COUNTS].due_ms)
        if key in records and old[VALUE] is None:
            self.dead[slot] -= 1
        if new[VALUE] is None:
            self.dead[slot] += 1
        records[key] = new
        self.sums[slot] += hash_of(key) * (digest(new) - before)
        if self.usage is not None:
            self.usage.weigh(key, new)
        if self.written is not None:
            self.written.append(key)
        if self.on_new is not None and new[VALUE] is not None and old[VALUE] is None:
            self.on_new(key)

    def grown(self, slot: int, key: bytes, record: Record, before: int) -> None:
        """Elements were put into the body of `record`, which had some; `before` was the body's digest."""
        self.records[slot][key] = record
        body: Cells = record[COUNTS]
        self.sums[slot] += hash_of(key) * (body.digest - before)
        if body.due_ms:
            self._schedule(key, body.due_ms)
        if self.usage is not None:
            self.usage.weigh(key, record)
        if self.written is not None:
            self.written.append(key)

    def get(self, slot: int, key: bytes) -> Record:
        """What is known of `key`; of one that is unknown, only that it was absent at the last flush."""
        record = self.records[slot].get(key)
        if record is not None:
            return record
        floor = self.floors[slot]
        return (floor, None, 0, 0, None) if floor else ABSENT

    def join(self, slot: int, key: bytes, record: Record) -> bool:
        """Merge what another replica knows of `key`; did it tell anything new?"""
        old = self.get(slot, key)
        before = self.digest_here(slot, key)
        told = _told(old)
        new = merge(old, record)
        if (new == old and _told(new) == told) or newest(new) < self.floors[slot]:
            return False
        self.set(slot, key, new, before)
        return True

    def lend(self, slot: int, key: bytes, record: Record) -> Record | None:
        """Show another node's record in the place of `key` to one command that reads it; what was there."""
        own = self.records[slot].get(key)
        self.records[slot][key] = record
        return own

    def take_back(self, slot: int, key: bytes, own: Record | None) -> None:
        """Show again what `lend` found."""
        if own is None:
            del self.records[slot][key]
        else:
            self.records[slot][key] = own

    def digest_here(self, slot: int, key: bytes) -> int:
        """The digest of what is kept of `key`; 0 when nothing is."""
        return digest(self.records[slot].get(key, ABSENT))

    def apply(self, origin: int, effects: list[Any], now_ms: int) -> list[bytes]:
        """Join a frame's effects, stamped by `origin`; the keys at which a gap was found."""
        gaps: list[bytes] = []
        all_records, sums, is_counted = self.records, self.sums, self.usage is not None
        fields = iter(effects)
        if self.written is not None:
            self.written.extend(effects[2::FIELDS])
        for kind, slot, key, clock, payload, deadline_ms in zip(*[fields] * FIELDS, strict=True):
            stamp = clock << NODE_BITS | origin
            if kind == PUT and payload is not None and not deadline_ms and not is_counted:
                # The common case, a value over nothing or over an older plain value, without a call.
                records = all_records[slot]
                old = records.get(key)
                if old is None:
                    if stamp > self.floors[slot]:
                        records[key] = (stamp, payload, 0, 0, None)
                        sums[slot] += hash_of(key) * stamp
                        continue
                elif old[0] < stamp and old[1] is not None and not old[2] and old[4] is None:
                    records[key] = (stamp, payload, 0, 0, None)
                    sums[slot] += hash_of(key) * (stamp - old[0])
                    continue
            elif kind == CELLS and not deadline_ms:
                record = all_records[slot].get(key)
                before = None if record is None else elements.grow(record, stamp, payload)
                if record is not None and before is not None:
                    self.grown(slot, key, record, before)
                    continue
            if not self._apply(slot, kind, key, stamp, payload, deadline_ms, now_ms):
                gaps.append(key)
        return gaps

    def _apply(
        self, slot: int, kind: int, key: bytes, stamp: int, payload: Any, deadline_ms: int, now_ms: int
    ) -> bool:
        """One effect that is not a simple put; False at a gap."""
        if kind == FLUSH:
            self.flush(payload[0], payload[1], stamp)
            return True
        old = self.get(slot, key)
        if stamp <= self.floors[slot] and kind in (PUT, EXPIRE, COUNT):
            return True
        before = self.digest_here(slot, key)
        new = effect.apply(old, kind, stamp, payload, deadline_ms, now_ms)
        if new is None:
            return False
        if (new is not old or type(old[COUNTS]) is Cells) and newest(new) >= self.floors[slot]:
            self.set(slot, key, new, before)
        return True

    def flush(self, first: int, last: int, stamp: int) -> None:
        """Kill everything older than `stamp` in the slots `first` to `last`, without a tombstone each."""
        self.was_flushed = True
        for slot in range(first, last + 1):
            if stamp > self.floors[slot]:
                self.floors[slot] = stamp
                self._rebuild(slot, stamp)
        if self.written is not None:
            # A range has no key of its own.
            self.written.append(b"")

    def _rebuild(self, slot: int, floor: int) -> None:
        flushed: Record = (floor, None, 0, 0, None)
        records = self.records[slot]
        gone = [key for key, record in records.items() if newest(record) < floor or record == flushed]
        if self.usage is not None:
            for key in gone:
                self.usage.forget(key)
        if len(gone) == len(records):
            records.clear()
        for key in gone if len(records) else ():
            del records[key]
        for key, record in list(records.items()):
            records[key] = new = merge(record, flushed)
            if self.usage is not None:
                self.usage.weigh(key, new)
        self.sums[slot], self.dead[slot] = self.counted(slot)

    def counted(self, slot: int) -> tuple[int, int]:
        """The sum of a slot, and how many of its records have no value, from the records."""
        total = dead = 0
        for key, record in self.records[slot].items():
            total += hash_of(key) * digest(record)
            dead += record[VALUE] is None
        return total, dead

    def slot_digest(self, slot: int) -> int:
        """A number that two replicas have in common when they know the same of `slot`."""
        return self.slot_digests([slot])[0]

    def slot_digests(self, slots: list[int]) -> list[int]:
        """`slot_digest` of each: a sync asks for all of them, over and over."""
        sums, floors = self.sums, self.floors
        return [(sums[slot] + floors[slot] * SLOTS) & DIGEST_MASK for slot in slots]

    def key_count(self, first: int, last: int) -> int:
        """Keys with a value in the slots `first` to `last`; expired ones count until they are swept."""
        return sum(map(len, self.records[first : last + 1])) - sum(self.dead[first : last + 1])

    def scan(self, slot: int) -> Iterator[tuple[bytes, Record]]:
        """All of a slot's records, as they are now."""
        return iter(list(self.records[slot].items()))

    def _schedule(self, key: bytes, deadline_ms: int) -> None:
        """Remember when to look at `key`, unless an earlier look is planned, which will see the deadline."""
        moment = max(deadline_ms // _MOMENT_MS + 1, self.next_due)
        planned = self.planned.get(key)
        if planned is not None:
            if planned <= moment:
                return
            self.due[planned].discard(key)
        self.planned[key] = moment
        self.due.setdefault(moment, set()).add(key)

    def expire(self, now_ms: int, limit: int) -> int:
        """Strip expired records of their values, at most `limit` keys a call; how many were looked at."""
        looked = 0
        for moment in self._moments_due(now_ms):
            keys = self.due[moment]
            while keys and looked < limit:
                looked += 1
                self._expire_key(keys.pop(), now_ms)
            if keys:
                break
            del self.due[moment]
        return looked

    def _moments_due(self, now_ms: int) -> list[int]:
        now = now_ms // _MOMENT_MS
        self.next_due = now + 1
        return sorted([moment for moment in self.due if moment <= now]) if self.due else []

    def _expire_key(self, key: bytes, now_ms: int) -> None:
        del self.planned[key]
        slot = self.slot_of(key)
        record = self.records[slot].get(key, ABSENT)
        if record[VALUE] is None:
            return
        if 0 < record[DEADLINE] <= now_ms:
            self.set(slot, key, shell(record))
            self.on_expired("expired", key)
            return
        if record[DEADLINE]:
            self._schedule(key, record[DEADLINE])
        if type(record[COUNTS]) is Cells and record[COUNTS].due_ms:
            self.sweep(slot, key, record, now_ms)

    def sweep(self, slot: int, key: bytes, record: Record, now_ms: int) -> Record:
        """The record of a hash without the fields whose deadline has passed; no digest changes by it."""
        if record[COUNTS].sweep(now_ms):
            record = settle(record)
            self.set(slot, key, record)
            self.on_expired("hexpired", key)
            if record[VALUE] is None:
                self.on_expired("del", key)
        elif record[COUNTS].due_ms:
            self._schedule(key, record[COUNTS].due_ms)
        return record


def _told(record: Record) -> tuple[int, int]:
    """What changes when a record does whose body is changed in place.

    A field that has expired may come back with its value from who goes by a slower clock: the digest is the
    same, but the field is to be looked after again."""
    body = record[COUNTS]
    return digest(record), body.live if type(body) is Cells else 0
