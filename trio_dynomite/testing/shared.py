"""Shared keys: written by many clients at once, through all nodes of a datacenter or of all datacenters.

What is added up is exact in the end; what was added and not removed is there, and what was removed by
somebody who saw it is gone, whatever was cut off from whatever meanwhile. Only outcomes that are unknown
leave a choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import define, field

from trio_dynomite.model import Level
from trio_dynomite.testing.asking import LOCAL, Fate, Request, fate_of
from trio_dynomite.testing.contents import parsed

if TYPE_CHECKING:
    from trio_dynomite.testing.workload import Workload


@define(eq=False)
class Shared:
    """A key, and the clients that write it."""

    workload: Workload
    key: bytes
    nodes: list[str]
    """Through which they write."""
    kind: str = "string"

    def begin(self) -> None:
        """One request through any node, and again: nobody waits for anybody."""
        workload = self.workload
        if workload.is_running:
            self.act(workload.rng.choice(self.nodes))
            workload.simulation.timeline.after(
                workload.rng.expovariate(1 / workload.form.think_s), self.begin
            )

    def act(self, name: str) -> None:
        """Send something to a node."""
        raise NotImplementedError

    def level(self) -> Level:
        """A level whose acknowledgement is a promise."""
        return self.workload.rng.choice(LOCAL)

    def verdict(self, held: Any) -> str | None:
        """What is wrong with what the key holds in the end."""
        raise NotImplementedError


@define(eq=False)
class SharedTally(Shared):
    """INCR, HINCRBY and ZINCRBY from every datacenter at once: the sum is exact, within the unknown."""

    acknowledged: int = 0
    unknown: int = 0
    kinds: ClassVar[tuple[str, ...]] = ("string", "hash", "zset")

    def act(self, name: str) -> None:
        """One more."""
        requests: dict[str, Request] = {
            "string": [b"INCR", self.key],
            "hash": [b"HINCRBY", self.key, b"n", b"1"],
            "zset": [b"ZINCRBY", self.key, b"1", b"n"],
        }

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            self.unknown += fate is Fate.UNKNOWN
            self.acknowledged += fate is Fate.DONE

        self.workload.ask(name, self.level(), requests[self.kind], replied)

    def verdict(self, held: Any) -> str | None:
        """Is the sum what was acknowledged?"""
        total = 0 if held is None else int(held if self.kind == "string" else dict(held)[b"n"])
        if self.acknowledged <= total <= self.acknowledged + self.unknown:
            return None
        return f"ends as {total}: {self.acknowledged} acknowledged, {self.unknown} unknown"


@define(eq=False)
class SharedSequence(Shared):
    """APPEND or RPUSH through all nodes of one datacenter: every acknowledged piece is there, once."""

    acknowledged: set[bytes] = field(factory=set)
    unknown: set[bytes] = field(factory=set)
    number: int = 0
    kinds: ClassVar[tuple[str, ...]] = ("string", "list")

    def act(self, name: str) -> None:
        """One piece more."""
        self.number += 1
        piece = b"%d," % self.number

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            if fate is Fate.UNKNOWN:
                self.unknown.add(piece)
            elif fate is Fate.DONE:
                self.acknowledged.add(piece)

        command = b"APPEND" if self.kind == "string" else b"RPUSH"
        self.workload.ask(name, self.level(), [command, self.key, piece], replied)

    def verdict(self, held: Any) -> str | None:
        """Is every piece there, and once?"""
        whole = (held or b"") if self.kind == "string" else b"".join(held or ())
        pieces = [piece + b"," for piece in whole.split(b",")[:-1]]
        lost = self.acknowledged - set(pieces)
        if lost or len(pieces) != len(set(pieces)) or set(pieces) - self.acknowledged - self.unknown:
            return f"ends as {pieces}, lost {lost}, unknown {self.unknown}"
        return None


_ADD: dict[str, Any] = {
    "set": lambda key, element: [b"SADD", key, element],
    "hash": lambda key, element: [b"HSET", key, element, b"v"],
    "zset": lambda key, element: [b"ZADD", key, b"1", element],
}
_REMOVE = {"set": b"SREM", "hash": b"HDEL", "zset": b"ZREM"}


@define(eq=False)
class SharedElements(Shared):
    """Elements of a set, hash or sorted set, each added once somewhere and perhaps removed once elsewhere."""

    there: set[bytes] = field(factory=set)
    """Acknowledged, and nobody has removed them."""
    gone: set[bytes] = field(factory=set)
    """Removed by somebody who saw them."""
    open: set[bytes] = field(factory=set)
    """Under way, or unknown."""
    number: int = 0
    kinds: ClassVar[tuple[str, ...]] = ("set", "hash", "zset")

    def act(self, name: str) -> None:
        """Another element, or one less."""
        rng = self.workload.rng
        if self.there and rng.random() < 0.35:
            self._remove(name, rng.choice(sorted(self.there)))
        else:
            self.number += 1
            self._add(name, b"%d" % self.number)

    def _add(self, name: str, element: bytes) -> None:
        self.open.add(element)

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            if fate is not Fate.UNKNOWN:
                self._settle(element, is_there=fate is Fate.DONE)

        self.workload.ask(name, self.level(), _ADD[self.kind](self.key, element), replied)

    def _remove(self, name: str, element: bytes) -> None:
        self.there.discard(element)
        self.open.add(element)

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            if fate is not Fate.UNKNOWN:
                # Whoever did not see it has removed nothing.
                self._settle(element, is_there=fate is Fate.UNDONE or not parsed(reply))

        self.workload.ask(name, self.level(), [_REMOVE[self.kind], self.key, element], replied)

    def _settle(self, element: bytes, *, is_there: bool) -> None:
        self.open.discard(element)
        (self.there if is_there else self.gone).add(element)

    def verdict(self, held: Any) -> str | None:
        """Are those there that should be, and no others?"""
        found = set(held or ()) if self.kind == "set" else set(dict(held or ()))
        lost, back = self.there - found, found & self.gone
        return f"lost {lost}, has {back} that were removed" if lost or back else None


@define(eq=False)
class Watched(Shared):
    """A number that clients read and write under WATCH, through all nodes of a datacenter: no lost update."""

    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0

    def act(self, name: str) -> None:
        """WATCH, GET, MULTI, SET, EXEC."""

        def watched(reply: bytes) -> None:
            if fate_of(reply) is Fate.DONE:
                version = int(reply.rpartition(b":")[2])  # of 64 bits, and without a sign
                self._next(name, [b"GET", self.key], lambda held: read(version, held))

        def read(version: int, reply: bytes) -> None:
            if fate_of(reply) is Fate.DONE:
                number = b"%d" % (int(parsed(reply) or 0) + 1)
                self._next(name, [[b"SET", self.key, number]], self._replied, watched=[(self.key, version)])

        self.workload.watch(name, self.level(), [self.key], watched)

    def _next(self, name: str, request: Request, on_reply: Callable[[bytes], None], **more: Any) -> None:
        """The next request of the same client, in a turn of its own."""

        def send() -> None:
            self.workload.ask(name, self.level(), request, on_reply, **more)

        self.workload.simulation.timeline.after(0, send)

    def _replied(self, reply: bytes) -> None:
        fate = fate_of(reply)
        if fate is Fate.UNKNOWN:
            self.unknown += 1
        elif fate is Fate.DONE and parsed(reply) is None:
            self.refused += 1
        elif fate is Fate.DONE:
            self.acknowledged += 1

    def verdict(self, held: Any) -> str | None:
        """Is the number what was acknowledged?"""
        if self.acknowledged <= int(held or 0) <= self.acknowledged + self.unknown:
            return None
        return f"ends as {held}: {self.acknowledged} acknowledged, {self.unknown} unknown"
