"""The keys of one node as commands see them: reads look, writes stamp, apply and tell the effect.

This is the one place where a command's change becomes a stamp, a record and an effect, in that order.
"""

from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, integer_argument
from trio_dynomite.commands.record import Chance, Item
from trio_dynomite.data import effect
from trio_dynomite.data.cells import HASH, SET, SORTED_SET, Cells
from trio_dynomite.data.effect import (
    COUNT,
    EXPIRE,
    FLUSH,
    PATCH,
    PUT,
    RECORD,
    WHOLE,
    Flat,
    pack_record,
    whole,
)
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import (
    ABSENT,
    COUNTS,
    DEADLINE,
    MARKS_ORIGIN,
    STAMP,
    VALUE,
    WRONG_TYPE,
    Record,
    is_counted,
    is_live,
    is_stripped,
    kind,
    marked,
    marks,
    newest,
    text,
    total,
    version,
)
from trio_dynomite.data.sequence import LIST
from trio_dynomite.data.stamp import NODE_BITS, TICK, HybridClock, milliseconds, pack
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.accesses import Accesses
from trio_dynomite.storage.copies import copied
from trio_dynomite.storage.expiry import sweep
from trio_dynomite.storage.sequences import ListView, StreamView
from trio_dynomite.storage.sizes import size_of
from trio_dynomite.storage.store import Store
from trio_dynomite.storage.views import HashView, SetView, SortedSetView

_TOUCHED_MAX = 4096


