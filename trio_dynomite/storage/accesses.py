"""When keys were used last, or how often: what the LRU and LFU policies of `maxmemory` go by.

Only what this node saw, and only keys that were used since such a policy was set; of any other its newest
stamp tells when it was written. Source: https://valkey.io/topics/lru-cache, `evict.c`.
"""

from attrs import define, field

from trio_dynomite.commands.record import Chance
from trio_dynomite.data.record import Record, newest
from trio_dynomite.data.stamp import HybridClock, milliseconds

NEW = 5
"""The counter of a key that has not been used yet: else it would be the next to go."""
_MOST = 255
_MINUTE_MS = 60_000
_READ_MAX = 2000


@define(repr=False)
class Accesses:
    """The uses of a node's keys."""

    clock: HybridClock
    rng: Chance
    by_frequency: bool
    log_factor: int = 10
    """The larger, the more uses a counter stands for."""
    decay_minutes: int = 1
    """A counter loses 1 in so many minutes without use; 0: nothing."""
    seen: dict[bytes, int] = field(factory=dict)
    """Key → milliseconds of its last use; or, by frequency, minutes * 256 + counter."""
    read: set[bytes] = field(factory=set)
    """Some of the keys that were read since somebody took them, to tell their primaries."""

    def note_read(self, key: bytes, record: Record) -> None:
        """The live `key` was read here."""
        if len(self.read) < _READ_MAX:
            self.read.add(key)
        self.use(key, record)

    def use(self, key: bytes, record: Record) -> None:
        """The live `key` was read, or written over."""
        now_ms = self.clock.now_ms
        if not self.by_frequency:
            self.seen[key] = now_ms
            return
        counter = self.frequency(key, record)
        if counter < _MOST and self.rng.random() < 1 / (max(0, counter - NEW) * self.log_factor + 1):
            counter += 1
        self.seen[key] = now_ms // _MINUTE_MS << 8 | counter

    def last_ms(self, key: bytes, record: Record) -> int:
        """When `key` was last written, or used; by frequency only the former is known."""
        written_ms = milliseconds(newest(record))
        return written_ms if self.by_frequency else max(written_ms, self.seen.get(key, 0))

    def frequency(self, key: bytes, record: Record) -> int:
        """Redis's logarithmic counter of uses, 0 to 255, as it has decayed by now."""
        held = self.seen.get(key)
        if held is None:
            held = milliseconds(newest(record)) // _MINUTE_MS << 8 | NEW
        idle = self.clock.now_ms // _MINUTE_MS - (held >> 8)
        decayed = max(0, idle) // self.decay_minutes if self.decay_minutes else 0
        return max(0, (held & _MOST) - decayed)
