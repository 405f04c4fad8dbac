"""Random conversations: requests of every command on few keys, good and bad, for the oracles."""

from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from([b"a", b"b"])
TEXTS = [b"", b"x", b"hello world", b"Hello", b"\x00\xff\r\n", b"ab" * 100]
NUMBERS = [b"0", b"-0", b"+1", b" 1", b"01", b"7", b"-12", b"300", b"100000", b"9223372036854775807"]
NUMBERS += [b"9223372036854775808", b"-9223372036854775808", b"3.0", b"1e3", b"0x1p3", b"inf", b"nan", b"0.1"]
VALUES = st.sampled_from([*TEXTS, *NUMBERS])
INDEXES = st.sampled_from(
    [b"0", b"1", b"3", b"-1", b"-3", b"-100", b"100", b"x", b"", b"9223372036854775807"]
)
OFFSETS = st.sampled_from([b"0", b"1", b"5", b"-1", b"300", b"536870912", b"9223372036854775807", b"x"])
TIMES = [b"1000", b"100000", b"0", b"-1", b"x", b"9223372036854775807", b"9223372036854775", b"1.5"]
LIFETIMES = st.sampled_from([[b"EX"], [b"px"], [b"EXAT"], [b"PxAt"]]).flatmap(
    lambda word: st.sampled_from([b"5000000000000", b"4102444800", *TIMES]).map(lambda time: [*word, time])
)
SET_OPTIONS = st.lists(
    st.one_of(
        st.sampled_from(
            [[b"NX"], [b"xx"], [b"GET"], [b"get"], [b"KEEPTTL"], [b"PERSIST"], [b"EX"], [b"foo"]]
        ),
        st.tuples(st.just(b"IFEQ"), VALUES).map(list),
        LIFETIMES,
    ),
    max_size=3,
).map(lambda words: [argument for word in words for argument in word])


def request(name: bytes, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[bytes, ...]]:
    """Requests of `name`: each part is one argument or a list of them."""
    return st.tuples(*parts).map(
        lambda drawn: (name, *[x for part in drawn for x in (part if isinstance(part, list) else [part])])
    )


def some(strategy: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=least, max_size=most)


def words(*choices: bytes, most: int = 2) -> st.SearchStrategy[list[bytes]]:
    return some(st.sampled_from(choices), 0, most)


STRINGS = [
    request(b"SET", KEYS, VALUES),
    request(b"SET", KEYS, VALUES, SET_OPTIONS),
    request(b"GETEX", KEYS, st.one_of(LIFETIMES, words(b"PERSIST", b"persist", b"EX", b"GET"))),
    *[request(name, KEYS) for name in (b"GET", b"get", b"GETDEL", b"STRLEN", b"INCR", b"DECR", b"DUMP")],
    *[request(name, KEYS, VALUES) for name in (b"GETSET", b"SETNX", b"APPEND", b"DELIFEQ", b"INCRBYFLOAT")],
    *[request(name, KEYS, st.sampled_from(NUMBERS)) for name in (b"INCRBY", b"DECRBY", b"IncrByFloat")],
    *[request(name, KEYS, st.sampled_from(TIMES), VALUES) for name in (b"SETEX", b"PSETEX")],
    *[request(name, some(KEYS)) for name in (b"MGET", b"LCS")],
    *[request(name, some(VALUES, 0, 5)) for name in (b"MSET", b"MSETNX")],
    request(b"MSETNX", KEYS, VALUES, KEYS, VALUES),
    request(b"MSETEX", st.just(b"2"), KEYS, VALUES, KEYS, VALUES, SET_OPTIONS),
    request(b"MSETEX", st.sampled_from([b"1", b"0", b"x", b"2147483648"]), some(VALUES, 2, 5)),
    request(b"SETRANGE", KEYS, OFFSETS, VALUES),
    *[request(name, KEYS, INDEXES, INDEXES) for name in (b"GETRANGE", b"SUBSTR")],
    request(b"LCS", KEYS, KEYS, words(b"LEN", b"idx", b"MINMATCHLEN", b"2", b"WITHMATCHLEN", b"x", most=4)),
]
GENERIC = [
    *[
        request(name, some(KEYS))
        for name in (b"DEL", b"UNLINK", b"EXISTS", b"TOUCH", b"TYPE", b"DUMP", b"PERSIST")
    ],
    *[request(name, some(KEYS, 1, 3)) for name in (b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME")],
    *[
        request(name, KEYS, st.sampled_from(TIMES), words(b"NX", b"xx", b"foo", b"nx"))
        for name in (b"EXPIRE", b"PEXPIRE", b"expire")
    ],
    *[
        request(
            name,
            KEYS,
            st.sampled_from([b"4102444800", b"4102444800000", b"9000000000000", *TIMES]),
            words(b"NX", b"XX", b"gt", b"LT", most=3),
        )
        for name in (b"EXPIREAT", b"PEXPIREAT")
    ],
    *[request(name, KEYS, KEYS) for name in (b"RENAME", b"RENAMENX", b"COPY")],
    request(b"COPY", KEYS, KEYS, words(b"REPLACE", b"DB", b"0", b"1", b"x", b"db", most=3)),
    request(b"OBJECT", st.sampled_from([b"FREQ", b"help", b"nope", b"ENCODING"]), st.just(b"absent")),
    request(b"OBJECT", words(b"HELP", b"FREQ", b"encoding")),
    request(b"PLANT", KEYS),
    request(b"no-such-command", some(st.sampled_from([b"", b"x", b"a\0b", b"ab" * 50, *NUMBERS]), 0, 4)),
]
# Each conversation keeps to a few commands, so that they meet each other's results (swarm testing).
CONVERSATIONS = st.lists(st.sampled_from([*STRINGS, *GENERIC]), min_size=1, max_size=5).flatmap(
    lambda chosen: st.lists(st.one_of(STRINGS[0], STRINGS[1], *chosen), min_size=5, max_size=40)
)
