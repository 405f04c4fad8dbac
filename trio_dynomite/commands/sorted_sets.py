"""The commands on one sorted set (https://valkey.io/commands/#sorted-set) that name members, or draw some.

A score that stays as it was is not written again: there is nothing to tell the other replicas.
"""

from collections.abc import Sequence

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import INT64_MAX, draws_argument
from trio_dynomite.commands.record import Scored, SortedSet
from trio_dynomite.commands.refusals import SYNTAX, wrong_arity
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scan_options import EMPTY_PAGE, cursor_argument, page, scan_options
from trio_dynomite.commands.scores import score_argument, score_reply, scored_array, text_of
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    EMPTY_ARRAY,
    NULL,
    NULL_ARRAY,
    ONE,
    ZERO,
    array,
    bulk,
    bulk_array,
    integer,
)

_ADD_WORDS = frozenset([b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"])
_NX_OR_XX = "ERR XX and NX options at the same time are not compatible"
_NX_OR_GT_OR_LT = "ERR GT, LT, and/or NX options at the same time are not compatible"
_ONE_PAIR = "ERR INCR option supports a single increment-element pair"
_DRAWS_OUT_OF_RANGE = "ERR value is out of range"


def zadd(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...].

    Adding 0 to a score makes 0 of -0: sorted sets do not tell them apart."""
    if len(args) == 4 and args[2].upper() not in _ADD_WORDS:
        return _add_one(ks, args[1], args[3], score_argument(args[2]) + 0.0)
    words, start = add_words(args, _ADD_WORDS)
    if start == len(args) or (len(args) - start) % 2:
        raise CommandError(SYNTAX)
    if words:
        _check_add_words(words, len(args) - start)
    pairs = [
        (args[position + 1], score_argument(args[position]) + 0.0) for position in range(start, len(args), 2)
    ]
    if b"INCR" in words:
        return _increment(ks, args[1], *pairs[0], words)
    return add(ks, args[1], pairs, words)


def _add_one(ks: Keyspace, key: bytes, member: bytes, score: float) -> bytes:
    """What `add` does, for the pair that most requests have, and no words."""
    view = ks.sorted_set_at(key)
    old = view.score(member)
    if old == score:
        return ZERO
    view.put([(member, score)])
    if ks.wants_events:
        ks.event("zadd", key)
    return ONE if old is None else ZERO


def add_words(args: list[bytes], known: frozenset[bytes]) -> tuple[frozenset[bytes], int]:
    """The option words after the key, and where what follows them starts."""
    start = 2
    while start < len(args) and args[start].upper() in known:
        start += 1
    return frozenset([word.upper() for word in args[2:start]]), start


def add(ks: Keyspace, key: bytes, pairs: Sequence[Scored], words: frozenset[bytes]) -> bytes:
    """What ZADD does with scores that are read, and its reply: how many are new, or (CH) changed, too."""
    view = ks.sorted_set_at(key)
    changed: dict[bytes, float] = {}
    added = updated = 0
    for member, score in pairs:
        # A member may be named twice, and then counts as if each pair were a command.
        old = changed[member] if member in changed else view.score(member)
        if old == score or (words and not _fits(old, score, words)):
            continue
        changed[member] = score
        if old is None:
            added += 1
        else:
            updated += 1
    if changed:
        view.put(list(changed.items()))
        if ks.wants_events:
            ks.event("zadd", key)
    return integer(added + updated if b"CH" in words else added)


def _fits(old: float | None, new: float, words: frozenset[bytes]) -> bool:
    """Do the conditions let `new` become the score of a member that had `old`?"""
    if old is None:
        return b"XX" not in words
    return not (b"NX" in words or (b"GT" in words and new <= old) or (b"LT" in words and new >= old))


def _check_add_words(words: frozenset[bytes], values: int) -> None:
    if words >= {b"NX", b"XX"}:
        raise CommandError(_NX_OR_XX)
    if len(words & {b"NX", b"GT", b"LT"}) > 1:
        raise CommandError(_NX_OR_GT_OR_LT)
    if b"INCR" in words and values > 2:
        raise CommandError(_ONE_PAIR)


def zincrby(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZINCRBY key increment member; the new score."""
    return _increment(ks, args[1], args[3], score_argument(args[2]), frozenset())


def _increment(ks: Keyspace, key: bytes, member: bytes, delta: float, words: frozenset[bytes]) -> bytes:
    view = ks.sorted_set_at(key)
    old = view.score(member)
    new = delta if old is None else old + delta
    # No number (NaN) fits neither GT nor LT: the view refuses it, as Redis does before it looks at those.
    if words and not _fits(old, new, words):
        return NULL[ks.resp]
    if new != old:
        new = view.increment(member, delta)
        if ks.wants_events:
            ks.event("zincr", key)
    return score_reply(new, ks.resp)


def zrem(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREM key member [member ...]: how many there were."""
    count = ks.sorted_set_at(args[1]).remove(args[2:])
    if count and ks.wants_events:
        removed(ks, "zrem", args[1])
    return integer(count)


def zscore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZSCORE key member."""
    return _score_or_null(ks.sorted_set_at(args[1]).score(args[2]), ks.resp)


def zmscore(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZMSCORE key member [member ...]."""
    view = ks.sorted_set_at(args[1])
    return array([_score_or_null(view.score(member), ks.resp) for member in args[2:]])


def _score_or_null(score: float | None, resp: int) -> bytes:
    return NULL[resp] if score is None else score_reply(score, resp)


def zcard(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZCARD key."""
    return integer(len(ks.sorted_set_at(args[1])))


def zrank(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANK key member [WITHSCORE]: how many members come before it."""
    with_score = _with_score(args, "zrank")
    view = ks.sorted_set_at(args[1])
    return _rank_reply(ks, view, args[2], view.rank(args[2]), with_score)


def zrevrank(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZREVRANK key member [WITHSCORE]: how many members come after it."""
    with_score = _with_score(args, "zrevrank")
    view = ks.sorted_set_at(args[1])
    rank = view.rank(args[2])
    return _rank_reply(ks, view, args[2], None if rank is None else len(view) - 1 - rank, with_score)


def _with_score(args: list[bytes], name: str) -> bool:
    if len(args) > 4:
        raise CommandError(wrong_arity(name))
    if len(args) == 4 and args[3].upper() != b"WITHSCORE":
        raise CommandError(SYNTAX)
    return len(args) == 4


def _rank_reply(ks: Keyspace, view: SortedSet, member: bytes, rank: int | None, with_score: bool) -> bytes:
    if rank is None:
        return (NULL_ARRAY if with_score else NULL)[ks.resp]
    if not with_score:
        return integer(rank)
    return array([integer(rank), _score_or_null(view.score(member), ks.resp)])


def zrandmember(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZRANDMEMBER key [count [WITHSCORES]]: a member by chance, or so many (negative: with repeats)."""
    if len(args) == 2:
        drawn = ks.sorted_set_at(args[1]).random(1, distinct=True)
        return bulk(drawn[0][0]) if drawn else NULL[ks.resp]
    count = draws_argument(args[2])
    if len(args) > 4 or (len(args) == 4 and args[3].upper() != b"WITHSCORES"):
        raise CommandError(SYNTAX)
    if len(args) == 4 and abs(count) > INT64_MAX // 2:
        raise CommandError(_DRAWS_OUT_OF_RANGE)
    view = ks.sorted_set_at(args[1])
    if not count:
        return EMPTY_ARRAY
    drawn = view.random(abs(count), distinct=count > 0)
    return scored_array(drawn, ks.resp) if len(args) == 4 else bulk_array([member for member, _ in drawn])


def zscan(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]."""
    cursor = cursor_argument(args[2])
    view = ks.sorted_set_at(args[1])
    if not len(view):
        return EMPTY_PAGE
    options = scan_options(args, b"NOSCORES")
    cursor, pairs = view.scan(cursor, options.count)
    found = [pair for pair in pairs if options.picks(pair[0])]
    if options.bare:
        return page(cursor, [member for member, _ in found])
    return page(cursor, [piece for member, score in found for piece in (member, text_of(score))])
