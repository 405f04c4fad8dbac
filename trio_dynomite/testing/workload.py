"""Clients of a simulated cluster that remember what they were promised, and judge what they find.

Each key has one writer with one request under way at a time, so what a reader may find is known exactly:
the last acknowledged state, or the one under way. A request whose outcome is unknown ends its key's life as
a target: from then on both outcomes are right, and stay right. "Unknown" is never counted as failed.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.coordinator.levels import quorum
from trio_dynomite.data.record import is_live, text
from trio_dynomite.model import Level

if TYPE_CHECKING:
    from trio_dynomite.testing.simulation import Simulation

DURABLE = (Level.DC_QUORUM, Level.DC_SAFE_QUORUM, Level.DC_EACH_SAFE_QUORUM)
_NOT_DONE = (b"-NOREPLICAS", b"-OVERLOADED", b"-TIMEOUT", b"-ERR")
_PATIENCE_S = 6.0
_THINK_S = 0.12


@define(eq=False)
class Target:
    """A key, its writer, and what it must hold."""

    workload: Workload
    key: bytes
    home: list[str]
    """The nodes that its clients use: those of one datacenter."""
    allowed: set[bytes | None] = field(factory=lambda: {None})
    """The values that a reader may find now; None: absent."""
    is_open: bool = True
    """Its writer goes on."""
    number: int = 0
    acknowledged: int = 0
    unknown: int = 0
    _attempt: int = 0

    def next_write(self) -> tuple[list[bytes], bytes | None]:
        """(the next command, the value that it leaves)."""
        raise NotImplementedError

    def begin(self) -> None:
        """Send the next request to a random node of the home datacenter."""
        workload = self.workload
        rng, simulation = workload.rng, workload.simulation
        up = [name for name in self.home if simulation.nodes[name].is_up]
        if not self.is_open or not workload.is_running or not up:
            self._again()
        elif rng.random() < 0.4:
            self._read(rng.choice(up))
        else:
            self._write(rng.choice(up))

    def _again(self) -> None:
        if self.workload.is_running:
            self.workload.simulation.timeline.after(self.workload.rng.expovariate(1 / _THINK_S), self.begin)

    def _write(self, name: str) -> None:
        args, value = self.next_write()
        before = set(self.allowed)
        self.allowed = before | {value}
        self._attempt += 1
        attempt = self._attempt
        self.workload.writes += 1

        def replied(reply: bytes) -> None:
            if attempt != self._attempt:
                return
            self._attempt += 1
            if reply.startswith(_NOT_DONE):
                self.allowed = before
            elif reply.startswith(b"-UNKNOWN") or not reply:
                self.unknown += 1
                self.is_open = False
            else:
                self.allowed = {value}
                self.acknowledged += 1
                self._count_copies(value, simulation.crashes - crashes)
            self._again()

        level = self.workload.rng.choice(DURABLE)
        simulation = self.workload.simulation
        crashes = simulation.crashes
        simulation.timeline.after(_PATIENCE_S, lambda: replied(b""))
        simulation.call(name, level, args, replied)

    def _count_copies(self, value: bytes | None, crashes: int) -> None:
        """What is acknowledged at a quorum is on a quorum; nodes that crashed meanwhile may have lost it."""
        racks, copies = 0, 0
        for name in self.home:
            engine = self.workload.simulation.nodes[name].engine
            if engine.table.of_key(self.key).is_replica:
                store = engine.keyspace.store
                record = store.get(store.slot_of(self.key), self.key)
                held = text(record) if is_live(record, engine.now_ms) else None
                racks, copies = racks + 1, copies + (held == value)
        if copies + crashes < quorum(racks):
            self.workload.fault(
                f"{self.key!r} = {value!r} acknowledged with {copies} copies in {racks} racks"
            )

    def _read(self, name: str) -> None:
        """A read at a durable level, while no write is under way: it must find an allowed value."""
        self._attempt += 1
        attempt = self._attempt
        self.workload.reads += 1

        def replied(reply: bytes) -> None:
            if attempt != self._attempt:
                return
            self._attempt += 1
            if reply and not reply.startswith(b"-"):
                value = bulk_value(reply)
                if value not in self.allowed:
                    self.workload.fault(f"{name} read {value!r} at {self.key!r}, allowed {self.allowed}")
            self._again()

        simulation = self.workload.simulation
        simulation.timeline.after(_PATIENCE_S, lambda: replied(b""))
        level = self.workload.rng.choice(DURABLE[:2])
        simulation.call(name, level, [b"GET", self.key], replied)


@define(eq=False)
class Register(Target):
    """SET, DEL and GETDEL of growing numbers: no acknowledged write lost, nothing deleted comes back."""

    def next_write(self) -> tuple[list[bytes], bytes | None]:
        """The next number, or a delete."""
        self.number += 1
        value = b"%d" % self.number
        if self.number % 4 == 0:
            return [b"DEL", self.key], None
        return [b"SET", self.key, value], value


@define(eq=False)
class Sequence(Target):
    """APPEND of growing numbers: each acknowledged piece is there once, in order."""

    text: bytes = b""

    def next_write(self) -> tuple[list[bytes], bytes | None]:
        """The next piece."""
        self.number += 1
        held = next(iter(self.allowed)) or b""
        piece = b"%d," % self.number
        return [b"APPEND", self.key, piece], held + piece


@define(eq=False)
class Tally(Target):
    """INCR by one: the sum is exact. Unknown increments may or may not be in it."""

    def next_write(self) -> tuple[list[bytes], bytes | None]:
        """One more."""
        held = next(iter(self.allowed))
        return [b"INCR", self.key], b"%d" % (int(held or 0) + 1)


@define(eq=False)
class SharedTally:
    """INCR from every datacenter at once: after healing the sum is exact, within what is unknown."""

    workload: Workload
    key: bytes
    acknowledged: int = 0
    unknown: int = 0

    def begin(self) -> None:
        """One increment through any node, and again."""
        workload = self.workload
        simulation = workload.simulation
        if not workload.is_running:
            return
        name = workload.rng.choice(sorted(simulation.nodes))
        answered: list[bytes] = []

        def replied(reply: bytes) -> None:
            if answered:
                return
            answered.append(reply)
            if not reply or reply.startswith(b"-UNKNOWN"):
                self.unknown += 1
            elif not reply.startswith(b"-"):
                self.acknowledged += 1

        if simulation.nodes[name].is_up:
            simulation.timeline.after(_PATIENCE_S, lambda: replied(b""))
            simulation.call(name, Level.DC_QUORUM, [b"INCR", self.key], replied)
        simulation.timeline.after(workload.rng.expovariate(1 / _THINK_S), self.begin)


@define(eq=False)
class SharedSequence:
    """APPEND through all nodes of a datacenter at once: every acknowledged piece is there, once."""

    workload: Workload
    key: bytes
    home: list[str]
    acknowledged: set[bytes] = field(factory=set)
    unknown: set[bytes] = field(factory=set)
    number: int = 0

    def begin(self) -> None:
        """One piece through a random node, and again."""
        workload = self.workload
        if not workload.is_running:
            return
        name = workload.rng.choice(self.home)
        self.number += 1
        piece = b"%d," % self.number
        answered: list[bytes] = []

        def replied(reply: bytes) -> None:
            if not answered:
                answered.append(reply)
                if not reply or reply.startswith(b"-UNKNOWN"):
                    self.unknown.add(piece)
                elif not reply.startswith(b"-"):
                    self.acknowledged.add(piece)

        simulation = workload.simulation
        if simulation.nodes[name].is_up:
            simulation.timeline.after(_PATIENCE_S, lambda: replied(b""))
            simulation.call(name, Level.DC_QUORUM, [b"APPEND", self.key, piece], replied)
        simulation.timeline.after(workload.rng.expovariate(1 / _THINK_S), self.begin)


@define(eq=False)
class Workload:
    """All clients of a run."""

    simulation: Simulation
    rng: random.Random
    kinds: tuple[type[Target], ...] = (Register, Sequence, Tally)
    targets: list[Target] = field(factory=list)
    tallies: list[SharedTally] = field(factory=list)
    sequences: list[SharedSequence] = field(factory=list)
    faults: list[str] = field(factory=list)
    is_running: bool = True
    writes: int = 0
    reads: int = 0
    _serial: int = 0

    def start(self, count: int) -> None:
        """Begin with `count` keys of each kind; a key that ended is replaced by a fresh one."""
        for _ in range(count):
            for kind in self.kinds:
                self._add(kind)
        for number in range(3):
            tally = SharedTally(self, b"shared:%d" % number)
            self.tallies.append(tally)
            tally.begin()
            home = self._home()
            sequence = SharedSequence(self, b"pieces:%d" % number, home)
            self.sequences.append(sequence)
            sequence.begin()
        self._replenish()

    def _add(self, kind: type[Target]) -> None:
        self._serial += 1
        target = kind(self, b"%s:%d" % (kind.__name__.lower().encode(), self._serial), self._home())
        self.targets.append(target)
        target.begin()

    def _home(self) -> list[str]:
        """The nodes of a random datacenter."""
        nodes = self.simulation.settings.nodes
        datacenter = self.rng.choice(sorted({node.datacenter for node in nodes}))
        return [node.name for node in nodes if node.datacenter == datacenter]

    def _replenish(self) -> None:
        for kind in self.kinds:
            if sum(t.is_open for t in self.targets if type(t) is kind) < 5 and self.is_running:
                self._add(kind)
        if self.is_running:
            self.simulation.timeline.after(0.5, self._replenish)

    def fault(self, text: str) -> None:
        """A promise was broken."""
        self.faults.append(f"{self.simulation.timeline.now_s:.4f} s: {text}")


def bulk_value(reply: bytes) -> bytes | None:
    """The value in an encoded bulk string; None when it is a null."""
    return None if reply[:2] in (b"$-", b"_\r") else reply[reply.index(b"\n") + 1 : -2]
