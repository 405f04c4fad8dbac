"""Requests of SORT and SORT_RO, good and bad, over lists, sets and sorted sets, and what BY and GET lead to.

No element has the weight of another where ALPHA orders BY weights: Valkey leaves the order of equal ones to
C's `qsort`. A set as it stands (BY nosort) is in no order either, but stored it is.
"""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words

NUMBERS = [b"1", b"2", b"10", b"-3", b"2.5", b"1e2", b"-inf", b"+7", b"05"]
WORDS = [b"a", b"B", b"", b"ab", b"\xff", b"nan", b"0x10", b" 1"]
NUMERIC = st.sampled_from(NUMBERS)
ELEMENTS = st.one_of(NUMERIC, NUMERIC, NUMERIC, st.sampled_from(WORDS))
LIMITS = st.sampled_from([*[b"0", b"1", b"2", b"3", b"-1"] * 4, b"100", b"9223372036854775807", b"x"])
LIMIT = st.tuples(st.sampled_from([b"LIMIT", b"limit"]), LIMITS, LIMITS).map(list)
ORDER = words(b"ASC", b"DESC", b"desc", most=2)
WEIGHTS = [b"w_*", b"*", b"h_*->f", b"h_*->", b"h_*->f->g", b"*x*", b"w_*->f"]
BY = st.sampled_from(WEIGHTS).map(lambda pattern: [b"BY", pattern])
GET = st.sampled_from([b"#", b"fixed", b"##", *WEIGHTS]).map(lambda pattern: [b"GET", pattern])
STORE = st.one_of(KEYS, st.just(b"c")).map(lambda key: [b"STORE", key])
ODD_WORDS = words(b"BY", b"GET", b"STORE", b"LIMIT", b"1", b"foo", b"alpha", b"c", b"nosort", most=4)


def joined(*parts: st.SearchStrategy[list[bytes]]) -> st.SearchStrategy[list[bytes]]:
    """Some of these parts, in any order."""
    chosen = st.lists(st.sampled_from(parts), max_size=4).flatmap(lambda drawn: st.tuples(*drawn))
    return chosen.map(lambda drawn: [word for part in drawn for word in part])


def weights(element: bytes) -> list[tuple[bytes, ...]]:
    """The keys that hold a weight of `element`, each different from those of the others."""
    place = (NUMBERS + WORDS).index(element)
    return [
        (b"SET", b"w_" + element, b"%d" % (-place * 7 % 20)),
        (b"HSET", b"h_" + element, b"f", b"%d.5" % place, b"f->g", b"%d" % -place),
    ]


PAIRS = some(st.tuples(NUMERIC, NUMERIC), 1, 4).map(lambda pairs: [word for pair in pairs for word in pair])

SORTABLE = [
    request(b"RPUSH", KEYS, some(NUMERIC, 1, 6)),
    request(b"SADD", KEYS, some(NUMERIC, 1, 6)),
    request(b"ZADD", KEYS, PAIRS),
    request(b"RPUSH", KEYS, some(ELEMENTS, 1, 4)),
    request(b"SADD", KEYS, some(ELEMENTS, 1, 4)),
]
SORTS = [
    request(b"SORT", KEYS, joined(ORDER, LIMIT, GET)),
    request(b"SORT", KEYS, st.just(b"ALPHA"), joined(ORDER, LIMIT, GET, STORE)),
    request(b"SORT", KEYS, BY, joined(ORDER, LIMIT, GET, GET, STORE)),
    request(b"sort", KEYS, joined(ORDER, GET, STORE), st.just(b"alpha"), st.just([b"BY", b"h_*->f"]), ORDER),
    request(b"SORT", KEYS, st.just([b"by", b"nosort"]), joined(ORDER, LIMIT, GET), STORE),
    request(b"SORT_RO", KEYS, joined(ORDER, LIMIT, GET, STORE)),
    request(b"SORT_RO", KEYS, BY, joined(ORDER, LIMIT, GET)),
    request(b"SORT", KEYS, ODD_WORDS),
]
AROUND_SORTS = [
    request(b"SET", KEYS, ELEMENTS),
    request(b"DEL", KEYS),
    request(b"EXPIRE", KEYS, st.just(b"1000")),
    *[st.sampled_from(weights(element)) for element in NUMBERS[:4]],
    st.sampled_from([request for element in NUMBERS + WORDS for request in weights(element)]),
]
