"""Hints: what a replica that is away has missed, kept until it returns.

A node that keeps a hint is a replica of the key itself, so the queue remembers only WHICH keys the target
missed, each once however often it was written; what is delivered is all that this node knows of the key at
that time. It lives in memory and is bounded: beyond the bound a hint is refused and counted.
The interface (`append`, `take_flushes`, `take`) is the one a durable log takes over.
"""

from collections.abc import Callable
from itertools import islice

from attrs import define, field

from trio_dynomite.data.effect import FIELDS, FLUSH, Flat

_ENTRY_BYTES = 100
"""What a key costs in the queue besides its own bytes."""


@define(eq=False)
class HintBudget:
    """The bytes that all queues of a node share."""

    bytes_max: int
    used: int = 0


@define(eq=False)
class HintQueue:
    """What one target has missed."""

    budget: HintBudget
    bytes_max: int
    used: int = 0
    refused: int = 0
    """Keys that found no room."""
    delivered: int = 0
    _keys: dict[bytes, None] = field(factory=dict)
    _flushes: dict[tuple[int, int, int], int] = field(factory=dict)
    """(origin, first slot, last slot) of flushes it missed → the newest one's clock."""

    def __len__(self) -> int:
        return len(self._keys) + len(self._flushes)

    def append(self, origin: int, effects: Flat) -> None:
        """The target missed these effects."""
        for at in range(0, len(effects), FIELDS):
            if effects[at] == FLUSH:
                first, last = effects[at + 4]
                place = (origin, first, last)
                self._flushes[place] = max(effects[at + 3], self._flushes.get(place, 0))
            else:
                self.add(effects[at + 2])

    def add(self, key: bytes) -> None:
        """The target lacks something of what is known of `key`."""
        if key in self._keys:
            return
        size = len(key) + _ENTRY_BYTES
        if self.used + size > self.bytes_max or self.budget.used + size > self.budget.bytes_max:
            self.refused += 1
            return
        self._keys[key] = None
        self._use(size)

    def _use(self, size: int) -> None:
        self.used += size
        self.budget.used += size

    def take_flushes(self) -> list[tuple[int, Flat]]:
        """(origin, effect) of every flush, which go first."""
        taken, self._flushes = self._flushes, {}
        return [
            (origin, [FLUSH, first, b"", clock, [first, last], 0])
            for (origin, first, last), clock in taken.items()
        ]

    def take(
        self, limit: int, weight_max: int = 0, weight: Callable[[bytes], int] = lambda key: 0
    ) -> list[bytes]:
        """At most `limit` keys, the oldest first; they are the caller's until it gives them back.

        No more either once those taken weigh more than `weight_max`."""
        taken: list[bytes] = []
        taken_weight = 0
        for key in islice(self._keys, limit):
            taken.append(key)
            taken_weight += weight(key)
            if taken_weight > weight_max:
                break
        for key in taken:
            del self._keys[key]
            self._use(-len(key) - _ENTRY_BYTES)
        self.delivered += len(taken)
        return taken

    def clear(self) -> None:
        """The target is gone for good."""
        self._use(-self.used)
        self._keys.clear()
        self._flushes.clear()
