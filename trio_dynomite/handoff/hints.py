"""Hints: what a replica that is away has missed, kept until it returns.

A node that keeps a hint is a replica of the key itself, so the queue remembers only WHICH keys the target
missed, each once however often it was written; what is delivered is all that this node knows of the key at
that time. What was taken for delivery stays until the target has acknowledged it. The queue is bounded in
bytes, and in time: what finds no room, or is too old, is counted and left to anti-entropy.

Keys have consecutive numbers in the order in which they were first missed, and are delivered in it, so one
number tells how far the target is. That is what a log needs (`log.py`), which is told the news of each turn.
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from attrs import define, field

from trio_dynomite.data.effect import FIELDS, FLUSH, Flat
from trio_dynomite.handoff.block import Block, Place

_ENTRY_BYTES = 100
"""What a key costs in the queue besides its own bytes."""
_MARK_MS = 1000
"""When a key was first missed is known about so exactly."""


@define(eq=False)
class HintBudget:
    """What all queues of a node share."""

    bytes_max: int
    window_ms: int = 0
    """How long a target may be away before its hints expire; 0: for ever."""
    used: int = 0
    now_ms: int = 0
    """Wall-clock time, told a few times a second."""
    touched: list["HintQueue"] = field(factory=list)
    """Those with news for their logs."""


@define(eq=False)
class HintQueue:
    """What one target has missed."""

    budget: HintBudget
    bytes_max: int
    used: int = 0
    refused: int = 0
    """Keys that found no room."""
    expired: int = 0
    """Keys that were given up because the target was away for too long."""
    delivered: int = 0
    """Keys that the target has acknowledged."""
    delivered_ms: int = 0
    """When it last did."""
    is_incomplete: bool = False
    """It has missed more than the queue knows: anti-entropy must look."""
    is_logged: bool = False
    """There is a log that wants to hear the news."""
    away_ms: int | None = None
    """Since when the target is away; None: it is not."""
    is_over: bool = False
    """It is away for too long: nothing is kept for it any more."""
    _next: int = 0
    """The number of the next key."""
    _taken: dict[bytes, None] = field(factory=dict)
    """On their way to the target."""
    _first: dict[bytes, None] = field(factory=dict)
    """Were on their way, and go first."""
    _keys: dict[bytes, None] = field(factory=dict)
    _flushes: dict[Place, int] = field(factory=dict)
    """Of flushes it missed, the newest one's clock."""
    _flushes_taken: dict[Place, int] = field(factory=dict)
    _times: deque[tuple[int, int]] = field(factory=deque)
    """(number, when it was first missed) of some keys, in order."""
    _news: Block | None = None

    def __len__(self) -> int:
        return len(self._keys) + len(self._flushes) + self._old + len(self._flushes_taken)

    @property
    def _old(self) -> int:
        return len(self._first) + len(self._taken)

    @property
    def first(self) -> int:
        """The number of the oldest key that the target has not acknowledged."""
        return self._next - len(self._keys) - self._old

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest of its keys was first missed."""
        return self._times[0][1] if self._times and self.first < self._next else None

    @property
    def age_s(self) -> int:
        """For how many seconds its oldest key has been missed; 0 when none is."""
        oldest_ms = self.oldest_ms
        return 0 if oldest_ms is None else max(0, self.budget.now_ms - oldest_ms) // 1000

    @property
    def delivered_s_ago(self) -> str:
        """How many seconds ago the target acknowledged any last."""
        return f"{(self.budget.now_ms - self.delivered_ms) // 1000}" if self.delivered_ms else "never"

    # What is missed

    def append(self, origin: int, effects: Flat) -> None:
        """The target missed these effects."""
        for at in range(0, len(effects), FIELDS):
            if effects[at] == FLUSH:
                first, last = effects[at + 4]
                self.add_flush((origin, first, last), effects[at + 3])
            else:
                self.add(effects[at + 2])

    def add(self, key: bytes) -> None:
        """The target lacks something of what is known of `key`."""
        if key in self._keys or key in self._first:
            return
        if self.is_over:
            self.expired += 1
            return
        size = len(key) + _ENTRY_BYTES
        if self.used + size > self.bytes_max or self.budget.used + size > self.budget.bytes_max:
            self.refused += 1
            self.is_incomplete = True
            return
        self._keys[key] = None
        self.used += size
        self.budget.used += size
        if not self._times or self.budget.now_ms - self._times[-1][1] >= _MARK_MS:
            self._times.append((self._next, self.budget.now_ms))
        if self.is_logged:
            self._tell().keys.append(key)
        self._next += 1

    def add_flush(self, place: Place, clock: int) -> None:
        """The target missed a flush."""
        if self.is_over or clock <= self._flushes.get(place, -1):
            return
        self._flushes[place] = clock
        if self.is_logged:
            self._tell().flushes.append((*place, clock))

    # Delivery

    def take_flushes(self) -> list[tuple[int, Flat]]:
        """(origin, effect) of every flush, which go first."""
        taken, self._flushes = self._flushes, {}
        self._flushes_taken.update(taken)
        return [
            (origin, [FLUSH, first, b"", clock, [first, last], 0])
            for (origin, first, last), clock in taken.items()
        ]

    def peek(self, limit: int) -> list[bytes]:
        """The keys that would be taken next."""
        return list(islice(self._first or self._keys, 0 if self._taken else limit))

    def take(
        self, limit: int, weight_max: int = 0, weight: Callable[[bytes], int] = lambda key: 0
    ) -> list[bytes]:
        """At most `limit` keys, the oldest first; none while others are neither acknowledged nor given back.

        No more either once those taken weigh more than `weight_max`."""
        taken: list[bytes] = []
        taken_weight = 0
        keys = self._first or self._keys
        for key in self.peek(limit):
            taken.append(key)
            taken_weight += weight(key)
            if taken_weight > weight_max:
                break
        for key in taken:
            del keys[key]
            self._taken[key] = None
        return taken

    def acknowledged(self) -> None:
        """The target has joined all that was taken."""
        if self._taken or self._flushes_taken:
            self.delivered += len(self._taken)
            self.delivered_ms = self.budget.now_ms
            self._forget(self._taken)
            self._flushes_taken.clear()
            self._moved()

    def give_back(self) -> None:
        """The target has not joined what was taken, or nobody knows: it goes first next time."""
        if self._taken:
            self._first = {**self._taken, **self._first}
            self._taken = {}
        for place, clock in self._flushes_taken.items():
            self._flushes[place] = max(clock, self._flushes.get(place, 0))
        self._flushes_taken = {}

    def _forget(self, keys: dict[bytes, None]) -> None:
        size = sum(map(len, keys)) + _ENTRY_BYTES * len(keys)
        self.used -= size
        self.budget.used -= size
        keys.clear()

    def _moved(self) -> None:
        first = self.first
        while len(self._times) > 1 and self._times[1][0] <= first:
            self._times.popleft()
        if first == self._next:
            self._times.clear()
        if self.is_logged:
            self._tell()

    # The target's absence

    def left(self) -> None:
        """The target has gone away."""
        if self.away_ms is None:
            self.away_ms = self.budget.now_ms

    def returned(self) -> None:
        """The target is back."""
        self.away_ms, self.is_over = None, False

    def expire(self) -> int:
        """Give everything up if the target is away for too long; how many keys that were."""
        if self.away_ms is None or not 0 < self.budget.window_ms < self.budget.now_ms - self.away_ms:
            return 0
        self.is_over = self.is_incomplete = True
        count = self._next - self.first
        self.expired += count
        if len(self):
            self.clear()
        return count

    def clear(self) -> None:
        """Forget everything: the target is gone for good, or away for too long."""
        for keys in (self._taken, self._first, self._keys):
            self._forget(keys)
        self._flushes.clear()
        self._flushes_taken.clear()
        self._moved()

    # The log

    def _tell(self) -> Block:
        if self._news is None:
            self._news = Block(self.budget.now_ms, self._next)
            self.budget.touched.append(self)
        return self._news

    def take_news(self) -> Block:
        """What has changed since this was last asked for."""
        news, self._news = self._news or Block(self.budget.now_ms, self._next), None
        news.acknowledged = self.first
        return news

    def known(self) -> Block:
        """Everything that the target has not acknowledged."""
        flushes = {**self._flushes, **self._flushes_taken}
        return Block(
            self.oldest_ms or self.budget.now_ms,
            self.first,
            [*self._taken, *self._first, *self._keys],
            [(*place, clock) for place, clock in flushes.items()],
            self.first,
        )

    def restore(self, blocks: Iterable[Block]) -> None:
        """Begin with what a log tells, in its order; the keys get new numbers, after all of those."""
        found = list(blocks)
        done = max([block.acknowledged for block in found], default=0)
        self._next = max([done, *[block.end for block in found]])
        now_ms, logged, self.is_logged = self.budget.now_ms, self.is_logged, False
        for block in found:
            self.budget.now_ms = block.now_ms
            for key in block.keys[max(0, done - block.first) :]:
                self.add(key)
            for origin, first, last, clock in block.flushes:
                self.add_flush((origin, first, last), clock)
        self.budget.now_ms, self.is_logged = now_ms, logged
        self.away_ms = self.oldest_ms or now_ms
