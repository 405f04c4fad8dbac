"""The store: a node's records, slot by slot, and what is kept beside them. Engines differ in `records` alone.

Everything happens inside the turn. Each slot keeps, by difference at every write, the sum of
hash(key) * digest(record), so two replicas compare a slot by comparing one number; how many of its
records are tombstones or shells; and a `floor`, the stamp of the last flush, below which everything is
dead. A **cutoff** is like a floor for what is unknown: every replica had heard of all that is as old, and
what was dead of it has been forgotten (`collect.py`). `bars` has the higher of both.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from attrs import define, field

from trio_dynomite.data import effect, elements
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.effect import COUNT, EXPIRE, FIELDS, FLUSH, PUT, RECORD, unpack_record
from trio_dynomite.data.elements import CELLS
from trio_dynomite.data.merge import merge, winnow
from trio_dynomite.data.record import (
    ABSENT,
    COUNTS,
    DEADLINE,
    DIGEST_MASK,
    VALUE,
    Record,
    digest,
    is_live,
    newest,
)
from trio_dynomite.data.record import (
    kind as kind_of,
)
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.model import Capabilities
from trio_dynomite.storage.contract import SLOTS, Records, hash_of
from trio_dynomite.storage.deadlines import Calendar, Deadlines
from trio_dynomite.storage.gate import Gate
from trio_dynomite.storage.usage import Usage


@define(repr=False)
class Store:
    """The records of one node. Not safe across threads; needs none."""

    capabilities: ClassVar[Capabilities] = Capabilities()
    slot_of: Callable[[bytes], int]
    records: Sequence[Records] = field(init=False)
    """Per slot, key → record, tombstones included."""
    sums: list[int] = field(init=False)
    """Per slot, the unbounded digest sum; compare modulo 2**64."""
    dead: list[int] = field(init=False)
    """Per slot, how many records have no value."""
    floors: list[int] = field(init=False)
    """Per slot, the newest flush."""
    cutoffs: list[int] = field(init=False)
    """Per slot, up to where what was dead has been forgotten."""
    bars: list[int] = field(init=False)
    """Per slot, the higher of floor and cutoff: what is unknown was absent then."""
    withered: set[int] = field(factory=set)
    """Slots with collections that may have tombstones among their elements."""
    deadlines: Calendar = field(factory=Deadlines)
    written: list[bytes] | None = None
    """The keys that were changed, while somebody wants to know."""
    newest: int = 0
    """The newest stamp that it held when it was made."""
    on_expired: Callable[[str, bytes], None] = lambda event, key: None
    """Told what was found to have expired: `expired` (a key), `hexpired` (a field), `del` (with its last)."""
    on_new: Callable[[bytes], None] | None = None
    """Told of every key that was absent and is there now, while somebody listens."""
    is_restored: bool = False
    """It began with the records of an earlier life."""
    was_flushed: bool = False
    """Slots were flushed since somebody looked."""
    failure: str | None = None
    """Why nothing should be written at present."""
    shortage: str | None = None
    """Why nothing should be written at present that takes more memory."""
    is_behind: bool = False
    """Something could not be written, and is in memory only until it can."""
    on_refused: Callable[[], None] = lambda: None
    """Told in the turn in which it comes to be behind, where that shows only after the turn of the write."""
    gate: Gate | None = None
    """Which writes are safe, where they are so only some time after the turn."""
    usage: Usage | None = None
    """The bytes that keys take, while `maxmemory` wants them counted."""

    def __attrs_post_init__(self) -> None:
        self.sums, self.dead = [0] * SLOTS, [0] * SLOTS
        self.floors, self.cutoffs, self.bars = [0] * SLOTS, [0] * SLOTS, [0] * SLOTS

    @property
    def peer_gate(self) -> Gate | None:
        """What holds back what peers are told."""
        return self.gate

    def freeze(self) -> None:
        """All of a node's parts are made: what lives now will live long."""

    def commit(self) -> None:
        """A turn is over: write what it changed, if this engine writes anything."""

    def recover(self, now_s: float) -> None:
        """Called a few times a second: see whether writes can be stored, and do what helps."""

    def figures(self) -> dict[str, object]:
        """What INFO tells of the engine."""
        return {}

    def close(self) -> None:
        """Write what is not written yet, and touch nothing any more."""

    def put(self, slot: int, key: bytes, stamp: int, value: bytes | None, deadline_ms: int) -> None:
        """Write a whole new record whose stamp is newer than all that is known of `key` here."""
        records = self.records[slot]
        old = records.get(key)
        if deadline_ms:
            self.deadlines.plan(key, deadline_ms)
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
                self.deadlines.plan(key, new[DEADLINE])
            if type(new[COUNTS]) is Cells:
                if new[COUNTS].due_ms:
                    self.deadlines.plan(key, new[COUNTS].due_ms)
                if new[COUNTS].dead:
                    self.withered.add(slot)
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
            self.deadlines.plan(key, body.due_ms)
        if self.usage is not None:
            self.usage.weigh(key, record)
        if self.written is not None:
            self.written.append(key)

    def get(self, slot: int, key: bytes) -> Record:
        """What is known of `key`; of one that is unknown, only that it was absent at the bar."""
        record = self.records[slot].get(key)
        return self.absent(slot) if record is None else record

    def absent(self, slot: int) -> Record:
        """What is known of a key of which nothing is known."""
        bar = self.bars[slot]
        return (bar, None, 0, 0, None) if bar else ABSENT

    def join(self, slot: int, key: bytes, record: Record, cutoff_there: int = 0) -> bool:
        """Merge what another replica knows of `key`; did it tell anything new?

        Where its cutoff is lower than ours, what is older and unknown here is dead, and was forgotten."""
        stamp, value, expiry, _, extra = record
        if extra is None and not expiry and stamp > self.bars[slot] and key not in self.records[slot]:
            self.put(slot, key, stamp, value, 0)  # most of what an empty node learns
            return True
        old, cutoff = self.get(slot, key), self.cutoffs[slot]
        if cutoff_there < cutoff:
            winnow(record, old, cutoff)
        elif key not in self.records[slot]:
            old = (self.floors[slot], None, 0, 0, None)
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

    def apply(self, origin: int, effects: list[Any]) -> list[bytes]:
        """Join a frame's effects, stamped by `origin`; the keys at which a gap was found."""
        gaps: list[bytes] = []
        all_records, sums, bars, is_counted = self.records, self.sums, self.bars, self.usage is not None
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
                    if stamp > bars[slot]:
                        records[key] = (stamp, payload, 0, 0, None)
                        sums[slot] += hash_of(key) * stamp
                        continue
                elif old[0] < stamp and old[1] is not None and not old[2] and old[4] is None:
                    records[key] = (stamp, payload, 0, 0, None)
                    sums[slot] += hash_of(key) * (stamp - old[0])
                    continue
            elif kind == CELLS and not deadline_ms and stamp > bars[slot]:
                record = all_records[slot].get(key)
                before = None if record is None else elements.grow(record, stamp, payload)
                if record is not None and before is not None:
                    self.grown(slot, key, record, before)
                    continue
            if not self._apply(slot, kind, key, stamp, payload, deadline_ms):
                gaps.append(key)
        return gaps

    def _apply(self, slot: int, kind: int, key: bytes, stamp: int, payload: Any, deadline_ms: int) -> bool:
        """One effect that is not a simple put; False at a gap."""
        if kind == FLUSH:
            self.flush(payload[0], payload[1], stamp)
            return True
        if kind == RECORD:
            self.join(slot, key, unpack_record(payload))
            return True
        old, cutoff = self.get(slot, key), self.cutoffs[slot]
        if stamp <= cutoff or (stamp <= self.floors[slot] and kind in (PUT, EXPIRE, COUNT)):
            return True
        before = self.digest_here(slot, key)
        new = effect.apply(old, kind, stamp, payload, deadline_ms, cutoff)
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
                self.bars[slot] = max(stamp, self.cutoffs[slot])
                self._rebuild(slot, stamp)
        if self.written is not None:
            # A range has no key of its own.
            self.written.append(b"")

    def set_cutoff(self, slot: int, cutoff: int) -> None:
        """What is dead in `slot`, and as old, is forgotten from now on."""
        self.cutoffs[slot] = cutoff
        self.bars[slot] = max(cutoff, self.floors[slot])

    def forget(self, slot: int, key: bytes) -> None:
        """Nothing is known of `key` any more."""
        record = self.records[slot][key]
        self.sums[slot] -= hash_of(key) * digest(record)
        self.dead[slot] -= record[VALUE] is None
        if self.usage is not None:
            self.usage.forget(key)
        del self.records[slot][key]

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
        self.amend(slot, self.counted(slot))

    def counted(self, slot: int) -> tuple[int, int]:
        """The sum of a slot, and how many of its records have no value, from the records."""
        records = list(self.records[slot].items())
        dead = sum(record[VALUE] is None for _, record in records)
        return sum(hash_of(key) * digest(record) for key, record in records), dead

    def amend(self, slot: int, counted: tuple[int, int]) -> None:
        """What `counted` found is so from now on."""
        self.sums[slot], self.dead[slot] = counted

    def slot_digests(self, slots: list[int]) -> list[int]:
        """Of each a number that two replicas have in common when they know the same of that slot."""
        sums, floors = self.sums, self.floors
        return [(sums[slot] + floors[slot] * SLOTS) & DIGEST_MASK for slot in slots]

    def key_count(self, first: int, last: int) -> int:
        """Keys with a value in the slots `first` to `last`; expired ones count until they are swept."""
        return sum(map(len, self.records[first : last + 1])) - sum(self.dead[first : last + 1])

    def scan(self, slot: int) -> Iterator[tuple[bytes, Record]]:
        """A slot's records, as they are now."""
        return iter([*self.records[slot].items()])

    def digests(self, slot: int) -> Iterator[tuple[bytes, int]]:
        """A slot's keys, and the digests of their records."""
        return ((key, digest(record)) for key, record in self.scan(slot))

    def living(self, slot: int, now_ms: int) -> Iterator[tuple[bytes, str]]:
        """A slot's keys that a reader finds, and their types."""
        return ((key, kind_of(record)) for key, record in self.scan(slot) if is_live(record, now_ms))


def _told(record: Record) -> tuple[int, int]:
    """What changes when a record does whose body is changed in place.

    A field that has expired may come back with its value from who goes by a slower clock, with one digest."""
    body = record[COUNTS]
    return digest(record), body.live if type(body) is Cells else 0
