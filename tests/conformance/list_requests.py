"""Requests of the commands on lists, good and bad, on few keys and elements so that they meet.

The timeouts of the blocking ones are short: whoever has nothing to take waits for a millisecond.

LSET gets no index beyond 32 bits: of a small list Valkey takes its lower half, and sets some other element.
"""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words

ELEMENTS = st.sampled_from([b"a", b"b", b"a", b"b", b"", b"1", b"10", b"\x00\xff\r\n", b"ab" * 100])
SMALL = [b"0", b"1", b"2", b"3", b"-1", b"-2", b"-3", b"7", b"-7"]
ODD = [b"x", b"", b"01", b"1.0", b"9223372036854775808"]
HUGE = [b"9223372036854775807", b"-9223372036854775807", b"-9223372036854775808"]
INDEXES = st.sampled_from([*SMALL * 5, *ODD, *HUGE])
INDEXES_OF_32_BITS = st.sampled_from([*SMALL * 5, *ODD, b"2147483647", b"-2147483648"])
COUNTS = st.sampled_from([*[b"1", b"2", b"3", b"100"] * 5, *SMALL, *ODD, *HUGE])
NUMKEYS = st.sampled_from([b"1", b"2", b"2", b"2", b"0", b"-1", b"3", b"x", b"9223372036854775807"])
SIDES = st.sampled_from([b"LEFT", b"RIGHT", b"left", b"Right"])
ANY_SIDES = st.sampled_from([*[b"LEFT", b"RIGHT", b"left", b"Right"] * 4, b"UP", b""])
PLACES = st.sampled_from([*[b"BEFORE", b"after", b"After", b"before"] * 3, b"BESIDE"])
TIMEOUTS = st.sampled_from(
    [b"0.001"] * 30 + [b"1e-3", b"0x1p-10", b"-1", b"x", b"", b"nan", b"inf", b"1e400"]
)
POSITIONS = st.one_of(
    st.just([]),
    st.tuples(st.sampled_from([b"RANK", b"rank"]), INDEXES).map(list),
    st.tuples(st.sampled_from([b"COUNT", b"MAXLEN", b"count", b"FOO"]), COUNTS).map(list),
    st.tuples(st.just(b"COUNT"), COUNTS, st.just(b"RANK"), INDEXES, st.just(b"MAXLEN"), COUNTS).map(list),
    words(b"RANK", b"COUNT", b"MAXLEN", b"1", b"2", b"-1", b"0", most=6),
)
POPPED = st.one_of(
    st.just([]),
    st.just([]),
    COUNTS.map(lambda count: [b"COUNT", count]),
    words(b"COUNT", b"count", b"1", b"x", most=4),
)

SEARCHED = st.sampled_from([b"a", b"b", b"", b"absent"])
SEARCHES = [
    request(b"LPOS", KEYS, SEARCHED, POSITIONS),
    request(b"LREM", KEYS, INDEXES, SEARCHED),
    request(b"LINSERT", KEYS, PLACES, SEARCHED, ELEMENTS),
]
PUSHES = [request(name, KEYS, some(ELEMENTS, 1, 5)) for name in (b"RPUSH", b"LPUSH", b"rpush")]
LISTS = [
    *PUSHES,
    *[request(name, KEYS, some(ELEMENTS, 0, 3)) for name in (b"LPUSHX", b"RPUSHX", b"LPUSH", b"RPUSH")],
    *[request(name, KEYS) for name in (b"LPOP", b"RPOP", b"LLEN")],
    *[request(name, KEYS, some(COUNTS, 1, 2)) for name in (b"LPOP", b"RPOP")],
    request(b"LINDEX", KEYS, INDEXES),
    request(b"LSET", KEYS, INDEXES_OF_32_BITS, ELEMENTS),
    *[request(name, KEYS, INDEXES, INDEXES) for name in (b"LRANGE", b"LTRIM")],
    *SEARCHES,
    request(b"LMOVE", KEYS, KEYS, ANY_SIDES, ANY_SIDES),
    request(b"RPOPLPUSH", KEYS, KEYS),
    request(b"LMPOP", NUMKEYS, some(KEYS, 1, 2), ANY_SIDES, POPPED),
    request(b"LMPOP", st.just(b"2"), KEYS, KEYS, SIDES, POPPED),
]
BLOCKING_LISTS = [
    *[request(name, some(KEYS, 1, 3), TIMEOUTS) for name in (b"BLPOP", b"BRPOP")],
    request(b"BLMOVE", KEYS, KEYS, ANY_SIDES, ANY_SIDES, TIMEOUTS),
    request(b"BRPOPLPUSH", KEYS, KEYS, TIMEOUTS),
    request(b"BLMPOP", TIMEOUTS, NUMKEYS, some(KEYS, 1, 2), ANY_SIDES, POPPED),
    request(b"BLMPOP", TIMEOUTS, st.just(b"2"), KEYS, KEYS, SIDES, POPPED),
]
AROUND_LISTS = [
    request(b"SET", KEYS, ELEMENTS),
    request(b"EXPIRE", KEYS, st.just(b"1000")),
    request(b"DEL", KEYS),
    request(b"RENAME", KEYS, KEYS),
    request(b"COPY", KEYS, KEYS),
]
