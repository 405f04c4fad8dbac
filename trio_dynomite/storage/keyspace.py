"""The keys of one node as commands see them: reads look, writes stamp, apply and tell the effect.

This is the one place where a command's change becomes a stamp, a record and an effect, in that order.
"""

from typing import Any

from attrs import define, field

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, integer_argument
from trio_dynomite.data import effect
from trio_dynomite.data.effect import COUNT, EXPIRE, FLUSH, PATCH, PUT, Flat
from trio_dynomite.data.record import COUNTS, DEADLINE, EXPIRY, STAMP, VALUE, is_live, text, total
from trio_dynomite.data.stamp import NODE_BITS, TICK, HybridClock, milliseconds, pack
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.memory import MemoryStore

_TOUCHED_MAX = 4096


@define
class StoreKeyspace:
    """`commands.row.Keyspace` over a store. `effects` collects what the running command did."""

    store: MemoryStore
    clock: HybridClock
    origin: int
    """The stamp at which this life of the node began: under it its counters run."""
    effects: Flat | None = field(factory=list)
    """None when nobody else has a copy."""
    resp: int = 2
    touched: dict[bytes, int] = field(factory=dict)
    """Key → wall-clock milliseconds of its last TOUCH, for the newest few thousand."""
    key: bytes | None = None
    """The key that was located last: it need not be hashed again."""
    slot: int = -1
    """Its slot."""

    @property
    def now_ms(self) -> int:
        """Wall-clock milliseconds of the turn."""
        return self.clock.now_ms

    def get(self, key: bytes) -> bytes | None:
        """The string at `key`."""
        slot = self.slot if key is self.key else self.store.slot_of(key)
        record = self.store.records[slot].get(key)
        if record is None or record[1] is None or 0 < record[3] <= self.clock.now_ms:
            return None
        return record[1] if record[4] is None else text(record)

    def kind(self, key: bytes) -> str | None:
        """The type of `key`."""
        return "string" if self.get(key) is not None else None

    def deadline(self, key: bytes) -> int:
        """When `key` expires."""
        record = self.store.get(self.store.slot_of(key), key)
        return record[DEADLINE] if is_live(record, self.clock.now_ms) else 0

    def idle_s(self, key: bytes) -> int:
        """Seconds since the last write or touch."""
        record = self.store.get(self.store.slot_of(key), key)
        if not is_live(record, self.clock.now_ms):
            return 0
        fresh_ms = max(milliseconds(max(record[STAMP], record[EXPIRY])), self.touched.get(key, 0))
        return max(0, self.clock.now_ms - fresh_ms) // 1000

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

    def _tell(self, *effect: Any) -> None:
        if self.effects is not None:
            self.effects.extend(effect)

    def patch(self, key: bytes, value: bytes, *op: bytes | int) -> None:
        """The existing string at `key` becomes `value`."""
        slot = self.store.slot_of(key)
        old = self.store.get(slot, key)
        stamp = self.clock.next()
        self.store.put(slot, key, stamp, value, old[DEADLINE])
        if old[COUNTS] is None:
            self._tell(PATCH, slot, key, stamp >> NODE_BITS, [pack(old[STAMP]), *op], old[DEADLINE])
        else:
            self._tell(PUT, slot, key, stamp >> NODE_BITS, value, old[DEADLINE])

    def count(self, key: bytes, delta: int) -> int:
        """Add to the integer at `key`."""
        slot = self.store.slot_of(key)
        record = self.store.get(slot, key)
        if not is_live(record, self.clock.now_ms):
            if record[DEADLINE]:
                # It expired, and a count under its old stamp would expire with it.
                self.put(key, b"%d" % delta)
                return delta
        elif record[COUNTS] is None and record[VALUE] is not None:
            integer_argument(record[VALUE])
        number = total(record) + delta
        if not INT64_MIN <= number <= INT64_MAX:
            raise CommandError("ERR increment or decrement would overflow")
        mine = [count for count in record[COUNTS] or () if count[0] == self.origin]
        sequence, running = (mine[0][1] + 1, mine[0][2] + delta) if mine else (1, delta)
        if not INT64_MIN <= running <= INT64_MAX:
            # The sum fits, this origin's share of it does not: begin a new base.
            self.put(key, b"%d" % number, record[DEADLINE])
            return number
        self.store.set(slot, key, effect.counted(record, self.origin, sequence, running))
        payload = [pack(record[STAMP]), pack(self.origin), sequence, running]
        self._tell(COUNT, slot, key, self.clock.next() >> NODE_BITS, payload, 0)
        return number

    def expire(self, key: bytes, deadline_ms: int) -> None:
        """The existing `key` expires at `deadline_ms`."""
        if deadline_ms and deadline_ms <= self.clock.now_ms:
            self.delete(key)
            return
        self._move_deadline(key, deadline_ms)

    def delete(self, key: bytes) -> bool:
        """Delete `key`."""
        slot = self.store.slot_of(key)
        if not is_live(self.store.get(slot, key), self.clock.now_ms):
            return False
        stamp = self.clock.next()
        self.store.put(slot, key, stamp, None, 0)
        self._tell(PUT, slot, key, stamp >> NODE_BITS, None, 0)
        return True

    def touch(self, key: bytes) -> bool:
        """Make `key` fresh on this node; nothing is told to the others."""
        is_there = is_live(self.store.get(self.store.slot_of(key), key), self.clock.now_ms)
        if is_there:
            self.touched[key] = self.clock.now_ms
            if len(self.touched) > _TOUCHED_MAX:
                del self.touched[next(iter(self.touched))]
        return is_there

    def _move_deadline(self, key: bytes, deadline_ms: int) -> None:
        slot = self.store.slot_of(key)
        record = self.store.get(slot, key)
        stamp = self.clock.next()
        self.store.set(slot, key, (record[STAMP], record[VALUE], stamp, deadline_ms, record[COUNTS]))
        self._tell(EXPIRE, slot, key, stamp >> NODE_BITS, None, deadline_ms)

    def copy(self, source: bytes, target: bytes) -> None:
        """`target` becomes what `source` is."""
        value = self.get(source)
        if value is not None:
            self.put(target, value, self.deadline(source))

    def flush(self, first: int, last: int) -> None:
        """Delete every key in the slots `first` to `last`."""
        stamp = self.clock.next()
        self.store.flush(first, last, stamp)
        self._tell(FLUSH, first, b"", stamp >> NODE_BITS, [first, last], 0)
