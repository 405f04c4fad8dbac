"""The commands on a range of one sorted set: what it holds, stored or counted or removed.

ZRANGE says with words what ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZRANGEBYLEX and ZREVRANGEBYLEX say
with their names; all of them are read and answered by the same functions (`zrangeGenericCommand` in Redis).
"""

from collections.abc import Callable, Sequence

from attrs import define

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.record import Scored, SortedSet
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scores import scored_array
from trio_dynomite.commands.sorted_set_ranges import Range, lex_range, rank_range, score_range
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, ZERO, bulk_array, integer

_LIMIT_BY_RANK = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
_SCORES_BY_LEX = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
_READERS: dict[bytes, Callable[[bytes, bytes], Range]] = {
    b"BYRANK": rank_range,
    b"BYSCORE": score_range,
    b"BYLEX": lex_range,
}


@define
class _Query:
    """A range, and how to answer with it."""

    by: bytes = b""
    """BYRANK, BYSCORE or BYLEX; empty: not said yet."""
    reverse: bool | None = None
    """From the highest down? None: not said yet."""
    with_scores: bool = False
    offset: int = 0
    """LIMIT: so many members are left out first; a negative number leaves out all."""
    limit: int = -1
    """LIMIT: so many members at most; a negative number: all."""

    def read(self, args: list[bytes], at: int, *, stores: bool = False) -> Range:
        """Take in the words from `args[at + 2]` on, and the range, which stands at `at` and after.

        Raises CommandError, with the error that Redis would find first."""
        if len(args) > at + 2:
            self._read_words(args, at + 2, stores)
        self.by = self.by or b"BYRANK"
        if self.by == b"BYRANK":
            if self.limit != -1:
                raise CommandError(_LIMIT_BY_RANK)
            self.offset = 0
        if self.with_scores and self.by == b"BYLEX":
            raise CommandError(_SCORES_BY_LEX)
        low, high = args[at], args[at + 1]
        if self.reverse and self.by != b"BYRANK":
            low, high = high, low
        return _READERS[self.by](low, high)

    def _read_words(self, args: list[bytes], start: int, stores: bool) -> None:
        rest = iter(range(start, len(args)))
        for position in rest:
            word = args[position].upper()
            if word == b"WITHSCORES" and not stores:
                self.with_scores = True
            elif word == b"LIMIT" and position + 2 < len(args):
                self.offset, self.limit = (integer_argument(args[next(rest)]) for _ in range(2))
            elif word == b"REV" and self.reverse is None:
                self.reverse = True
            elif word in (b"BYLEX", b"BYSCORE") and not self.by:
                self.by = word
            else:
                raise CommandError(SYNTAX)

    def answer(self, view: SortedSet, within: Range) -> list[Scored]:
        """The members of `view` that the range and LIMIT let through, in the order asked for."""
        start, stop = within.ranks(view)
        if not self.reverse:
            start += self.offset
            return self._slice(view, start, stop if self.limit < 0 else min(stop, start + self.limit))
        if self.by == b"BYRANK":
            start, stop = len(view) - stop, len(view) - start
        stop -= self.offset
        return self._slice(view, start if self.limit < 0 else max(start, stop - self.limit), stop)

    def _slice(self, view: SortedSet, start: int, stop: int) -> list[Scored]:
        if self.offset < 0 or start >= stop:
            return []
        return view.slice(start, stop, reverse=bool(self.reverse))


def zrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]."""
    return _members(ks, args, _Query())


def zrevrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREVRANGE key start stop [WITHSCORES]."""
    return _members(ks, args, _Query(b"BYRANK", True))


def zrangebyscore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]."""
    return _members(ks, args, _Query(b"BYSCORE", False))


def zrevrangebyscore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]."""
    return _members(ks, args, _Query(b"BYSCORE", True))


def zrangebylex(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANGEBYLEX key min max [LIMIT offset count]."""
    return _members(ks, args, _Query(b"BYLEX", False))


def zrevrangebylex(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]."""
    return _members(ks, args, _Query(b"BYLEX", True))


def _members(ks: Keyspace, args: list[bytes], query: _Query) -> bytes:
    within = query.read(args, 2)
    found = query.answer(ks.sorted_set_at(args[1]), within)
    if not found:
        return EMPTY_ARRAY
    return scored_array(found, ks.resp) if query.with_scores else bulk_array([member for member, _ in found])


def zrangestore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count]."""
    query = _Query()
    within = query.read(args, 3, stores=True)
    found = query.answer(ks.sorted_set_at(args[2]), within)
    return store(ks, args[1], found, "zrangestore")


def store(ks: Keyspace, target: bytes, pairs: Sequence[Scored], event: str) -> bytes:
    """The sorted set of `pairs` replaces whatever `target` was; without any the key goes. Their number."""
    was_there = ks.delete(target)
    if not pairs:
        if was_there and ks.wants_events:
            ks.event("del", target)
        return ZERO
    ks.sorted_set_at(target).put(pairs)
    if ks.wants_events:
        ks.event(event, target)
    return integer(len(pairs))


def zcount(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZCOUNT key min max: how many scores are in the range."""
    return _count(ks, args[1], score_range(args[2], args[3]))


def zlexcount(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZLEXCOUNT key min max: how many members are in the range."""
    return _count(ks, args[1], lex_range(args[2], args[3]))


def _count(ks: Keyspace, key: bytes, within: Range) -> bytes:
    start, stop = within.ranks(ks.sorted_set_at(key))
    return integer(stop - start)


def zremrangebyrank(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREMRANGEBYRANK key start stop: how many were removed."""
    return _remove(ks, args[1], rank_range(args[2], args[3]), "zremrangebyrank")


def zremrangebyscore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREMRANGEBYSCORE key min max: how many were removed."""
    return _remove(ks, args[1], score_range(args[2], args[3]), "zremrangebyscore")


def zremrangebylex(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREMRANGEBYLEX key min max: how many were removed."""
    return _remove(ks, args[1], lex_range(args[2], args[3]), "zremrangebylex")


def _remove(ks: Keyspace, key: bytes, within: Range, event: str) -> bytes:
    view = ks.sorted_set_at(key)
    start, stop = within.ranks(view)
    if start == stop:
        return ZERO
    view.remove([member for member, _ in view.slice(start, stop)])
    if ks.wants_events:
        removed(ks, event, key)
    return integer(stop - start)
