"""A network of virtual time: connections between simulated nodes, with delay, cuts and resets.

A connection keeps its order, as TCP does. What is sent into a cut is held, as TCP would send it again, and
arrives when the cut heals, unless the connection was given up meanwhile. Everything is drawn from one
seeded random generator, so a run can be repeated exactly.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.storage.gate import Gate


@define(eq=False)
class Timeline:
    """Events in virtual time."""

    rng: random.Random
    now_s: float = 0.0
    steps: int = 0
    _events: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _order: int = 0

    def at(self, when_s: float, act: Callable[[], None]) -> None:
        """Do `act` at `when_s`; events of one moment keep the order in which they were asked for."""
        self._order += 1
        heapq.heappush(self._events, (max(when_s, self.now_s), self._order, act))

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Do `act` in `delay_s` seconds."""
        self.at(self.now_s + delay_s, act)

    def run_until(self, end_s: float) -> None:
        """Let everything happen that is due by `end_s`."""
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _, act = heapq.heappop(self._events)
            self.steps += 1
            act()
        self.now_s = end_s


@define(eq=False)
class SimPipe:
    """One end of a connection: what a channel is in a real node."""

    network: Network
    owner: str
    other: str
    turn: Callable[[Callable[[], None]], None]
    """Runs something inside a turn of the owner."""
    far: SimPipe = field(init=False)
    handler: Any = field(init=False)
    is_closed: bool = False
    is_dead: bool = False
    """The power went: what is still on its way is lost."""
    _out: list[bytes] = field(factory=list)
    _held: list[bytes | None] = field(factory=list)
    """Sent into a cut; None is the end of the connection."""
    _last_s: float = 0.0
    gate: Gate | None = None
    """What is said here must be safe first."""
    _kept: deque[tuple[int, bytes]] = field(factory=deque)
    """Behind the gate."""
    room_made: int = 0
    """A simulated socket takes everything at once."""

    def write(self, data: bytes) -> None:
        """Send at the end of the turn."""
        if not self.is_closed:
            if not self._out:
                self.network.touched.append(self)
            self._out.append(data)

    def flush(self) -> None:
        """The turn is over."""
        if self._out and not self.is_closed:
            data, self._out = b"".join(self._out), []
            if self.gate is None or not (self._kept or self.gate.is_shut):
                self._send(data)
                return
            if not self._kept:
                self.gate.held.append(self)
            self._kept.append((self.gate.made, data))

    def release(self, safe: int) -> None:
        """As a `hub.gated.GatedChannel`."""
        while self._kept and self._kept[0][0] <= safe:
            self._send(self._kept.popleft()[1])
        if self._kept and self.gate is not None:
            self.gate.held.append(self)

    def refuse(self, number: int) -> None:
        """As a `hub.gated.GatedChannel`."""
        if self._kept and self._kept[-1][0] >= number:
            self.close("what it was to hear of could not be stored")

    def _send(self, data: bytes | None) -> None:
        if self.network.is_cut(self.owner, self.other):
            self._held.append(data)
            return
        network = self.network
        network.sent += len(data or b"")
        self._last_s = max(network.timeline.now_s + network.delay_s(self.owner, self.other), self._last_s)
        network.timeline.at(self._last_s, lambda: self._arrive(data))

    def resend(self) -> None:
        """The cut has healed: what was held goes on its way."""
        held, self._held = self._held, []
        for data in held:
            self._send(data)

    def _arrive(self, data: bytes | None) -> None:
        far = self.far
        if far.is_closed or (self.is_dead and data is not None):
            return
        if self.network.is_cut(self.owner, self.other):
            self._held.append(data)
        elif data is None:
            far.turn(lambda: far.lose("closed by the other side"))
        else:
            far.turn(lambda: far.take(data))

    def take(self, data: bytes) -> None:
        """Bytes from the other end."""
        if not self.is_closed:
            self.handler.received(data)

    def close(self, reason: str = "closed here") -> None:
        """End the connection: the handler hears at once, the other end when it can."""
        if not self.is_closed:
            self.flush()
            self._send(None)
            self.lose(reason)

    close_when_sent = close

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        if not self.is_closed:
            self.is_closed = True
            self._out.clear()
            self._kept.clear()
            self.handler.closed(reason)

    def hold(self, held: bool) -> None:
        """A simulated socket has room for everything."""

    @property
    def unsent(self) -> int:
        """Bytes that have not left."""
        return sum(len(data) for data in self._held if data is not None)


@define(eq=False)
class Network:
    """All connections, and what is wrong with them."""

    timeline: Timeline
    delay_min_s: float = 0.0002
    delay_max_s: float = 0.003
    slow: dict[str, float] = field(factory=dict)
    """Node → extra delay in seconds on everything from it."""
    cuts: set[tuple[str, str]] = field(factory=set)
    """(from, to): nothing passes."""
    pipes: list[SimPipe] = field(factory=list)
    touched: list[SimPipe] = field(factory=list)
    sent: int = 0
    """Bytes."""

    def is_cut(self, source: str, target: str) -> bool:
        """Does nothing pass from `source` to `target`?"""
        return (source, target) in self.cuts

    def delay_s(self, source: str, target: str) -> float:
        """How long the next bytes are on their way."""
        return self.timeline.rng.uniform(self.delay_min_s, self.delay_max_s) + self.slow.get(source, 0.0)

    def pair(self, a: str, b: str, turn_a: Any, turn_b: Any) -> tuple[SimPipe, SimPipe]:
        """A new connection between two nodes."""
        near, far = SimPipe(self, a, b, turn_a), SimPipe(self, b, a, turn_b)
        near.far, far.far = far, near
        self.pipes = [pipe for pipe in self.pipes if not (pipe.is_closed and pipe.far.is_closed)]
        self.pipes += [near, far]
        return near, far

    def flush(self) -> None:
        """A turn is over: send what was written."""
        touched, self.touched = self.touched, []
        for pipe in touched:
            pipe.flush()

    def cut(self, source: str, target: str) -> None:
        """Let nothing pass from `source` to `target` until it heals."""
        self.cuts.add((source, target))

    def heal(self) -> None:
        """Undo every cut and slowness."""
        self.cuts.clear()
        self.slow.clear()
        for pipe in list(self.pipes):
            pipe.resend()
