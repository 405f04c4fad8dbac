"""Targets of the collection types: a hash, a set, a sorted set, a list, a stream, and keys that change type.

Each keeps few elements and changes them all the time, so that removals, tombstones and new beginnings meet
whatever the storm does. Every reply is known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from attrs import define

from trio_dynomite.data.record import COUNTS, is_live, kind
from trio_dynomite.testing.asking import Request
from trio_dynomite.testing.contents import READS, Look, contents, id_text, in_order, read
from trio_dynomite.testing.targets import Outcomes, Read, Target

NAMES = [b"a", b"b", b"c", b"d", b"e", b"f"]


@define(eq=False)
class Fields(Target):
    """A hash: HSET, HDEL, HINCRBY, DEL."""

    kind: ClassVar[str] = "hash"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next change of one field or two."""
        held = dict(self.state or ())
        first, second = self.workload.rng.sample(NAMES, 2)
        die = self.workload.rng.random()
        if die < 0.4:
            value = b"%d" % self.number
            args = [b"HSET", self.key, first, value, second, value]
            told = len({first, second} - set(held))
            held |= {first: value, second: value}
        elif die < 0.6:
            args, told = [b"HDEL", self.key, first, second], len({first, second} & set(held))
            held = {name: value for name, value in held.items() if name not in (first, second)}
        elif die < 0.95:
            told = int(held.get(first, 0)) + 1
            args, held[first] = [b"HINCRBY", self.key, first, b"1"], b"%d" % told
        else:
            args, told, held = [b"DEL", self.key], int(bool(held)), {}
        return args, {frozenset(held.items()) or None: told}


@define(eq=False)
class Members(Target):
    """A set: SADD, SREM, SPOP (whose choice the reply tells), DEL."""

    kind: ClassVar[str] = "set"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next change of one member or two."""
        held: frozenset[bytes] = self.state or frozenset()
        some = frozenset(self.workload.rng.sample(NAMES, 2))
        die = self.workload.rng.random()
        if die < 0.45:
            return [b"SADD", self.key, *sorted(some)], {held | some: len(some - held)}
        if die < 0.75:
            return [b"SREM", self.key, *sorted(some)], {held - some or None: len(some & held)}
        if die < 0.95:
            left = {held - {member} or None: member for member in held}
            return [b"SPOP", self.key], left or {None: None}
        return [b"DEL", self.key], {None: int(bool(held))}


@define(eq=False)
class Scores(Target):
    """A sorted set: ZADD, ZINCRBY (whole, and half), ZREM, ZPOPMIN, DEL."""

    kind: ClassVar[str] = "zset"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next change of one member."""
        held: dict[bytes, float] = dict(self.state or ())
        member, die = self.workload.rng.choice(NAMES), self.workload.rng.random()
        args, told = [b"ZADD", self.key, b"%d" % self.number, member], int(member not in held)
        if die < 0.35:
            held[member] = float(self.number)
        elif die < 0.7:
            return self._increment(held, member, self.workload.rng.choice([1.0, -2.0, 0.5]))
        elif die < 0.85:
            args, told = [b"ZREM", self.key, member], int(member in held)
            held.pop(member, None)
        elif die < 0.97:
            return self._pop(held)
        else:
            args, told, held = [b"DEL", self.key], int(bool(held)), {}
        return args, {in_order(list(held.items())): told}

    def _increment(self, held: dict[bytes, float], member: bytes, delta: float) -> tuple[Request, Outcomes]:
        held[member] = score = held.get(member, 0.0) + delta
        told = b"%g" % score if score != int(score) else b"%d" % score
        return [b"ZINCRBY", self.key, b"%g" % delta, member], {in_order(list(held.items())): told}

    def _pop(self, held: dict[bytes, float]) -> tuple[Request, Outcomes]:
        lowest, *rest = in_order(list(held.items())) or (None,)
        told = [lowest[0], b"%g" % lowest[1]] if lowest else []
        return [b"ZPOPMIN", self.key], {tuple(rest) or None: told}


