"""A lone caller: one request that has no others to keep in order with, unlike a client's session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trio_dynomite.coordinator.batch import Batch, Waiter
from trio_dynomite.data.stamp import NODE_BITS

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route

_NOTHING: Mapping[Route, int] = {}


class LoneCaller:
    """What forwarded, parked and remote requests have in common as callers (`engine.Caller`)."""

    __slots__ = ()

    @property
    def remote_writes(self) -> Mapping[Route, int]:
        """Nothing is remembered for one request."""
        return _NOTHING

    def note(self, away: Route | None, reading: Route | None, change: int) -> None:
        """Nothing is remembered for one request."""

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        raise NotImplementedError

    def ran(self, clock: int) -> None:
        """It was run at last, in a later turn; its newest effect has this clock."""

    def block(self) -> Waiter:
        """As `wait`; nothing comes after it."""
        return self.wait()

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""
        batch.waiting.append((need, self.wait(), reply))


def run_late(engine: Engine, waiter: Waiter, run: Callable[[], bytes | None]) -> bool:
    """Run what another node may have asked for in an earlier turn, and tell it what that made.

    Is it answered?"""
    clock = engine.keyspace.clock
    before = clock.last
    reply = run()
    if clock.last != before and isinstance(waiter, LoneCaller):
        waiter.ran(clock.last >> NODE_BITS)
    if reply is not None:
        waiter.done(reply)
    return reply is not None
