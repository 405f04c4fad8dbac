"""Unions, intersections and differences of sorted sets and plain sets, whose members all score 1.

The smallest source comes first, as in Redis, since the order in which scores are added shows in the last
digit. An infinity minus an infinity, and an infinity times 0, count as 0. AGGREGATE COUNT is Redis 8.8's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import isnan

from attrs import define, field, frozen

from trio_dynomite.commands.numeric import integer_argument, parse_int64
from trio_dynomite.commands.record import Scored, Set, SortedSet
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scores import score_argument, scored_array
from trio_dynomite.commands.sorted_set_slices import store
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import bulk_array, integer

_NO_WEIGHT = "ERR weight value is not a float"
_NEGATIVE_LIMIT = "ERR LIMIT can't be negative"


@frozen
class _PlainSet:
    """A set, seen as a sorted set."""

    view: Set

    def __len__(self) -> int:
        return len(self.view)

    def score(self, member: bytes) -> float | None:
        return 1.0 if member in self.view else None

    def items(self) -> Iterable[Scored]:
        return ((member, 1.0) for member in self.view)


@frozen
class _Counted:
    """A source whose scores do not matter."""

    source: "Source"

    def __len__(self) -> int:
        return len(self.source)

    def score(self, member: bytes) -> float | None:
        return None if self.source.score(member) is None else 1.0

    def items(self) -> Iterable[Scored]:
        return ((member, 1.0) for member, _ in self.source.items())


Source = SortedSet | _PlainSet | _Counted
Combine = Callable[[float, float], float]


def _sum(left: float, right: float) -> float:
    return _number(left + right)


def _lesser(left: float, right: float) -> float:
    return right if right < left else left


def _greater(left: float, right: float) -> float:
    return right if right > left else left


_COMBINE: dict[bytes, Combine] = {b"SUM": _sum, b"MIN": _lesser, b"MAX": _greater, b"COUNT": _sum}


@define
class _Request:
    """The sources, and the options after them."""

    sources: list[Source]
    weights: list[float] = field(factory=list)
    combine: Combine = _sum
    counts: bool = False
    """AGGREGATE COUNT: only in which sources a member is decides."""
    with_scores: bool = False
    limit: int = 0
    """Stop counting there; 0: never."""

    def weighted(self) -> list[tuple[Source, float]]:
        """The sources with their weights, the smallest first."""
        weights = self.weights or [1.0] * len(self.sources)
        sources = self.sources
        if self.counts:
            sources = [_Counted(source) for source in sources]
        return sorted(zip(sources, weights, strict=True), key=lambda pair: len(pair[0]))


def zunion(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX | COUNT] [WITHSCORES]."""
    request = _read(ks, args, 1, "zunion", {b"WEIGHTS", b"AGGREGATE", b"WITHSCORES"})
    return _reply(ks, request, _union(request))


def zinter(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX | COUNT] [WITHSCORES]."""
    request = _read(ks, args, 1, "zinter", {b"WEIGHTS", b"AGGREGATE", b"WITHSCORES"})
    return _reply(ks, request, _intersection(request))


def zdiff(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZDIFF numkeys key [key ...] [WITHSCORES]: what the first has and no other."""
    request = _read(ks, args, 1, "zdiff", {b"WITHSCORES"})
    return _reply(ks, request, _difference(request.sources))


def zunionstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS …] [AGGREGATE SUM | MIN | MAX | COUNT]."""
    request = _read(ks, args, 2, "zunionstore", {b"WEIGHTS", b"AGGREGATE"})
    return _store(ks, args[1], _union(request), "zunionstore")


def zinterstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZINTERSTORE destination numkeys key [key ...] [WEIGHTS …] [AGGREGATE SUM | MIN | MAX | COUNT]."""
    request = _read(ks, args, 2, "zinterstore", {b"WEIGHTS", b"AGGREGATE"})
    return _store(ks, args[1], _intersection(request), "zinterstore")


def zdiffstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZDIFFSTORE destination numkeys key [key ...]."""
    request = _read(ks, args, 2, "zdiffstore", set())
    return _store(ks, args[1], _difference(request.sources), "zdiffstore")


def zintercard(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZINTERCARD numkeys key [key ...] [LIMIT limit]."""
    request = _read(ks, args, 1, "zintercard", {b"LIMIT"})
    return integer(sum(1 for _ in islice(_intersection(request), request.limit or None)))


def _read(ks: Keyspace, args: list[bytes], at: int, name: str, words: set[bytes]) -> _Request:
    """The request whose number of keys is `args[at]`, with those of the options `words` that stand there."""
    count = integer_argument(args[at])
    if count < 1:
        raise CommandError(f"ERR at least 1 input key is needed for '{name}' command")
    end = at + 1 + count
    if end > len(args):
        raise CommandError(SYNTAX)
    # Before the options: Redis looks at the types first.
    request = _Request([_source(ks, key) for key in args[at + 1 : end]])
    if end < len(args):
        _read_options(request, args[end:], words)
    return request


def _source(ks: Keyspace, key: bytes) -> Source:
    return _PlainSet(ks.set_at(key)) if ks.kind(key) == "set" else ks.sorted_set_at(key)


def _read_options(request: _Request, options: list[bytes], words: set[bytes]) -> None:
    rest = iter(options)
    for option in rest:
        word = option.upper()
        if word not in words:
            raise CommandError(SYNTAX)
        if word == b"WITHSCORES":
            request.with_scores = True
        elif word == b"WEIGHTS":
            texts = [_next(rest) for _ in request.sources]
            request.weights = [score_argument(text, _NO_WEIGHT) for text in texts]
        elif word == b"AGGREGATE":
            how = _next(rest).upper()
            if how not in _COMBINE:
                raise CommandError(SYNTAX)
            request.combine, request.counts = _COMBINE[how], how == b"COUNT"
        else:
            request.limit = _limit(_next(rest))


def _next(rest: Iterator[bytes]) -> bytes:
    text = next(rest, None)
    if text is None:
        raise CommandError(SYNTAX)
    return text


def _limit(text: bytes) -> int:
    number = parse_int64(text)
    if number is None or number < 0:
        raise CommandError(_NEGATIVE_LIMIT)
    return number


def _union(request: _Request) -> Iterable[Scored]:
    combine, scores = request.combine, dict[bytes, float]()
    for source, weight in request.weighted():
        for member, score in source.items():
            weighted = _number(weight * score)
            scores[member] = combine(scores[member], weighted) if member in scores else weighted
    return scores.items()


def _intersection(request: _Request) -> Iterable[Scored]:
    combine = request.combine
    (smallest, first_weight), *others = request.weighted()
    for member, score in smallest.items():
        total = _number(first_weight * score)
        for other, weight in others:
            found = other.score(member)
            if found is None:
                break
            total = combine(total, found * weight)
        else:
            yield member, total


def _difference(sources: Sequence[Source]) -> Iterable[Scored]:
    first, *others = sources
    left = dict(first.items())
    for other in others:
        # Whichever is smaller is walked.
        if len(other) < len(left):
            for member, _ in other.items():
                left.pop(member, None)
        else:
            left = {member: score for member, score in left.items() if other.score(member) is None}
    return left.items()


def _number(score: float) -> float:
    return 0.0 if isnan(score) else score


def _reply(ks: Keyspace, request: _Request, pairs: Iterable[Scored]) -> bytes:
    ordered = sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    if request.with_scores:
        return scored_array(ordered, ks.resp)
    return bulk_array([member for member, _ in ordered])


def _store(ks: Keyspace, target: bytes, pairs: Iterable[Scored], event: str) -> bytes:
    # Adding 0 makes 0 of -0.
    return store(ks, target, [(member, score + 0.0) for member, score in pairs], event)
