"""Keys with deadlines, of one writer each: there until shortly before, gone soon after, and PERSIST saves
them.

Clocks jump while this runs, and each node expires keys by its own, so "shortly" is `SKEW_S`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from tests.chaos.loads import Asker
from tests.chaos.wire import Client, Outcome

JUMP_S = 3
"""How far a clock jumps."""
SKEW_S = 2 * JUMP_S + 1.0
"""A clock may be ahead where the deadline is set, and behind where it passes."""
_TTLS_S = (2, 5, 9, 3600)


@define(eq=False)
class Deadline:
    """One key, and when it may be found. All times are this program's monotonic ones."""

    key: str
    early_s: float
    """Until then it is there; infinity: for ever."""
    late_s: float = float("inf")
    """From then on it is gone."""
    is_sure: bool = False
    """All that was asked for it was acknowledged."""

    def complaint(self, is_there: bool, before_s: float, after_s: float) -> str | None:
        """What is wrong with finding it, or not, between two times."""
        if not self.is_sure:
            return None
        if is_there and before_s > self.late_s + SKEW_S:
            return f"RESURRECTED {self.key}: there {before_s - self.late_s:.1f} s after its deadline"
        if not is_there and after_s < self.early_s - SKEW_S:
            return f"LOST {self.key}: gone {self.early_s - after_s:.1f} s before its deadline"
        return None


@define(eq=False)
class Deadlines:
    """Those of one datacenter."""

    home: str
    rng: random.Random
    now_s: Callable[[], float]
    name: str = "expiry"
    is_ending: bool = False
    """Nothing that is set from now on shall expire before the copies are compared."""
    all: list[Deadline] = field(factory=list)
    wrong: list[str] = field(factory=list)

    def names(self) -> Iterator[str]:
        """Those so far."""
        return (one.key for one in self.all)

    async def step(self, client: Client) -> None:
        """Set one, or look at one."""
        if self.rng.random() < 0.5 and self.all:
            await self._look(client)
            return
        one = Deadline(f"deadline:{self.home}:{len(self.all)}", float("inf"))
        self.all.append(one)
        ttl_s = max(_TTLS_S) if self.is_ending else self.rng.choice(_TTLS_S)
        is_saved = self.rng.random() < 0.2
        began_s = self.now_s()
        outcomes = [(await client.ask(*request))[0] for request in self._requests(one.key, ttl_s, is_saved)]
        if not is_saved:
            one.early_s, one.late_s = began_s + ttl_s, self.now_s() + ttl_s
        one.is_sure = all(outcome is Outcome.ACKED for outcome in outcomes)

    def _requests(self, key: str, ttl_s: int, is_saved: bool) -> list[list[Any]]:
        requests: list[list[Any]] = [["SET", key, "v", "PX", ttl_s * 1000]]
        if self.rng.random() < 0.4:
            requests = [["SET", key, "v"], ["PEXPIRE", key, ttl_s * 1000]]
        return [*requests, ["PERSIST", key]] if is_saved else requests

    async def _look(self, client: Client) -> None:
        one, before_s = self.rng.choice(self.all[-40:]), self.now_s()
        was_sure = one.is_sure
        outcome, value = await client.ask("GET", one.key)
        if outcome is Outcome.ACKED and was_sure:
            self._note(one, value, before_s)

    def _note(self, one: Deadline, value: bytes | None, before_s: float) -> None:
        if complaint := one.complaint(value is not None, before_s, self.now_s()):
            self.wrong.append(complaint)

    async def check(self, node: Asker) -> list[str]:
        """What is due is gone, the rest is there."""
        wrong = []
        for one in self.all:
            before_s, value = self.now_s(), await node.ask("GET", one.key)
            if complaint := one.complaint(value is not None, before_s, self.now_s()):
                wrong.append("at the end: " + complaint)
        return wrong
