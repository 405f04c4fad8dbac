"""The views of `commands/record.py` over a keyspace: hashes, sets, sorted sets, lists and streams.

A write is an effect (`data/effect.py`), which is joined here as every other replica will join it, and told.
The body does the rest. A record that has expired is reset first: its `reset` becomes the stamp after its
newest, which is the same whoever does it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from math import inf, isfinite, isnan, nextafter
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, parse_int64
from trio_dynomite.commands.record import Pair, Scored
from trio_dynomite.data import elements
from trio_dynomite.data.cells import HASH, SET, SORTED_SET, Cells, score_of
from trio_dynomite.data.elements import CELLS, DATES, GONE, TALLY
from trio_dynomite.data.record import COUNTS, DEADLINE, STAMP, VALUE, Record, text
from trio_dynomite.data.stamp import NODE_BITS, TICK, pack
from trio_dynomite.errors import CommandError

if TYPE_CHECKING:
    from trio_dynomite.storage.keyspace import StoreKeyspace

_EMPTY = Cells("")
_EXACT = 1 << 53
"""Whole numbers up to here are exact as floats, so their sums do not depend on the order."""
OVERFLOW = "ERR increment or decrement would overflow"


class CellsView:
    """What hashes, sets and sorted sets have in common."""

    __slots__ = ("_body", "_key", "_ks", "_slot")
    kind = ""

    def __init__(self, ks: StoreKeyspace, slot: int, key: bytes, body: Cells | None) -> None:
        self._ks, self._slot, self._key = ks, slot, key
        self._body = _EMPTY if body is None else body

    def __len__(self) -> int:
        return self._body.live

    def __contains__(self, element: bytes) -> bool:
        return self._body.get(element) is not None

    def _write(self, kind: int, payload: list[Any], deadline_ms: int = 0) -> None:
        """Join an effect under a new stamp, and tell it."""
        ks, slot, key = self._ks, self._slot, self._key
        record = ks.opened(slot, key)
        before = ks.store.digest_here(slot, key)
        stamp = ks.clock.next()
        new = elements.apply(record, kind, stamp, payload, deadline_ms, ks.store.cutoffs[slot])
        assert new is not None
        ks.store.set(slot, key, new, before)
        ks.tell(kind, slot, key, stamp >> NODE_BITS, payload, deadline_ms)
        self._body = ks.store.records[slot].get(key, new)[COUNTS]

    def _put_one(self, element: bytes, value: Any, payload: list[Any]) -> None:
        """`_write` one element that never expires: of a collection that is there, the short way."""
        ks, slot, key, body = self._ks, self._slot, self._key, self._body
        record = ks.store.records[slot].get(key)
        if record is None or record[COUNTS] is not body or not body.live:
            self._write(CELLS, payload)
            return
        before, clock = body.digest, ks.clock
        clock.last = body.made = stamp = clock.last + TICK
        body.replace(element, body.cells.get(element), (stamp, value, 0, 0, None))
        ks.store.grown(slot, key, record, before)
        if ks.effects is not None:
            ks.effects.extend((CELLS, slot, key, stamp >> NODE_BITS, payload, 0))

    def remove(self, elements: Sequence[bytes]) -> int:
        """Remove elements; how many there were."""
        get = self._body.get
        found = [element for element in dict.fromkeys(elements) if get(element) is not None]
        if found:
            self._write(GONE, [self.kind, *found])
        return len(found)

    def _tally(self, element: bytes, delta: int, record: Record) -> bool:
        """Add to the count of the cell `record`; False when this node's share of it would be too large."""
        ks = self._ks
        mine = [count for count in record[COUNTS] or () if count[0] == ks.origin]
        sequence, running = (mine[0][1] + 1, mine[0][2] + delta) if mine else (1, delta)
        if not INT64_MIN <= running <= INT64_MAX:
            return False
        base = pack(record[STAMP])
        self._write(TALLY, [self.kind, element, base, pack(ks.origin), sequence, running])
        return True

    def _cell(self, element: bytes) -> Record | None:
        """What to count on: the live cell, or the one that an absent element would have; None: begin anew."""
        record = self._ks.opened(self._slot, self._key)
        body = record[COUNTS]
        if isinstance(body, Cells) and body.kind == self.kind:
            cell = body.cells.get(element)
            if cell is not None:
                return cell if cell[VALUE] is not None or not cell[DEADLINE] else None
        elif record[VALUE] is not None or body is not None:
            return None
        return (max(record[STAMP], self._ks.store.cutoffs[self._slot]), None, 0, 0, None)