@define(repr=False)
class StoreKeyspace:
    """`commands.row.Keyspace` over a store. `effects` collects what the running command did."""

    store: Store
    clock: HybridClock
    origin: int
    """The stamp at which this life of the node began: under it its counters run."""
    effects: Flat | None = field(factory=list)
    """None when nobody else has a copy."""
    resp: int = 2
    rng: Chance = field(kw_only=True)
    may_block: bool = False
    user: bytes = b""
    """Whose script runs, if that user may not do everything."""
    scripts: Any = None
    """The node's script host."""
    on_event: Callable[[str, bytes], None] | None = None
    """Told of key-space events, while somebody listens."""
    wants_events: bool = False
    touched: dict[bytes, int] = field(factory=dict)
    """Key → wall-clock milliseconds of its last TOUCH, for the newest few thousand."""
    accesses: Accesses | None = None
    """Told of what is read, while a policy of `maxmemory` goes by it."""
    key: bytes | None = None
    """The key that was located last: it need not be hashed again."""
    slot: int = -1
    """Its slot."""
    item_hits: int = 0
    """Items that were read here."""
    item_misses: int = 0
    """And that were not there."""
    _fetched: dict[bytes, int] = field(factory=dict)
    """Key → version of the items that were read last, a few thousand; before them as many."""
    _fetched_before: dict[bytes, int] = field(factory=dict)

    @property
    def now_ms(self) -> int:
        """Wall-clock milliseconds of the turn."""
        return self.clock.now_ms

    def event(self, name: str, key: bytes) -> None:
        """Tell the listeners that `name` happened to `key`."""
        if self.on_event is not None:
            self.on_event(name, key)

    def hash_at(self, key: bytes) -> HashView:
        """The hash at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        return HashView(self, slot, key, self._body(slot, key, HASH))

    def set_at(self, key: bytes) -> SetView:
        """The set at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        return SetView(self, slot, key, self._body(slot, key, SET))

    def sorted_set_at(self, key: bytes) -> SortedSetView:
        """The sorted set at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        return SortedSetView(self, slot, key, self._body(slot, key, SORTED_SET))

    def list_at(self, key: bytes) -> ListView:
        """The list at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        return ListView(self, slot, key, self._body(slot, key, LIST))

    def stream_at(self, key: bytes) -> StreamView:
        """The stream at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        return StreamView(self, slot, key, self._body(slot, key, "stream"))

    def _body(self, slot: int, key: bytes, wanted: str) -> Any:
        """The body of the live record at `key`, of the type that is wanted; None when it is absent."""
        record = self.store.records[slot].get(key)
        if record is None or record[1] is None or 0 < record[3] <= self.clock.now_ms:
            return None
        if record[1] is not wanted and record[1] != wanted:
            raise CommandError(WRONG_TYPE)
        body = record[4]
        if self.accesses is not None:
            self.accesses.note_read(key, record)
        if wanted is HASH and 0 < body.due_ms <= self.clock.now_ms:
            return sweep(self.store, slot, key, record, self.clock.now_ms)[4]
        return body

    def opened(self, slot: int, key: bytes) -> Record:
        """The record at `key`, ready to be written: one that has expired is reset, here and everywhere.

        One whose last element has gone takes its deadline with it: what is made there now is a new key."""
        record = self.store.get(slot, key)
        if not record[DEADLINE] and type(record[COUNTS]) is not int:
            return record  # an int: it was stripped, and a flush has taken its deadline since
        if record[DEADLINE] <= self.clock.now_ms or is_stripped(record):
            record = (newest(record) + 1, None, 0, 0, None)
            self.store.set(slot, key, record)
            self.tell(RECORD, slot, key, record[STAMP] >> NODE_BITS, pack_record(record), 0)
        elif record[VALUE] is None:
            self._move_deadline(key, 0)
            record = self.store.get(slot, key)
        return record

    def _live(self, key: bytes) -> Record | None:
        """The record at `key` if it is there for a reader."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        record = self.store.get(slot, key)
        if not is_live(record, self.clock.now_ms):
            return None
        if type(record[COUNTS]) is Cells and 0 < record[COUNTS].due_ms <= self.clock.now_ms:
            record = sweep(self.store, slot, key, record, self.clock.now_ms)
        return None if record[VALUE] is None else record

    def get(self, key: bytes) -> bytes | None:
        """The string at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        record = self.store.records[slot].get(key)
        if record is None or record[1] is None or 0 < record[3] <= self.clock.now_ms:
            return None
        if self.accesses is not None:
            self.accesses.note_read(key, record)
        return record[1] if record[4] is None else text(record)

    def kind(self, key: bytes) -> str | None:
        """The type of `key`."""
        record = self._live(key)
        return None if record is None else kind(record)

    def deadline(self, key: bytes) -> int:
        """When `key` expires."""
        record = self._live(key)
        return 0 if record is None else record[DEADLINE]

    def idle_s(self, key: bytes) -> int:
        """Seconds since the last write or touch."""
        record = self._live(key)
        if record is None:
            return 0
        fresh_ms = max(milliseconds(newest(record)), self.touched.get(key, 0))
        if self.accesses is not None:
            fresh_ms = max(fresh_ms, self.accesses.last_ms(key, record))
        return max(0, self.clock.now_ms - fresh_ms) // 1000

    def frequency(self, key: bytes) -> int | None:
        """How often `key` is used, as Redis counts; None when that is not tracked."""
        if self.accesses is None or not self.accesses.by_frequency:
            return None
        return self.accesses.frequency(key, self._live(key) or ABSENT)

    def put(self, key: bytes, value: bytes, deadline_ms: int = 0) -> None:
        """Make `key` the string `value`."""
        if deadline_ms and deadline_ms <= self.clock.now_ms:
            self.delete(key)
            return
        clock = self.clock
        clock.last = stamp = clock.last + TICK
        slot = self.slot if key is self.key else self.store.slot_of(key)
        self.store.put(slot, key, stamp, value, deadline_ms)
        if self.effects is not None:
            self.effects.extend((PUT, slot, key, stamp >> NODE_BITS, value, deadline_ms))

    def item(self, key: bytes) -> Item | None:
        """The string at `key` with all that stands beside it."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        record = self.store.records[slot].get(key)
        if record is None or record[1] is None or 0 < record[3] <= self.clock.now_ms:
            return None
        if self.accesses is not None:
            self.accesses.note_read(key, record)
        if record[4] is None and type(record[1]) is bytes:
            return record[1], 0, version(record), record[3], 0
        width = len(record[1]) if is_counted(record[4]) else 0
        return text(record), marks(record), version(record), record[3], width

    def fetched(self, key: bytes, number: int) -> None:
        """An item was read, in this version; 0: it was not there."""
        if not number:
            self.item_misses += 1
            return
        self.item_hits += 1
        if len(self._fetched) >= _TOUCHED_MAX:
            self._fetched_before, self._fetched = self._fetched, {}
        self._fetched[key] = number

    def was_fetched(self, key: bytes, number: int) -> bool:
        """Was an item read in this version before, as far as this node remembers?"""
        return number in (self._fetched.get(key), self._fetched_before.get(key))

    def put_item(self, key: bytes, value: bytes, deadline_ms: int, number: int) -> None:
        """Make `key` the string `value` with marks."""
        if not number or 0 < deadline_ms <= self.clock.now_ms:
            self.put(key, value, deadline_ms)
            return
        slot, stamp = self.store.slot_of(key), self.clock.next()
        record = (stamp, value, stamp if deadline_ms else 0, deadline_ms, marked(number))
        self.store.set(slot, key, record)
        self.tell(RECORD, slot, key, stamp >> NODE_BITS, pack_record(record), 0)

    def mark(self, key: bytes, number: int) -> None:
        """Change the marks of the existing string at `key`, and nothing else."""
        slot = self.store.slot_of(key)
        record = self.store.get(slot, key)
        now = [count[1] for count in record[COUNTS] or () if count[0] == MARKS_ORIGIN]
        sequence = now[0] + 1 if now else 1
        self.store.set(slot, key, effect.counted(record, MARKS_ORIGIN, sequence, number))
        payload = [pack(record[STAMP]), pack(MARKS_ORIGIN), sequence, number]
        self.tell(COUNT, slot, key, self.clock.next() >> NODE_BITS, payload, 0)

    def tell(self, *effect: Any) -> None:
        """Add one effect to those of the running command."""
        if self.effects is not None:
            self.effects.extend(effect)

    def opaque(self, key: bytes) -> bytes | None:
        """The payload of what a module keeps at `key`."""
        record = self._live(key)
        body = None if record is None else record[COUNTS]
        return body.payload if isinstance(body, OpaqueBody) else None

    def put_opaque(self, key: bytes, type_: str, payload: bytes, deadline_ms: int, stamp: int = 0) -> None:
        """Make `key` what a module keeps; `stamp`: it was made under this one."""
        slot, stamp, body = self.store.slot_of(key), stamp or self.clock.next(), OpaqueBody(type_, payload)
        self.store.set(slot, key, whole(stamp, body, deadline_ms))
        self.tell(WHOLE, slot, key, stamp >> NODE_BITS, body.pack(), deadline_ms)

    def patch(self, key: bytes, value: bytes, *op: bytes | int) -> None:
        """The existing string at `key` becomes `value`."""
        slot = self.store.slot_of(key)
        old = self.store.get(slot, key)
        if old[COUNTS] is not None:
            self.put_item(key, value, old[DEADLINE], marks(old))
            return
        stamp = self.clock.next()
        self.store.put(slot, key, stamp, value, old[DEADLINE])
        self.tell(PATCH, slot, key, stamp >> NODE_BITS, [pack(old[STAMP]), *op], old[DEADLINE])

    def count(self, key: bytes, delta: int) -> int:
        """Add to the integer at `key`."""
        slot = self.store.slot_of(key)
        record = self.store.get(slot, key)
        if not is_live(record, self.clock.now_ms):
            if record[DEADLINE]:
                # It expired, and a count under its old stamp would expire with it.
                self.put(key, b"%d" % delta)
                return delta
            if record[COUNTS] is not None and type(record[COUNTS]) is not tuple:
                # It was of another type, which must not get it.
                self.put(key, b"%d" % delta)
                return delta
        elif type(record[VALUE]) is str:
            raise CommandError(WRONG_TYPE)
        elif record[VALUE] is not None and not is_counted(record[COUNTS]):
            integer_argument(record[VALUE])
        number = total(record) + delta
        if not INT64_MIN <= number <= INT64_MAX:
            raise CommandError("ERR increment or decrement would overflow")
        mine = [count for count in record[COUNTS] or () if count[0] == self.origin]
        sequence, running = (mine[0][1] + 1, mine[0][2] + delta) if mine else (1, delta)
        if not INT64_MIN <= running <= INT64_MAX:
            # The sum fits, this origin's share of it does not: begin a new base.
            self.put_item(key, b"%d" % number, record[DEADLINE], marks(record))
            return number
        self.store.set(slot, key, effect.counted(record, self.origin, sequence, running))
        payload = [pack(record[STAMP]), pack(self.origin), sequence, running]
        self.tell(COUNT, slot, key, self.clock.next() >> NODE_BITS, payload, 0)
        return number

    def expire(self, key: bytes, deadline_ms: int) -> None:
        """The existing `key` expires at `deadline_ms`."""
        if deadline_ms and deadline_ms <= self.clock.now_ms:
            self.delete(key)
            return
        self._move_deadline(key, deadline_ms)

    def delete(self, key: bytes) -> bool:
        """Delete `key`."""
        if self._live(key) is None:
            return False
        slot = self.store.slot_of(key)
        stamp = self.clock.next()
        self.store.put(slot, key, stamp, None, 0)
        self.tell(PUT, slot, key, stamp >> NODE_BITS, None, 0)
        return True

    def size_of(self, key: bytes, samples: int = 5) -> int | None:
        """About how many bytes `key` takes here; None when it is absent."""
        record = self._live(key)
        return None if record is None else size_of(key, record, samples)

    def touch(self, key: bytes) -> bool:
        """Make `key` fresh on this node; nothing is told to the others."""
        record = self._live(key)
        if record is not None:
            if self.accesses is not None:
                self.accesses.note_read(key, record)
            self.touched[key] = self.clock.now_ms
            if len(self.touched) > _TOUCHED_MAX:
                del self.touched[next(iter(self.touched))]
        return record is not None

    def _move_deadline(self, key: bytes, deadline_ms: int) -> None:
        slot = self.store.slot_of(key)
        record = self.store.get(slot, key)
        stamp = self.clock.next()
        self.store.set(slot, key, (record[STAMP], record[VALUE], stamp, deadline_ms, record[COUNTS]))
        self.tell(EXPIRE, slot, key, stamp >> NODE_BITS, None, deadline_ms)

    def copy(self, source: bytes, target: bytes) -> None:
        """`target` becomes what `source` is."""
        record = self._live(source)
        if record is None:
            return
        if kind(record) == "string":
            self.put_item(target, text(record), record[DEADLINE], marks(record))
            return
        slot, stamp = self.store.slot_of(target), self.clock.next()
        new = copied(record, stamp)
        self.store.set(slot, target, new)
        self.tell(RECORD, slot, target, stamp >> NODE_BITS, pack_record(new), 0)

    def flush(self, first: int, last: int) -> None:
        """Delete every key in the slots `first` to `last`."""
        stamp = self.clock.next()
        self.store.flush(first, last, stamp)
        self.tell(FLUSH, first, b"", stamp >> NODE_BITS, [first, last], 0)
