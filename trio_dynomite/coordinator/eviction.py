"""Eviction: a node whose keys take more than `maxmemory` deletes some, as the policy says.

An eviction is a delete like any other, by the key's primary: stamped, and told to every replica. So replicas
stay equal, and nothing comes back from one that has not evicted. Every node looks at its own sum, evicts only
what it leads, and no more than its share of what is too much, for those who lead the rest do the same.

Victims are found as Redis does: of a few keys by chance, and of the best that earlier looks left over, the
one that is worth least. Source: https://valkey.io/topics/lru-cache, `evict.c`.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.internal import TRANSACTION, may_grow
from trio_dynomite.coordinator.uses import Uses
from trio_dynomite.data.record import DEADLINE, Record, is_live
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.accesses import Accesses
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.usage import Usage

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine

OOM = "OOM command not allowed when used memory > 'maxmemory'."
NO_EVICTION = "noeviction"
_REFUSED = error(OOM)
_ABORTED = error(f"EXECABORT Transaction discarded because of: {OOM}")
_BEFORE_A_WRITE = 20
"""Keys that are evicted before one write."""
_IN_A_TURN = 200
_COUNTED_IN_A_TURN = 5000
_KEPT = 16
"""Good victims that are remembered for the next time."""
_WALKED = 2000
"""Candidates that are looked at in their order when none was found by chance."""


@define(eq=False)
class Eviction:
    """What one node does about `maxmemory`."""

    engine: Engine
    limit: int = 0
    """Bytes; 0: none."""
    policy: str = NO_EVICTION
    samples: int = 5
    log_factor: int = 10
    decay_minutes: int = 1
    evicted: int = 0
    """Keys so far."""
    is_full: bool = False
    """Over the limit with nothing to evict, when the last write came."""
    uses: Uses = field(init=False)
    _owed: int = 0
    """Bytes that this node's slices have yet to free."""
    _kept: list[tuple[tuple[int, int], bytes]] = field(factory=list)
    """Victims of the next times, each with what it was worth when it was seen; the least first."""
    _walk_at: int = 0

    def __attrs_post_init__(self) -> None:
        self.uses = Uses(self.engine)

    @property
    def used(self) -> int:
        """Bytes that this node's keys take, as far as they are counted."""
        usage = self.engine.keyspace.store.usage
        return 0 if usage is None else usage.used

    def configure(self, **changed: Any) -> None:
        """Change some of `limit`, `policy`, `samples`, `log_factor` and `decay_minutes`."""
        for name, value in changed.items():
            setattr(self, name, value)
        store, keyspace = self.engine.keyspace.store, self.engine.keyspace
        self.engine.is_limited = self.limit > 0 and store.capabilities.is_in_memory
        self.engine.is_limited |= store.failure is not None or store.shortage is not None
        self.is_full = False
        if not store.capabilities.is_in_memory or not (self.limit or self._tracks):
            store.usage = keyspace.accesses = None
        elif store.usage is None or "policy" in changed:
            store.usage = usage = self._new_usage(keyspace.accesses)
            self._kept, self._walk_at = [], 0
            self._count(usage, 0)
            keyspace.accesses = usage.accesses
        if keyspace.accesses is not None:
            keyspace.accesses.log_factor = self.log_factor
            keyspace.accesses.decay_minutes = self.decay_minutes

    @property
    def _tracks(self) -> bool:
        return self.policy.endswith(("lru", "lfu"))

    def _new_usage(self, known: Accesses | None) -> Usage:
        usage = Usage(self.policy.startswith("volatile"), self.policy != NO_EVICTION)
        if self._tracks:
            keyspace, by_frequency = self.engine.keyspace, self.policy.endswith("lfu")
            usage.accesses = Accesses(keyspace.clock, keyspace.rng, by_frequency)
            if known is not None and known.by_frequency == by_frequency:
                usage.accesses.seen = known.seen
        return usage

    def _count(self, usage: Usage, slot: int) -> None:
        """Weigh what is there already, some slots in a turn; what is written meanwhile weighs itself."""
        store = self.engine.keyspace.store
        looked = 0
        while slot < SLOTS and looked < _COUNTED_IN_A_TURN and store.usage is usage:
            for key, record in store.records[slot].items():
                usage.weigh(key, record)
            looked += len(store.records[slot])
            slot += 1
        if slot < SLOTS and store.usage is usage:
            self.engine.soon(lambda: self._count(usage, slot))

    # When

    def tick(self) -> None:
        """Called a few times a second: begin to free this node's share of what is too much."""
        self.uses.tick()
        if self.engine.is_limited and self.used > self.limit and self._owed <= 0:
            self._owed = self._share()
            self._slice()

    def _slice(self) -> None:
        freed = self._free(self._owed, _IN_A_TURN)
        self._owed = self._owed - freed if freed > 0 and self.used > self.limit else 0
        if self._owed > 0:
            self.engine.soon(self._slice)

    def refusal(self, row: Row, args: list[bytes]) -> bytes | None:
        """Make room before a write; the refusal of one that needs room where nothing can be evicted."""
        self.is_full = self.used > self.limit and self._free(self._share(), _BEFORE_A_WRITE) <= 0
        if not self.is_full:
            return None
        if row is TRANSACTION:
            return _ABORTED if may_grow(args) else None
        return _REFUSED if "denyoom" in row.flags else None

    def _share(self) -> int:
        """The part of what is too much that this node frees: as much of it as it leads of its keys."""
        held = [route.is_ready for route in self.engine.table.routes if route.is_replica]
        return max(1, (self.used - self.limit) * sum(held) // max(1, len(held))) if any(held) else 0

    def _free(self, goal: int, most: int) -> int:
        """Evict up to `most` keys until `goal` bytes are free, or enough; how many bytes were freed."""
        engine, before = self.engine, self.used
        if self.policy == NO_EVICTION or goal <= 0:
            return 0
        for _ in range(most):
            if self.used <= self.limit or before - self.used >= goal:
                break
            victim = self._victim()
            if victim is not None:
                self._evict(victim)
            elif not engine.expires_actively or not expire(
                engine.keyspace.store, engine.keyspace.now_ms, most
            ):
                break
        return before - self.used

    def _evict(self, key: bytes) -> None:
        engine, keyspace = self.engine, self.engine.keyspace
        route = engine.table.of_key(key)
        if not route.is_alone and not route.batch.effects:
            engine.dirty.append(route)
        keyspace.effects = None if route.is_alone else route.batch.effects
        keyspace.delete(key)
        self.evicted += 1
        if keyspace.wants_events:
            keyspace.event("evicted", key)

    # Which

    def _victim(self) -> bytes | None:
        """The key to evict next; None when there is none."""
        if self.policy.endswith("random"):
            return next(iter(self._draw(1)), None)
        kept = self._kept
        for key, record in self._draw(self.samples).items():
            entry = (self._worth(key, record), key)
            if entry not in kept:
                insort(kept, entry)
        found = None
        while kept and found is None:
            worth, key = kept.pop(0)
            now = self._candidate(key)
            if now is not None and self._worth(key, now) <= worth:
                found = key
        del kept[_KEPT:]
        return found

    def _worth(self, key: bytes, record: Record) -> tuple[int, int]:
        accesses = self.engine.keyspace.accesses
        if accesses is None:
            return record[DEADLINE], 0
        last_ms = accesses.last_ms(key, record)
        return (accesses.frequency(key, record), last_ms) if accesses.by_frequency else (last_ms, 0)

    def _draw(self, count: int) -> dict[bytes, Record]:
        """Up to `count` candidates by chance; at least one when it is not hard to find."""
        usage, found = self.engine.keyspace.store.usage, dict[bytes, Record]()
        keys = usage.candidates if usage is not None else []
        chance = self.engine.keyspace.rng.random
        for _ in range(8 * count + 16 if keys else 0):
            key = keys[int(chance() * len(keys))]
            record = self._candidate(key)
            if record is not None:
                found[key] = record
                if len(found) == count:
                    return found
        return found or self._walk(keys)

    def _walk(self, keys: list[bytes]) -> dict[bytes, Record]:
        for _ in range(min(_WALKED, len(keys))):
            self._walk_at = (self._walk_at + 1) % len(keys)
            key = keys[self._walk_at]
            record = self._candidate(key)
            if record is not None:
                return {key: record}
        return {}

    def _candidate(self, key: bytes) -> Record | None:
        """The record of a key that this node may evict now."""
        engine, store = self.engine, self.engine.keyspace.store
        if not engine.table.of_key(key).is_ready:
            return None
        record = store.get(store.slot_of(key), key)
        is_kept = self.policy.startswith("volatile") and not record[DEADLINE]
        return None if is_kept or not is_live(record, engine.now_ms) else record
