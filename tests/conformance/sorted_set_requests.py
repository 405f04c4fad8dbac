"""Requests of the commands on sorted sets, good and bad, on few keys and members so that they meet.

All scores print alike everywhere: those that Valkey prints with a digit more than needed are left out, and
-0, which it keeps apart from 0 in some of its encodings, is never added to anything.
"""

from typing import Any

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words
from tests.conformance.hash_requests import CURSORS, DRAWS
from tests.conformance.set_requests import LIMITS, NUMKEYS

MEMBERS = st.sampled_from([b"x", b"y", b"z", b"x", b"y", b"1", b"2", b"", b"\x00\r\n", b"ab" * 30])
GOOD = [b"1", b"2", b"-1", b"0", b"1.5", b"0.25", b"3e5", b"1e-7", b"-12.5e3", b"+.5", b"7.", b"inf", b"-inf"]
LARGE = [b"1e300", b"-1e300", b"4e18", b"9223372036854775807", b"123456789012345678", b"1e21", b"Infinity"]
BAD = [b"x", b"", b"nan", b" 1", b"1 ", b"0x10", b"1e400", b"1e-400", b"1_0", b".", b"1e", b"infi", b"1\x00"]
STEPS = st.sampled_from([*GOOD, *GOOD, *GOOD, *LARGE, *BAD])
SCORES = st.sampled_from([*GOOD, *GOOD, *GOOD, *GOOD, *LARGE, *BAD, b"-0"])
WEIGHTS = st.sampled_from([b"1", b"2", b"-1", b"0", b"0.5", b"inf", b"-inf", b"x", b"nan"])
ADD_WORDS = st.one_of(
    st.just([]),
    words(b"NX", b"XX", b"GT", b"LT", b"CH", b"ch", b"Xx", most=3),
    words(b"NX", b"XX", b"GT", b"lt", b"CH", b"FOO", most=4),
)
ENDS = st.one_of(
    st.sampled_from([*GOOD, b"-inf", b"+inf", b"(1", b"(2", b"(-1", b"(inf", b"(-inf", b"-inf", b"inf"]),
    st.sampled_from([*LARGE, *BAD, b"(", b"((1", b"(x", b"[1", b"-", b"+", b"(1\x00"]),
)
PLACES = st.sampled_from(
    [b"0", b"1", b"2", b"-1", b"-2", b"-100", b"100", b"0", b"-1", b"x", b"", b"9223372036854775807"]
)
LEX_ENDS = st.sampled_from(
    [b"-", b"+", b"-", b"+", b"[x", b"(x", b"[y", b"(y", b"[1", b"(z", b"[", b"(", b"x", b"", b"-x", b"+\x00"]
)
LIMIT = st.one_of(
    st.just([]),
    st.tuples(PLACES, PLACES).map(lambda both: [b"LIMIT", *both]),
    st.sampled_from([[b"limit", b"0", b"2"], [b"LIMIT", b"1", b"-1"], [b"LIMIT", b"1"], [b"LIMIT"]]),
)
RANGE_WORDS = words(b"WITHSCORES", b"withscores", b"REV", b"BYSCORE", b"FOO", most=2)
COUNTS = st.sampled_from([b"0", b"1", b"2", b"5", b"-1", b"x", b"9223372036854775808"])
TIMEOUTS = st.sampled_from([b"0.001"] * 6 + [b"1e-3", b"-1", b"x", b"", b"nan", b"inf"])
SIDES = st.sampled_from([b"MIN", b"MAX", b"min", b"Max", b"UP"])
POPPED = st.one_of(
    st.just([]),
    COUNTS.map(lambda count: [b"COUNT", count]),
    words(b"COUNT", b"count", b"1", b"2", most=4),
)
SCAN_WORDS = st.one_of(
    st.just([]),
    st.sampled_from([b"*", b"x", b"[xy]", b"?"]).map(lambda glob: [b"match", glob]),
    words(b"COUNT", b"100", b"0", b"x", b"MATCH", b"y", b"NOSCORES", b"NOVALUES", b"foo", most=4),
)


def _flat(pairs: list[list[bytes]]) -> list[bytes]:
    return [word for pair in pairs for word in pair]


def _pairs(scores: st.SearchStrategy[bytes], most: int = 4) -> st.SearchStrategy[list[bytes]]:
    return some(st.tuples(scores, MEMBERS).map(list), 1, most).map(_flat)


def _algebra(*extra: bytes) -> st.SearchStrategy[list[bytes]]:
    """The number of keys, the keys, and options."""
    options = st.one_of(
        st.just([]),
        st.tuples(st.sampled_from([b"WEIGHTS", b"weights"]), some(WEIGHTS, 1, 3)).map(
            lambda both: [both[0], *both[1]]
        ),
        st.tuples(WEIGHTS, WEIGHTS).map(lambda both: [b"WEIGHTS", *both]),
        st.sampled_from([b"SUM", b"min", b"MAX", b"x"]).map(lambda how: [b"AGGREGATE", how]),
        words(b"AGGREGATE", b"WEIGHTS", b"WITHSCORES", b"LIMIT", b"1", b"MIN", most=3),
    )
    asked: list[Any] = [st.just([]), st.just([])] + [st.just([word]) for word in extra]
    keys = st.one_of(
        st.tuples(KEYS, KEYS).map(lambda both: [b"2", *both]),
        st.tuples(NUMKEYS, some(KEYS, 1, 3)).map(lambda both: [both[0], *both[1]]),
    )
    return st.tuples(keys, options, options, st.one_of(asked)).map(_flat_parts)


def _flat_parts(parts: tuple[list[bytes], ...]) -> list[bytes]:
    return [word for part in parts for word in part]


