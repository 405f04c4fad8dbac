"""Targets: keys with one writer, which know exactly what a reader may find, and what a write must answer.

A target has one request under way at a time, so what its keys may hold is the last acknowledged state, or
the one under way. A write whose outcome is unknown ends its target's life: from then on both states are
right, and stay right. "Unknown" is never counted as failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import define, field

from trio_dynomite.coordinator.levels import quorum
from trio_dynomite.testing.asking import DURABLE, LOCAL, Fate, Request, fate_of
from trio_dynomite.testing.contents import READS, Look, contents, parsed, read, record_on

if TYPE_CHECKING:
    from trio_dynomite.testing.workload import Workload

ANY = object()
"""An expected reply that may be anything."""
Outcomes = dict[Any, Any]
"""Each state that a write may leave → the parsed reply that tells it."""


def same(value: Any) -> Any:
    """What it is given."""
    return value


@define(eq=False)
class Read:
    """A question, and how its answer is judged."""

    request: Request
    seen: Callable[[Any], Any]
    """Makes of the parsed reply what `shown` makes of a state."""
    shown: Callable[[Any], Any] = same


@define(eq=False)
class Target:
    """Keys, their writer, and what they must hold."""

    workload: Workload
    key: bytes
    home: list[str]
    """The nodes that its clients use: those of one datacenter."""
    allowed: set[Any] = field(factory=lambda: {None})
    """The states that a reader may find now; None: absent."""
    is_open: bool = True
    """Its writer goes on."""
    number: int = 0
    """Writes so far; makes every value another."""
    kind: ClassVar[str] = "string"

    @property
    def state(self) -> Any:
        """The one state that is allowed while nothing is under way or unknown."""
        (state,) = self.allowed
        return state

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next request, and what it may leave."""
        raise NotImplementedError

    def next_read(self) -> Read:
        """A question to its keys."""
        return Read(READS[self.kind](self.key), lambda reply: read(self.kind, reply))

    def held(self, look: Look, now_ms: int) -> Any:
        """The state in the records that `look` finds."""
        return contents(look(self.key), now_ms)

    def is_allowed(self, held: Any) -> bool:
        """Is that one of the states that may be?"""
        return held in self.allowed

    def is_a_time_to_write(self) -> bool:
        """Shall the next request be a write?"""
        return self.workload.rng.random() >= 0.4

    def begin(self) -> None:
        """Send the next request to a random node of the home datacenter."""
        workload = self.workload
        up = [name for name in self.home if workload.simulation.nodes[name].is_up]
        if not self.is_open or not workload.is_running or not up:
            self.again()
        elif self.is_a_time_to_write():
            self._write(workload.rng.choice(up))
        else:
            self._read(workload.rng.choice(up))

    def again(self) -> None:
        """Go on after a while."""
        workload = self.workload
        if workload.is_running:
            workload.simulation.timeline.after(
                workload.rng.expovariate(1 / workload.form.think_s), self.begin
            )

    def _write(self, name: str) -> None:
        self.number += 1
        request, outcomes = self.next_write()
        before, self.allowed = self.allowed, self.allowed | outcomes.keys()
        workload, crashes = self.workload, self.workload.simulation.crashes

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            if fate is Fate.UNDONE:
                self.allowed = before
            elif fate is Fate.UNKNOWN:
                self.is_open = False
            else:
                self.allowed = self.told(request, parsed(reply), outcomes)
                self.count_copies(crashes)
            self.again()

        workload.ask(name, workload.rng.choice(DURABLE), request, replied)

    def told(self, request: Request, reply: Any, outcomes: Outcomes) -> set[Any]:
        """The states that the reply leaves possible."""
        left = {state for state, told in outcomes.items() if told is ANY or told == reply}
        if not left:
            self.workload.fault(f"{request} was answered {reply!r}, allowed {list(outcomes.values())}")
            self.is_open = False
        return left or set(outcomes)

    def count_copies(self, crashes: int) -> None:
        """What is acknowledged at a quorum is on a quorum; nodes that have crashed since may have lost it."""
        racks, copies = 0, 0
        nodes = self.workload.simulation.nodes
        home = nodes[self.home[0]].engine
        for engine in [node.engine for node in nodes.values() if node.life]:
            route = engine.table.of_key(self.key)
            is_near = engine.node.datacenter == home.node.datacenter
            if is_near and (route.formers or engine.table.view.ring != home.table.view.ring):
                return  # acknowledged, perhaps, by the ring that was
            if is_near and route.is_replica:
                held = self.held(record_on(engine), engine.now_ms)
                racks, copies = racks + 1, copies + self.is_allowed(held)
        if copies + self.workload.simulation.crashes - crashes < quorum(racks):
            self.workload.fault(
                f"{self.key!r} = {self.allowed} acknowledged with {copies} copies in {racks} racks"
            )

    def _read(self, name: str) -> None:
        """A read at a durable level, while no write is under way: it must find an allowed state."""
        question = self.next_read()

        def replied(reply: bytes) -> None:
            if fate_of(reply) is Fate.DONE:
                self.judge(name, question, question.seen(parsed(reply)))
            self.again()

        self.workload.ask(name, self.workload.rng.choice(LOCAL), question.request, replied)

    def judge(self, name: str, question: Read, seen: Any) -> None:
        """Is that what one may see?"""
        allowed = {question.shown(state) for state in self.allowed}
        if seen not in allowed:
            self.workload.fault(f"{name} read {seen!r} by {question.request}, allowed {allowed}")


@define(eq=False)
class Register(Target):
    """SET, DEL and GETDEL of growing numbers: no acknowledged write lost, nothing deleted comes back."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next number, or a delete."""
        held, value = self.state, b"%d" % self.number
        if self.number % 4 == 0:
            return [b"DEL", self.key], {None: int(held is not None)}
        if self.number % 7 == 0:
            return [b"GETDEL", self.key], {None: held}
        if self.number % 3 == 0:
            return [b"SET", self.key, value, b"GET"], {value: held}
        return [b"SET", self.key, value], {value: b"OK"}


@define(eq=False)
class Sequence(Target):
    """APPEND of growing numbers: each acknowledged piece is there once, in order."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next piece."""
        piece = b"%d," % self.number
        held = (self.state or b"") + piece
        return [b"APPEND", self.key, piece], {held: len(held)}


@define(eq=False)
class Tally(Target):
    """INCR by one: the sum is exact. Unknown increments may or may not be in it."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """One more."""
        number = int(self.state or 0) + 1
        return [b"INCR", self.key], {b"%d" % number: number}
