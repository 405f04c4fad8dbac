"""Requests of the commands on hashes, good and bad, on few keys and fields so that they meet.

No draw with repeats is huge, for it would be carried out. No key is called "fields": HSETEX and HGETEX of
Valkey 9.1 take such a key for the word FIELDS.
"""

from typing import Any

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, NUMBERS, TEXTS, request, some, words

FIELDS = st.sampled_from([b"f", b"g", b"h", b"f", b"g", b"7", b"", b"\x00\r\n"])
VALUES = st.sampled_from([*NUMBERS, *TEXTS, b"x" * 200])
STEPS = st.sampled_from([b"1", b"-3", b"2.5", *NUMBERS])
PAIRS = some(st.tuples(FIELDS, VALUES).map(list), 1, 3).map(
    lambda pairs: [word for pair in pairs for word in pair]
)
RIGHT_TIMES = [b"100000", b"200000", b"100000", b"0"]
WRONG_TIMES = [b"-1", b"x", b"", b"1.5", b"9223372036854775807", b"9223372036854775"]
DURATIONS = st.sampled_from([*RIGHT_TIMES, *RIGHT_TIMES, *WRONG_TIMES])
MOMENTS_S = st.sampled_from([b"4102444800", b"4102444900", b"1", *RIGHT_TIMES, *WRONG_TIMES])
MOMENTS_MS = st.sampled_from([b"4102444800000", b"4102444900000", b"1", *RIGHT_TIMES, *WRONG_TIMES])
LIFETIME = st.one_of(
    st.just([]),
    *[
        times.map(lambda time, word=word: [word, time])  # type: ignore[misc]
        for word, times in {
            b"EX": DURATIONS,
            b"px": DURATIONS,
            b"EXAT": MOMENTS_S,
            b"PXAT": MOMENTS_MS,
        }.items()
    ],
)
SETEX_OPTIONS = st.one_of(
    LIFETIME,
    words(b"NX", b"XX", b"fnx", b"FXX", b"KEEPTTL", most=2),
    st.tuples(words(b"NX", b"XX", b"FNX", b"fxx", most=1), LIFETIME).map(lambda both: both[0] + both[1]),
    words(b"NX", b"FNX", b"EX", b"100000", b"KEEPTTL", b"PERSIST", b"GET", b"IFEQ", b"foo", most=3),
)
GETEX_OPTIONS = st.one_of(
    LIFETIME,
    words(b"PERSIST", b"persist", b"EX", b"100000", b"KEEPTTL", b"NX", b"foo", most=2),
)
CONDITIONS = st.one_of(st.just([]), words(b"NX", b"xx", b"GT", b"LT", b"foo", most=2))
CURSORS = st.sampled_from(
    [b"0"] * 6 + [b"x", b"", b"-1", b"00", b"+0", b" 0", b"0 ", b"18446744073709551616"]
)
SCAN_OPTIONS = st.one_of(
    st.just([]),
    st.sampled_from([b"*", b"f", b"[fg]", b"f*", b"*\r*", b"x"]).map(lambda glob: [b"MATCH", glob]),
    words(b"COUNT", b"count", b"1", b"100", b"0", b"x", b"MATCH", b"f", b"NOVALUES", b"foo", most=4),
    words(b"NOVALUES", b"novalues", b"NOSCORES", b"TYPE", most=2),
)
DRAWS = st.sampled_from(
    [b"0", b"1", b"2", b"5", b"-1", b"-5", b"x", b"", b"-9223372036854775808", b"4611686018427387904"]
)


def clause(each: st.SearchStrategy[list[bytes]]) -> st.SearchStrategy[list[bytes]]:
    """`FIELDS number …`, mostly right; `each` draws what stands for one field."""
    named = some(each, 1, 3).flatmap(
        lambda fields: st.sampled_from([b"%d" % len(fields)] * 12 + [b"0", b"-1", b"x", b"2"]).map(
            lambda number: [number, *[word for words in fields for word in words]]
        )
    )
    head = st.sampled_from([b"FIELDS"] * 9 + [b"fields", b"foo"])
    return st.tuples(head, named).map(lambda both: [both[0], *both[1]])


def named(name: bytes, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[bytes, ...]]:
    """Requests of `name` on a key, with `parts` and then a clause of fields."""
    return request(name, KEYS, *parts, clause(FIELDS.map(lambda field: [field])))


HSETS = [request(b"HSET", KEYS, PAIRS), request(b"HMSET", KEYS, PAIRS)]
HASHES = [
    *HSETS,
    *[request(name, KEYS, some(FIELDS, 0, 4)) for name in (b"hset", b"HMSET", b"HMGET", b"HDEL", b"HGET")],
    *[request(name, KEYS, FIELDS) for name in (b"HGET", b"HEXISTS", b"HSTRLEN", b"HDEL")],
    *[request(name, KEYS) for name in (b"HGETALL", b"HKEYS", b"HVALS", b"HLEN", b"HRANDFIELD")],
    request(b"HSETNX", KEYS, FIELDS, VALUES),
    request(b"HINCRBY", KEYS, FIELDS, STEPS),
    request(b"HINCRBYFLOAT", KEYS, FIELDS, STEPS),
    request(b"HRANDFIELD", KEYS, DRAWS, words(b"WITHVALUES", b"withvalues", b"x", most=2)),
    request(b"HSCAN", KEYS, CURSORS, SCAN_OPTIONS),
    request(b"HSETEX", KEYS, SETEX_OPTIONS, clause(st.tuples(FIELDS, VALUES).map(list))),
    named(b"HSETEX", SETEX_OPTIONS),
    named(b"HGETEX", GETEX_OPTIONS),
    named(b"HGETDEL"),
    *[named(name, DURATIONS, CONDITIONS) for name in (b"HEXPIRE", b"HPEXPIRE")],
    named(b"HEXPIREAT", MOMENTS_S, CONDITIONS),
    named(b"HPEXPIREAT", MOMENTS_MS, CONDITIONS),
    *[named(name) for name in (b"HTTL", b"HPTTL", b"HEXPIRETIME", b"HPEXPIRETIME", b"HPERSIST")],
]
AROUND = [
    request(b"SET", KEYS, VALUES),
    request(b"EXPIRE", KEYS, st.just(b"100000")),
    *[request(name, KEYS) for name in (b"DEL", b"TYPE", b"PERSIST")],
    *[request(name, KEYS, KEYS) for name in (b"RENAME", b"COPY")],
]
"""What happens to keys of any type meanwhile."""
