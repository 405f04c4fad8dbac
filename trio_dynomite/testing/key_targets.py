"""Targets of several keys: pairs that change together, elements that move, sets that live apart.

The keys of a pair are of one slot, so a transaction changes both or none, on every replica and for every
reader: a replica that holds one half of a change is a broken promise, however short that lasts. The sets of a
union may belong to any primaries; what is made of them is right all the same, at a quorum.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import define, field

from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.asking import Fate, Request, fate_of
from trio_dynomite.testing.contents import READS, Look, contents, parsed, read, record_on
from trio_dynomite.testing.targets import Outcomes, Read, Target
from trio_dynomite.testing.type_targets import NAMES


@define(eq=False)
class Pair(Target):
    """Two keys of one slot; a state is what each holds."""

    allowed: set[Any] = field(factory=lambda: {(None, None)})
    types: ClassVar[tuple[str, str]] = ("string", "string")

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """Both."""
        return b"{%b}a" % self.key, b"{%b}b" % self.key

    def held(self, look: Look, now_ms: int) -> Any:
        """What both hold."""
        return tuple([contents(look(key), now_ms) for key in self.keys])

    def next_read(self) -> Read:
        """Both in one step."""
        request = [READS[kind](key) for kind, key in zip(self.types, self.keys, strict=True)]
        return Read(request, self._seen)

    def _seen(self, reply: Any) -> Any:
        return tuple([read(kind, part) for kind, part in zip(self.types, reply, strict=True)])


@define(eq=False)
class Twins(Pair):
    """Two strings that always have the same value; MGET by anybody, at any level, finds them so."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next value, or a delete, of both."""
        (first, second), value = self.keys, b"%d" % self.number
        if self.number % 5 == 0:
            held = int(self.state[0] is not None)
            return [[b"DEL", first], [b"DEL", second]], {(None, None): [held, held]}
        return [[b"SET", first, value], [b"SET", second, value]], {(value, value): [b"OK", b"OK"]}

    def next_read(self) -> Read:
        """Both in one step: a transaction, or a command on both."""
        if self.workload.rng.random() < 0.5:
            return super().next_read()
        return Read([b"MGET", *self.keys], tuple)

    def begin(self) -> None:
        """Go on, and look at all replicas while a change is on its way to them."""
        workload = self.workload
        if workload.is_running:
            for look in (self._look, self._look, self._look, self._glance):
                workload.simulation.timeline.after(workload.rng.uniform(0, 0.012), look)
        super().begin()

    def _look(self) -> None:
        """Are they alike on every node that serves?"""
        for name, node in self.workload.simulation.nodes.items():
            if node.is_up and node.engine.state is NodeState.NORMAL:
                held = self.held(record_on(node.engine), node.engine.now_ms)
                if len(set(held)) > 1:
                    self.workload.fault(f"{name} holds one half of a change of {self.key!r}: {held}")

    def _glance(self) -> None:
        """A read of any node at `DC_ONE`: it may find an old pair, and no half."""
        name = self.workload.rng.choice(sorted(self.workload.simulation.nodes))

        def replied(reply: bytes) -> None:
            if fate_of(reply) is Fate.DONE and len(set(parsed(reply))) > 1:
                self.workload.fault(f"{name} tells one half of a change of {self.key!r}: {reply!r}")

        self.workload.ask(name, Level.DC_ONE, [b"MGET", *self.keys], replied)


@define(eq=False)
class Mixed(Pair):
    """A hash and a sorted set that change together: removals, counts and pops of both in one step."""

    types: ClassVar[tuple[str, str]] = ("hash", "zset")

    def next_write(self) -> tuple[Request, Outcomes]:
        """A count of both, or an end of both."""
        first, second = self.keys
        fields = self.state[0]
        number = int(dict(fields)[b"n"]) + 1 if fields else 1
        if number > 6:
            return [[b"DEL", first], [b"ZREM", second, b"n"]], {(None, None): [1, 1]}
        state = (frozenset([(b"n", b"%d" % number)]), ((b"n", float(number)),))
        requests = [[b"HINCRBY", first, b"n", b"1"], [b"ZINCRBY", second, b"1", b"n"]]
        return requests, {state: [number, b"%d" % number]}


@define(eq=False)
class Movers(Pair):
    """Elements that move between two sets, and the sets themselves: SMOVE, RENAME, COPY, SDIFFSTORE."""

    types: ClassVar[tuple[str, str]] = ("set", "set")

    def next_write(self) -> tuple[Request, Outcomes]:
        """A new element, or a move."""
        first, second = self.keys
        mine, theirs = [held or frozenset() for held in self.state]
        die, element = self.workload.rng.random(), self.workload.rng.choice(NAMES)
        if die < 0.35 or not mine:
            return [b"SADD", first, element], {_pair(mine | {element}, theirs): int(element not in mine)}
        if die < 0.6:
            moved = (mine - {element}, theirs | {element}) if element in mine else (mine, theirs)
            return [b"SMOVE", first, second, element], {_pair(*moved): int(element in mine)}
        if die < 0.75:
            return [b"RENAME", first, second], {_pair((), mine): b"OK"}
        if die < 0.85:
            return [b"COPY", first, second, b"REPLACE"], {_pair(mine, mine): 1}
        left = mine - theirs
        return [b"SDIFFSTORE", first, first, second], {_pair(left, theirs): len(left)}


def _pair(mine: Any, theirs: Any) -> Any:
    return frozenset(mine) or None, frozenset(theirs) or None


@define(eq=False)
class Unions(Target):
    """Two sets anywhere, and a third that is made of them: read by SUNION, written by SUNIONSTORE."""

    allowed: set[Any] = field(factory=lambda: {(None, None, None)})

    @property
    def keys(self) -> tuple[bytes, bytes, bytes]:
        """Of three slots, most likely."""
        return b"%b:a" % self.key, b"%b:b" % self.key, b"%b:c" % self.key

    def held(self, look: Look, now_ms: int) -> Any:
        """What they hold."""
        return tuple([contents(look(key), now_ms) for key in self.keys])

    def count_copies(self, crashes: int) -> None:
        """No node need have a copy of all three."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """One set changes, or the third is made anew."""
        first, second, third = self.keys
        a, b, c = [held or frozenset() for held in self.state]
        die, element = self.workload.rng.random(), self.workload.rng.choice(NAMES)
        if die < 0.3:
            return [b"SADD", first, element], {_three(a | {element}, b, c): int(element not in a)}
        if die < 0.5:
            return [b"SREM", second, element], {_three(a, b - {element}, c): int(element in b)}
        if die < 0.7:
            return [b"SADD", second, element], {_three(a, b | {element}, c): int(element not in b)}
        if die < 0.85:
            return [b"SDIFFSTORE", third, first, second], {_three(a, b, a - b): len(a - b)}
        return [b"SUNIONSTORE", third, first, second], {_three(a, b, a | b): len(a | b)}

    def next_read(self) -> Read:
        """Of one, or of two."""
        first, second, third = self.keys
        if self.workload.rng.random() < 0.4:
            return Read([b"SMEMBERS", third], _set, lambda state: state[2])
        return Read(
            [b"SUNION", first, second], _set, lambda state: _set((state[0] or _NONE) | (state[1] or _NONE))
        )


def _three(*held: Any) -> Any:
    return tuple([frozenset(one) or None for one in held])


_NONE: frozenset[bytes] = frozenset()


def _set(reply: Any) -> Any:
    return read("set", reply)