class HashView(CellsView):
    """The hash at one key."""

    __slots__ = ()
    kind = HASH

    def get(self, field: bytes) -> bytes | None:
        """The value of `field`."""
        cell = self._body.cells.get(field)
        if cell is None or cell[VALUE] is None:
            return None
        value: bytes = cell[VALUE]
        return value if cell[COUNTS] is None else text(cell)

    def items(self) -> Iterable[Pair]:
        """Every field and value."""
        return [(field, text(cell)) for field, cell in self._body.items()]

    def deadline(self, field: bytes) -> int:
        """When `field` expires."""
        cell = self._body.get(field)
        return cell[DEADLINE] if cell is not None else 0

    def put(self, pairs: Sequence[Pair], deadline_ms: int | None = 0) -> int:
        """Set fields; how many are new."""
        before = self._body.live
        if len(pairs) == 1 and deadline_ms == 0:
            field, value = pairs[0]
            self._put_one(field, value, [HASH, field, value])
        elif deadline_ms is not None:
            self._put(pairs, deadline_ms)
        else:
            groups: dict[int, list[Pair]] = {}
            for pair in pairs:
                groups.setdefault(self.deadline(pair[0]), []).append(pair)
            for deadline, group in groups.items():
                self._put(group, deadline)
        return self._body.live - before

    def _put(self, pairs: Sequence[Pair], deadline_ms: int) -> None:
        if deadline_ms and deadline_ms <= self._ks.now_ms:
            self.remove([field for field, _ in pairs])
        elif pairs:
            payload: list[Any] = [HASH]
            for pair in pairs:
                payload += pair
            self._write(CELLS, payload, deadline_ms)

    def count(self, field: bytes, delta: int) -> int:
        """Add to the integer at `field`."""
        value = self.get(field)
        number = 0 if value is None else parse_int64(value)
        if number is None:
            raise CommandError("ERR hash value is not an integer")
        if not INT64_MIN <= number + delta <= INT64_MAX:
            raise CommandError(OVERFLOW)
        cell = self._cell(field)
        if cell is None or not self._tally(field, delta, cell):
            self.put([(field, b"%d" % (number + delta))], None)
        return number + delta

    def expire(self, fields: Sequence[bytes], deadline_ms: int) -> None:
        """The existing `fields` expire at `deadline_ms`."""
        if deadline_ms and deadline_ms <= self._ks.now_ms:
            self.remove(fields)
        elif fields:
            self._write(DATES, [HASH, *fields], deadline_ms)

    def random(self, count: int, *, distinct: bool) -> list[Pair]:
        """Fields by chance."""
        drawn = self._body.random(count, self._ks.rng.randrange, distinct=distinct)
        return [(field, text(cell)) for field, cell in drawn]

    def scan(self, cursor: int, count: int) -> tuple[int, list[Pair]]:
        """Fields from a cursor on."""
        following, found = self._body.scan(cursor, count)
        return following, [(field, text(cell)) for field, cell in found]


class SetView(CellsView):
    """The set at one key."""

    __slots__ = ()
    kind = SET

    def __iter__(self) -> Iterator[bytes]:
        return iter([member for member, _ in self._body.items()])

    def add(self, members: Sequence[bytes]) -> int:
        """Add members; how many are new."""
        before = self._body.live
        if len(members) == 1:
            self._put_one(members[0], b"", [SET, *members])
        elif members:
            self._write(CELLS, [SET, *members])
        return self._body.live - before

    def random(self, count: int, *, distinct: bool) -> list[bytes]:
        """Members by chance."""
        drawn = self._body.random(count, self._ks.rng.randrange, distinct=distinct)
        return [member for member, _ in drawn]

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Members from a cursor on."""
        following, found = self._body.scan(cursor, count)
        return following, [member for member, _ in found]


class SortedSetView(CellsView):
    """The sorted set at one key."""

    __slots__ = ()
    kind = SORTED_SET

    def score(self, member: bytes) -> float | None:
        """The score of `member`."""
        cell = self._body.get(member)
        return None if cell is None else score_of(cell)

    def items(self) -> Iterable[Scored]:
        """Every member and score."""
        return [(member, score_of(cell)) for member, cell in self._body.items()]

    def put(self, pairs: Sequence[Scored]) -> None:
        """Set scores."""
        payload: list[Any] = [SORTED_SET]
        for pair in pairs:
            payload += pair
        if len(pairs) == 1:
            self._put_one(*pairs[0], payload)
        elif pairs:
            self._write(CELLS, payload)

    def increment(self, member: bytes, delta: float) -> float:
        """Add to a score; whole numbers as counts, so that those of several datacenters add up."""
        old = self.score(member) or 0.0
        new = old + delta
        if isnan(new):
            raise CommandError("ERR resulting score is not a number (NaN)")
        if all(isfinite(x) and x == int(x) and abs(x) < _EXACT for x in (old, delta, new)):
            cell = self._cell(member)
            if cell is not None and (cell[VALUE] or 0.0) == int(cell[VALUE] or 0.0):
                self._tally(member, int(delta), cell)
                return new
        self.put([(member, new)])
        return new

    def rank(self, member: bytes) -> int | None:
        """How many members come before `member`."""
        score = self.score(member)
        return None if score is None else self._body.scores().bisect_left((score, member))

    def below(self, score: float, *, or_at: bool = False) -> int:
        """How many members have a lower score, or no higher one."""
        scores = self._body.scores()
        if or_at and score == inf:
            return len(scores)
        return scores.bisect_left((nextafter(score, inf) if or_at else score, b""))

    def below_member(self, member: bytes, *, or_at: bool = False) -> int:
        """How many members come before `member`, all scores being equal."""
        scores = self._body.scores()
        if not len(scores):
            return 0
        bound = member + b"\0" if or_at else member
        if scores[0][0] == scores[-1][0]:
            return scores.bisect_left((scores[0][0], bound))
        # Redis searches as if all scores were equal, and finds what is in order by chance.
        return bisect_left(scores, bound, key=itemgetter(1))

    def slice(self, start: int, stop: int, *, reverse: bool = False) -> list[Scored]:
        """The members of ranks start..stop-1."""
        return [(member, score) for score, member in self._body.scores().islice(start, stop, reverse)]

    def random(self, count: int, *, distinct: bool) -> list[Scored]:
        """Members by chance."""
        drawn = self._body.random(count, self._ks.rng.randrange, distinct=distinct)
        return [(member, score_of(cell)) for member, cell in drawn]

    def scan(self, cursor: int, count: int) -> tuple[int, list[Scored]]:
        """Members from a cursor on."""
        following, found = self._body.scan(cursor, count)
        return following, [(member, score_of(cell)) for member, cell in found]
