"""Walks: commands on every key of the cluster, each key once: KEYS SCAN DBSIZE RANDOMKEY FLUSHALL FLUSHDB.

The ring is cut into stretches of one route each, short enough that a turn does one and goes on to other
work. Each stretch is asked of a replica that serves it (a flush: of its primary). `survey` is what that
replica does; this module is the walk over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from trio_dynomite.coordinator import survey
from trio_dynomite.coordinator.batch import Waiter
from trio_dynomite.coordinator.routes import Route
from trio_dynomite.model import Level
from trio_dynomite.peers.link import LOST, Link
from trio_dynomite.peers.peer import Liveness, Peer
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.contract import SLOTS

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine

SURVEY_HOPS = -1
"""In a RUN frame, where the hops stand: this is a survey of a stretch, not a command."""
SLOTS_A_SLICE = 256


@frozen
class Stretch:
    """A stretch of the ring that one route serves."""

    route: Route
    first: int
    last: int
    """Ring positions, inclusive."""


def stretches(engine: Engine, slots_max: int, start: int = 0, end: int | None = None) -> Iterator[Stretch]:
    """The ring from position `start` (to `end`), in order, in stretches of at most `slots_max` slots."""
    table = engine.table  # as it is now: a route of it that is retired later is cut again
    view = table.view
    if end is not None:
        for stretch in stretches(engine, slots_max, start):
            if stretch.first > end:
                return
            yield evolve(stretch, last=min(stretch.last, end))
        return
    size = slots_max * (view.partitioner.ring_size // SLOTS)
    for range_ in view.ranges:
        route = table.of_position(range_.first)
        for first in range(max(start, range_.first), range_.last + 1, size):
            yield Stretch(route, first, min(first + size - 1, range_.last))


@define(eq=False)
class Walk:
    """One walk under way: asks stretch after stretch, and folds what it is told."""

    engine: Engine
    what: bytes
    """The survey's name."""
    args: list[Any]
    level: Level
    """A flush's write level."""
    stretches: Iterator[Stretch]
    fold: Callable[[Any], bool]
    """Takes a stretch's value; False ends the walk."""
    finish: Callable[[], bytes]
    """The reply once the walk has ended."""
    waiter: Waiter | None = None
    stretch: Stretch | None = None
    tried: list[Peer] = field(factory=list)
    reply: bytes | None = None
    _deadline_s: float = 0.0

    def start(self, waiter: Callable[[], Waiter]) -> bytes | None:
        """Walk; the reply when it needed nobody else and one turn, or None when it comes later."""
        self._deadline_s = self.engine.mono_s + self.engine.request_timeout_s
        self._next()
        if self.reply is None:
            self.waiter = waiter()
        return self.reply

    def _next(self) -> None:
        self.stretch = next(self.stretches, None)
        self.tried = []
        if self.stretch is None:
            self._end(self.finish())
        else:
            self._ask(self.stretch)

    def _ask(self, stretch: Stretch) -> None:
        if stretch.route.is_retired:
            self._cut_again(stretch)
            return
        if self._is_ours(stretch.route):
            survey.perform(self.engine, self._request(stretch), self._surveyed_here)
            return
        link = self._find(stretch.route)
        if link is None and self._may_wait(stretch.route):
            self.engine.parking.call(self._again)
            return
        if link is None:
            self._end(
                error(f"NOREPLICAS no replica of positions {stretch.first} to {stretch.last} can answer")
            )
            return
        link.run([0, int(self.level), 2, SURVEY_HOPS, self._request(stretch)], self._surveyed)

    def _cut_again(self, stretch: Stretch) -> None:
        """The ring has changed: what was one stretch may be several, and has other owners."""
        again = list(stretches(self.engine, SLOTS, stretch.first, stretch.last))
        self.stretches = chain(again, self.stretches)
        self._next()

    def _may_wait(self, route: Route) -> bool:
        """Will somebody be there in a moment? As with parked requests."""
        return route.leads or any(peer.is_open or peer.liveness is Liveness.LIMBO for peer in route.copies)

    def _request(self, stretch: Stretch) -> list[Any]:
        return [self.what, stretch.first, stretch.last, int(self.level), *self.args]

    def _is_ours(self, route: Route) -> bool:
        return route.is_ready if self.what == survey.FLUSH else route.serves

    def _find(self, route: Route) -> Link | None:
        if self.what == survey.FLUSH:
            peers = [route.leader] if route.leader is not None and route.leader.is_open else []
        else:
            peers = [peer for peer in route.readers() if peer not in self.tried]
        if not peers:
            return None
        self.tried.append(peers[0])
        return peers[0].link

    def _surveyed_here(self, value: Any) -> None:
        # In the next turn, so that a long walk lets others work in between.
        self.engine.soon(lambda: self._surveyed(value))

    def _surveyed(self, value: Any, clock: int = 0) -> None:
        if self.reply is not None:
            return
        if isinstance(value, bytes) and value[:1] == b"-":
            self._end(value)
        elif value is LOST or value is None:
            self.engine.parking.call(self._again)
        elif self.fold(value):
            self._deadline_s = self.engine.mono_s + self.engine.request_timeout_s
            self._next()
        else:
            self._end(self.finish())

    def _again(self) -> None:
        self.tried = []
        if self.stretch is None or self.engine.mono_s > self._deadline_s:
            self._end(error("TIMEOUT a part of the ring did not answer in time"))
        else:
            self._ask(self.stretch)

    def _end(self, reply: bytes) -> None:
        self.reply = reply
        if self.waiter is not None:
            self.waiter.done(reply)