ADDS = [
    request(b"ZADD", KEYS, _pairs(st.sampled_from(GOOD))),
    request(b"zadd", KEYS, ADD_WORDS, _pairs(SCORES)),
]
SORTED_SETS = [
    *ADDS,
    request(b"ZADD", KEYS, ADD_WORDS, st.just(b"INCR"), ADD_WORDS, _pairs(STEPS, 1)),
    request(b"ZADD", KEYS, ADD_WORDS, some(st.one_of(SCORES, MEMBERS), 0, 5)),
    request(b"ZINCRBY", KEYS, STEPS, MEMBERS),
    *[request(name, KEYS, some(MEMBERS, 1, 3)) for name in (b"ZREM", b"ZMSCORE")],
    *[request(name, KEYS, MEMBERS) for name in (b"ZSCORE", b"ZRANK", b"ZREVRANK")],
    *[
        request(name, KEYS, MEMBERS, words(b"WITHSCORE", b"withscore", b"x"))
        for name in (b"ZRANK", b"ZREVRANK")
    ],
    *[request(name, KEYS) for name in (b"ZCARD", b"ZPOPMIN", b"ZPOPMAX", b"ZRANDMEMBER")],
    *[request(name, KEYS, ENDS, ENDS) for name in (b"ZCOUNT", b"ZREMRANGEBYSCORE")],
    *[request(name, KEYS, PLACES, PLACES) for name in (b"ZRANGE", b"ZREVRANGE", b"ZREMRANGEBYRANK")],
    *[request(name, KEYS, PLACES, PLACES, RANGE_WORDS, LIMIT) for name in (b"ZRANGE", b"ZREVRANGE")],
    request(b"ZRANGE", KEYS, ENDS, ENDS, st.just(b"BYSCORE"), RANGE_WORDS, LIMIT),
    *[
        request(name, KEYS, ENDS, ENDS, words(b"WITHSCORES", b"REV", most=1), LIMIT)
        for name in (b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE")
    ],
    request(b"ZRANGESTORE", KEYS, KEYS, PLACES, PLACES, words(b"REV", b"WITHSCORES", most=1), LIMIT),
    request(b"ZRANGESTORE", KEYS, KEYS, ENDS, ENDS, st.just(b"byscore"), words(b"REV", most=1), LIMIT),
    *[request(name, KEYS, some(COUNTS, 1, 2)) for name in (b"ZPOPMIN", b"ZPOPMAX")],
    request(b"ZMPOP", NUMKEYS, some(KEYS, 1, 2), SIDES, POPPED),
    request(b"ZMPOP", st.just(b"2"), KEYS, KEYS, SIDES, POPPED),
    request(b"ZRANDMEMBER", KEYS, DRAWS, words(b"WITHSCORES", b"WITHSCORES", b"x")),
    request(b"ZSCAN", KEYS, CURSORS, SCAN_WORDS),
    *[request(name, _algebra(b"WITHSCORES")) for name in (b"ZUNION", b"ZINTER", b"ZDIFF")],
    *[request(name, KEYS, _algebra()) for name in (b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE")],
    request(b"ZDIFF", st.just(b"2"), KEYS, KEYS, words(b"WITHSCORES", most=1)),
    request(b"ZDIFFSTORE", KEYS, st.just(b"2"), KEYS, KEYS),
    request(b"ZINTERCARD", NUMKEYS, some(KEYS, 1, 3), LIMITS),
    request(b"ZINTERCARD", st.just(b"2"), KEYS, KEYS, LIMITS),
]
BLOCKING_SORTED_SETS = [
    *[request(name, some(KEYS, 1, 3), TIMEOUTS) for name in (b"BZPOPMIN", b"BZPOPMAX")],
    request(b"BZMPOP", TIMEOUTS, NUMKEYS, some(KEYS, 1, 2), SIDES, POPPED),
    request(b"BZMPOP", TIMEOUTS, st.just(b"2"), KEYS, KEYS, SIDES, POPPED),
]

# Ranges by member are of sets in which all scores are equal: what they give of others is not specified.
LEX_KEYS = st.sampled_from([b"l", b"m"])
LEX_ADDS = [request(b"ZADD", LEX_KEYS, _pairs(st.just(b"0"), 6))]
LEX_WORDS = words(b"REV", b"WITHSCORES", b"BYSCORE", most=1)
LEXICAL = [
    *LEX_ADDS,
    *[request(name, LEX_KEYS, LEX_ENDS, LEX_ENDS) for name in (b"ZLEXCOUNT", b"ZREMRANGEBYLEX")],
    request(b"ZRANGE", LEX_KEYS, LEX_ENDS, LEX_ENDS, st.just(b"BYLEX"), LEX_WORDS, LIMIT),
    request(b"ZRANGE", LEX_KEYS, LEX_ENDS, LEX_ENDS, LEX_WORDS, st.just(b"bylex"), LIMIT),
    *[
        request(name, LEX_KEYS, LEX_ENDS, LEX_ENDS, words(b"WITHSCORES", most=1), LIMIT)
        for name in (b"ZRANGEBYLEX", b"ZREVRANGEBYLEX")
    ],
    request(b"ZRANGESTORE", LEX_KEYS, LEX_KEYS, LEX_ENDS, LEX_ENDS, st.just(b"BYLEX"), LEX_WORDS, LIMIT),
]
AROUND_SORTED_SETS = [
    request(b"SADD", KEYS, some(MEMBERS, 1, 3)),
    request(b"SET", KEYS, MEMBERS),
    request(b"EXPIRE", KEYS, st.just(b"1000")),
    request(b"DEL", KEYS),
    request(b"RENAME", KEYS, KEYS),
    request(b"COPY", KEYS, KEYS),
]
