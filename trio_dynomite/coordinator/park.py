"""Parking: requests that can be neither served nor refused yet.

A primary whose link just broke may be back in a moment, or be found dead and replaced; a node that has just
become primary first learns what the other replicas know. Requests that meet such a moment wait here, and
are routed again whenever something changes, until their deadline.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.coordinator.batch import Waiter, nothing_done
from trio_dynomite.coordinator.lone import LoneCaller, run_late
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route


@define(eq=False)
class Parked(LoneCaller):
    """A request that waits for its route; also the caller when it is routed again."""

    route: Route
    row: Row
    args: list[bytes]
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    waiter: Waiter
    size: int
    """Bytes of the request."""
    is_over: bool = False

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self.waiter

    def expire(self) -> None:
        """The deadline has passed while nothing was done."""
        if not self.is_over:
            self.is_over = True
            if self.row.write:
                self.waiter.done(nothing_done("no primary became ready in time"))
            else:
                self.waiter.done(error("TIMEOUT no replica could answer in time"))


@define(eq=False)
class Parking:
    """The parked requests of one node."""

    engine: Engine
    _parked: deque[Parked] = field(factory=deque)
    _calls: list[Callable[[], None]] = field(factory=list)

    def __len__(self) -> int:
        return len(self._parked)

    def add(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> None:
        """Let a request wait. One that was parked before keeps its deadline."""
        if isinstance(caller, Parked):
            self._append(caller)
            return
        levels = (caller.read_level, caller.write_level)
        parked = Parked(
            route,
            row,
            args,
            *levels,
            caller.resp,
            caller.hops,
            caller.wait(*(route, None) if row.write else (None, route)),
            sum(map(len, args)),
        )
        self.hold(parked)

    def until_agreed(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """The ring has just changed: in a moment replicas agree again; None, or why there is no room."""
        full = self.engine.over_limit()
        if full is None:
            self.add(route, row, args, caller)
        return full

    def hold(self, parked: Parked) -> None:
        """Let a request wait that began otherwise."""
        self.engine.watch(parked)
        self._append(parked)

    def _append(self, parked: Parked) -> None:
        self._parked.append(parked)
        self.engine.waiting_bytes += parked.size

    def call(self, act: Callable[[], None]) -> None:
        """Call `act` when something may have changed."""
        self._calls.append(act)

    def retry(self) -> None:
        """Something may have changed: route every parked request again."""
        calls, self._calls = self._calls, []
        for act in calls:
            act()
        for _ in range(len(self._parked)):
            parked = self._parked.popleft()
            self.engine.waiting_bytes -= parked.size
            if not parked.is_over:
                self.route_again(parked)

    def route_again(self, parked: Parked) -> None:
        """What it waited for has come."""
        # Judged done before it is routed, so that a reply given at once is not given again by `expire`.
        parked.is_over = True
        before = len(self._parked)
        is_answered = run_late(self.engine, parked.waiter, lambda: self._submit(parked))
        if not is_answered and len(self._parked) > before and self._parked[-1] is parked:
            parked.is_over = False

    def _submit(self, parked: Parked) -> bytes | None:
        """As it was submitted first, so that keys are gathered, and split where the ring was cut meanwhile.

        A part of a split request goes as it is while its route is what it was."""
        if parked.row.spread is Spread.KEY or parked.route.is_retired:
            return self.engine.submit(parked.row, parked.args, parked)
        return self.engine.submit_to(parked.route, parked.row, parked.args, parked)