@define(eq=False)
class Line(Target):
    """A list: pushes and pops at both ends, LSET, LINSERT, LREM, LTRIM, DEL."""

    kind: ClassVar[str] = "list"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next change."""
        held: list[bytes] = list(self.state or ())
        rng, value = self.workload.rng, b"%d" % self.number
        die = rng.random()
        if die < 0.35 or not held:
            return [b"RPUSH", self.key, value, value + b"b"], _line([*held, value, value + b"b"])
        if die < 0.5:
            return [b"LPUSH", self.key, value], _line([value, *held])
        if die < 0.65:
            return [b"LPOP", self.key], {tuple(held[1:]) or None: held[0]}
        if die < 0.75:
            return [b"RPOP", self.key], {tuple(held[:-1]) or None: held[-1]}
        return self._inside(held, rng.randrange(len(held)), value, die)

    def _inside(self, held: list[bytes], at: int, value: bytes, die: float) -> tuple[Request, Outcomes]:
        """A change in the middle."""
        if die < 0.83:
            left = (*held[:at], value, *held[at + 1 :])
            return [b"LSET", self.key, b"%d" % at, value], {left: b"OK"}
        if die < 0.89:
            return [b"LINSERT", self.key, b"BEFORE", held[at], value], _line([*held[:at], value, *held[at:]])
        if die < 0.94:
            return [b"LREM", self.key, b"0", held[at]], {tuple(held[:at] + held[at + 1 :]) or None: 1}
        if die < 0.97:
            return [b"LTRIM", self.key, b"%d" % at, b"-1"], {tuple(held[at:]): b"OK"}
        return [b"DEL", self.key], {None: 1}


def _line(left: Iterable[bytes]) -> Outcomes:
    """The list that a push leaves, and its length for a reply."""
    elements = tuple(left)
    return {elements: len(elements)}


@define(eq=False)
class Entries(Target):
    """A stream: XADD with ids of our own, with and without a trim, XDEL, XTRIM, DEL."""

    kind: ClassVar[str] = "stream"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next entry, or fewer entries."""
        held: tuple[Any, ...] = self.state or ()
        die, entry_id = self.workload.rng.random(), b"%d-%d" % (self.number, self.number % 3 + 1)
        entry = (entry_id, (b"f", b"%d" % self.number, b"g", b"v"))
        if die < 0.5 or not held:
            return [b"XADD", self.key, *_flat(entry)], {(*held, entry): entry_id}
        if die < 0.65:
            args = [b"XADD", self.key, b"MAXLEN", b"3", *_flat(entry)]
            return args, {(*held, entry)[-3:]: entry_id}
        if die < 0.83:
            gone = self.workload.rng.choice(held)
            left = tuple([one for one in held if one is not gone])
            return [b"XDEL", self.key, gone[0]], {left or None: 1}
        if die < 0.95:
            return [b"XTRIM", self.key, b"MAXLEN", b"2"], {held[-2:]: max(0, len(held) - 2)}
        return [b"DEL", self.key], {None: 1}


def _flat(entry: Any) -> list[bytes]:
    return [entry[0], *entry[1]]


