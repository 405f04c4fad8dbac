"""Targets that expire: what is counted under a deadline, which every node judges by a clock of its own.

Clocks are skewed and jump, so around a deadline there is a time in which a reader may still find the number
or miss it already. Whoever writes then is told by the reply which of both it was: counted on, or begun anew.
Outside of that time everything is exact.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import define, field

from trio_dynomite.testing.asking import Request
from trio_dynomite.testing.contents import Look
from trio_dynomite.testing.simulation import EPOCH_MS
from trio_dynomite.testing.targets import Outcomes, Read, Target


@define(eq=False)
class Fading(Target):
    """A string that is counted under a deadline. A state is (number, deadline in ms or 0), or None."""

    before: Any = None
    """The state before the write that is under way."""
    anew: Any = None
    """The state that it leaves if nothing was there."""
    begun_ms: int = 0
    """When the request that is under way was sent, by true time."""
    skews: list[int] = field(factory=lambda: [0, 0])
    """The least and the greatest skew of any clock so far."""
    base: ClassVar[int] = 100
    """What every count begins with: a value that was lost is not mistaken for a small one."""

    def _true_ms(self) -> int:
        """The time, and a look at all clocks."""
        simulation = self.workload.simulation
        skews = [node.skew_ms for node in simulation.nodes.values()]
        self.skews = [min(self.skews[0], *skews), max(self.skews[1], *skews)]
        return EPOCH_MS + int(simulation.timeline.now_s * 1000)

    def begin(self) -> None:
        """Send the next request, and remember when."""
        self.begun_ms = self._true_ms()
        super().begin()

    def _may_be(self, state: Any) -> set[Any]:
        """What a state may have looked like since the request was sent."""
        if state is None or not state[1]:
            return {state}
        may_be_gone = self._true_ms() + self.skews[1] + 1 >= state[1]
        may_be_there = self.begun_ms + self.skews[0] < state[1]
        return ({state} if may_be_there else set()) | ({None} if may_be_gone else set())

    def next_write(self) -> tuple[Request, Outcomes]:
        """Count on, or another deadline."""
        self.before, self.anew = self.state, None
        if self._may_be(self.state) == {None}:
            return self.make(), {(self.base, 0): self.made}
        (number, deadline), rng = self.state, self.workload.rng
        if rng.random() < 0.5:
            self.anew = (1, 0)
            more = (number + 1, deadline)
            return self.count(), {more: self.counted(number + 1), self.anew: self.counted(1)}
        if deadline and rng.random() < 0.5:
            return self.persist(), {(number, 0): self.did, None: self.missed}
        later = self.begun_ms + self.skews[1] + rng.randrange(100, 2000)
        return self.expire(b"%d" % later), {(number, later): self.did, None: self.missed}

    def told(self, request: Request, reply: Any, outcomes: Outcomes) -> set[Any]:
        """The reply tells whether the number was there, which must be possible."""
        if reply == [2]:
            reply = [1]  # the deadline had passed before the request came; to us that is the same
        left = super().told(request, reply, outcomes)
        found = None if self.anew in left else self.before
        if len(outcomes) == 1:
            return left
        if found not in self._may_be(self.before):
            self.workload.fault(f"{request} was answered {reply!r} where {self.before} was known")
        # Who misses it writes nothing: where a clock is slower, it may be seen a little longer.
        return left if found or self.anew else {self.before}

    def count_copies(self, crashes: int) -> None:
        """Clocks do not agree on them."""

    def next_read(self) -> Read:
        """The number."""
        return Read(self.look(), self.number_in)

    def judge(self, name: str, question: Read, seen: Any) -> None:
        """The number where it may be there still, nothing where it may be gone."""
        if not self.is_allowed(seen):
            self.workload.fault(f"{name} read {seen!r} by {question.request}, allowed {self.allowed}")

    def is_allowed(self, held: Any) -> bool:
        """May the number be this?"""
        possible = {after for state in self.allowed for after in self._may_be(state)}
        return held in {state and state[0] for state in possible}

    def held(self, look: Look, now_ms: int) -> Any:
        """The number in the record that `look` finds."""
        found = super().held(look, now_ms)
        return None if found is None else self.number_in(found)

    # What it says, in the words of its type

    made: ClassVar[Any] = b"OK"
    did: ClassVar[Any] = 1
    missed: ClassVar[Any] = 0

    def make(self) -> Request:
        """Begin anew with the base."""
        return [b"SET", self.key, b"100"]

    def count(self) -> Request:
        """One more."""
        return [b"INCR", self.key]

    def counted(self, number: int) -> Any:
        """The reply to that."""
        return number

    def expire(self, deadline_ms: bytes) -> Request:
        """Another deadline."""
        return [b"PEXPIREAT", self.key, deadline_ms]

    def persist(self) -> Request:
        """No deadline."""
        return [b"PERSIST", self.key]

    def look(self) -> Request:
        """Ask for the number."""
        return [b"GET", self.key]

    def number_in(self, found: Any) -> Any:
        """The number in a reply, or in what a replica holds."""
        return None if found is None else int(found)


@define(eq=False)
class FadingHash(Fading):
    """A field of a hash that expires as a whole."""

    kind: ClassVar[str] = "hash"
    made: ClassVar[Any] = 1

    def make(self) -> Request:
        """Begin anew with the base."""
        return [b"HSET", self.key, b"n", b"100"]

    def count(self) -> Request:
        """One more."""
        return [b"HINCRBY", self.key, b"n", b"1"]

    def look(self) -> Request:
        """Ask for the number."""
        return [b"HGET", self.key, b"n"]

    def number_in(self, found: Any) -> Any:
        """The number in a reply, or in what a replica holds."""
        return Fading.number_in(self, dict(found).get(b"n") if isinstance(found, frozenset) else found)


@define(eq=False)
class FadingField(FadingHash):
    """A field that expires by itself, in a hash that stays."""

    did: ClassVar[Any] = [1]
    missed: ClassVar[Any] = [-2]

    def expire(self, deadline_ms: bytes) -> Request:
        """Another deadline."""
        return [b"HPEXPIREAT", self.key, deadline_ms, b"FIELDS", b"1", b"n"]

    def persist(self) -> Request:
        """No deadline."""
        return [b"HPERSIST", self.key, b"FIELDS", b"1", b"n"]


@define(eq=False)
class FadingScore(Fading):
    """A member of a sorted set that expires."""

    kind: ClassVar[str] = "zset"
    made: ClassVar[Any] = 1

    def make(self) -> Request:
        """Begin anew with the base."""
        return [b"ZADD", self.key, b"100", b"n"]

    def count(self) -> Request:
        """One more."""
        return [b"ZINCRBY", self.key, b"1", b"n"]

    def counted(self, number: int) -> Any:
        """The reply to that."""
        return b"%d" % number

    def look(self) -> Request:
        """Ask for the number."""
        return [b"ZSCORE", self.key, b"n"]

    def number_in(self, found: Any) -> Any:
        """The number in a reply, or in what a replica holds."""
        return Fading.number_in(self, found[0][1] if isinstance(found, tuple) else found)


@define(eq=False)
class FadingLine(Fading):
    """A list that expires; its length is the number."""

    kind: ClassVar[str] = "list"
    base: ClassVar[int] = 3
    made: ClassVar[Any] = 3

    def make(self) -> Request:
        """Begin anew with the base."""
        return [b"RPUSH", self.key, b"x", b"y", b"z"]

    def count(self) -> Request:
        """One more."""
        return [b"RPUSH", self.key, b"x"]

    def look(self) -> Request:
        """Ask for the number."""
        return [b"LLEN", self.key]

    def number_in(self, found: Any) -> Any:
        """The number in a reply, or in what a replica holds."""
        return (len(found) if isinstance(found, tuple) else found) or None