@define(eq=False)
class Readers(Target):
    """A stream and a group that reads it: every entry is delivered once, and pending until acknowledged.

    A state is (ids of the entries, the last one delivered, who has which pending)."""

    kind: ClassVar[str] = "stream"

    def next_write(self) -> tuple[Request, Outcomes]:
        """The next entry, or what a consumer does."""
        if self.state is None:
            made = [b"XGROUP", b"CREATE", self.key, b"g", b"0", b"MKSTREAM"]
            return made, {((), b"0-0", ()): b"OK"}
        ids, last, pending = self.state
        rng, die = self.workload.rng, self.workload.rng.random()
        consumer, entry_id = rng.choice([b"c", b"d"]), b"%d-1" % self.number
        if die < 0.35:
            request = [b"XADD", self.key, entry_id, b"f", b"v"]
            return request, {((*ids, entry_id), last, pending): entry_id}
        if die < 0.65 or not pending:
            return self._deliver(consumer)
        if die < 0.8:
            gone = rng.choice(pending)
            left = tuple([one for one in pending if one is not gone])
            return [b"XACK", self.key, b"g", gone[0]], {(ids, last, left): 1}
        if die < 0.95:
            taken = rng.choice(pending)[0]
            moved = tuple([(id_, consumer if id_ == taken else owner) for id_, owner in pending])
            request = [b"XCLAIM", self.key, b"g", consumer, b"0", taken, b"FORCE", b"JUSTID"]
            return request, {(ids, last, moved): [taken]}
        return [b"DEL", self.key], {None: 1}

    def _deliver(self, consumer: bytes) -> tuple[Request, Outcomes]:
        """Two entries that nobody has got yet, or fewer."""
        ids, last, pending = self.state
        fresh = [id_ for id_ in ids if int(id_[:-2]) > int(last[:-2])][:2]
        told = [[self.key, [[id_, [b"f", b"v"]] for id_ in fresh]]] if fresh else None
        after = (ids, fresh[-1] if fresh else last, (*pending, *[(id_, consumer) for id_ in fresh]))
        request = [b"XREADGROUP", b"GROUP", b"g", consumer, b"COUNT", b"2", b"STREAMS", self.key, b">"]
        return request, {after: told}

    def next_read(self) -> Read:
        """What is pending."""
        if self.state is None:
            return super().next_read()
        request = [b"XPENDING", self.key, b"g", b"-", b"+", b"100"]
        return Read(request, lambda reply: tuple([(one[0], one[1]) for one in reply]), lambda state: state[2])

    def held(self, look: Look, now_ms: int) -> Any:
        """The entries, and what the group has to do with them."""
        record = look(self.key)
        if not is_live(record, now_ms):
            return None
        ids = tuple([id_ for id_, _ in contents(record, now_ms) or ()])
        group = record[COUNTS].groups[b"g"]
        pending = tuple([(id_text(number), owner) for number, (owner, *_) in group.pending.items()])
        return ids, id_text(group.last_id), pending


_MAKING: dict[str, list[bytes]] = {
    "hash": [b"HSET", b"f"],
    "set": [b"SADD"],
    "zset": [b"ZADD", b"1"],
    "list": [b"RPUSH"],
    "string": [b"SET"],
}
_MADE: dict[str, Any] = {
    "hash": lambda value: frozenset([(b"f", value)]),
    "set": lambda value: frozenset([value]),
    "zset": lambda value: ((value, 1.0),),
    "list": lambda value: (value,),
    "string": lambda value: value,
}


@define(eq=False)
class Shifting(Target):
    """A key of another type with every write: deleted and made anew in one transaction, or overwritten."""

    def next_write(self) -> tuple[Request, Outcomes]:
        """Another type."""
        type_, value = self.workload.rng.choice(sorted(_MAKING)), b"%d" % self.number
        name, *before = _MAKING[type_]
        after = (type_, _MADE[type_](value))
        make = [name, self.key, *before, value]
        if type_ == "string":
            return make, {after: b"OK"}
        gone = int(self.state is not None)
        return [[b"DEL", self.key], make], {after: [gone, 1]}

    def next_read(self) -> Read:
        """All of it, in the way of its type."""
        type_ = self.state[0] if self.state else "string"
        return Read(
            READS[type_](self.key),
            lambda reply: read(type_, reply),
            lambda state: state[1] if state else None,
        )

    def held(self, look: Look, now_ms: int) -> Any:
        """(type, contents)."""
        found = super().held(look, now_ms)
        return None if found is None else (kind(look(self.key)), found)
