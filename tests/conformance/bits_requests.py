"""Requests of the commands on bits and on HyperLogLogs, good and bad, on few keys so that they meet."""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words

STRINGS_OF_BITS = st.sampled_from(
    [b"", b"\x00", b"\xff", b"foobar", b"\x00" * 20 + b"\x08", b"\xff" * 33, b"12345", b"\xf0\x0f" * 40]
) | st.binary(max_size=40)
PLACES = st.integers(0, 130).map(lambda n: b"%d" % n)
ODD_PLACES = st.sampled_from(
    [b"-1", b"x", b"", b"#3", b"01", b"4294967296", b"9223372036854775807", b"1000", b"-5", b"3.0"]
)
OFFSETS = PLACES | ODD_PLACES
INDEXES = st.integers(-170, 170).map(lambda n: b"%d" % n) | st.sampled_from(
    [b"0", b"-1", b"x", b"", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808"]
)
BITS = st.sampled_from([b"0", b"1", b"0", b"1", b"0", b"1", b"2", b"-1", b"x", b"00"])
UNITS = words(b"BIT", b"byte", b"Bit", b"bits", b"")
RANGES = st.one_of(
    st.just([]),
    some(INDEXES, 1, 2),
    st.tuples(INDEXES, INDEXES, st.sampled_from([b"BIT", b"byte", b"bit", b"BYTE", b"x"])).map(list),
    some(INDEXES, 3, 4),
)
TYPES = st.integers(1, 64).flatmap(
    lambda n: st.sampled_from([b"u%d" % min(n, 63), b"i%d" % n])
) | st.sampled_from([b"u64", b"i65", b"u0", b"i0", b"U8", b"x8", b"u", b"", b"u08", b"i-1"])
FIELD_OFFSETS = st.one_of(
    PLACES,
    st.integers(0, 20).map(lambda n: b"#%d" % n),
    st.sampled_from([b"#-1", b"-1", b"#", b"#x", b"#4294967295", b"", b"##1", b"4294967296"]),
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-300, 300),
    st.sampled_from([2**63, -(2**63) - 1, 2**62, 2**63 - 1, -(2**63), 2**31]),
).map(lambda n: b"%d" % n)
GETS = st.tuples(st.sampled_from([b"GET", b"get"]), TYPES, FIELD_OFFSETS).map(list)
WRITES = st.tuples(
    st.sampled_from([b"SET", b"INCRBY", b"incrby"]), TYPES, FIELD_OFFSETS, NUMBERS | st.just(b"x")
).map(list)
OVERFLOWS = st.tuples(st.just(b"OVERFLOW"), st.sampled_from([b"WRAP", b"sat", b"FAIL", b"fail", b"no"])).map(
    list
)
CUT = st.sampled_from([[b"GET"], [b"GET", b"u8"], [b"SET", b"u8", b"0"], [b"OVERFLOW"], [b"nope"]])
GOOD_TYPES = st.integers(1, 64).flatmap(lambda n: st.sampled_from([b"u%d" % min(n, 63), b"i%d" % n]))
GOOD_WRITES = st.tuples(
    st.sampled_from([b"SET", b"INCRBY", b"INCRBY"]),
    GOOD_TYPES,
    PLACES | st.integers(0, 9).map(lambda n: b"#%d" % n),
    NUMBERS.filter(lambda n: abs(int(n)) < 2**63),
).map(list)
GOOD_GETS = st.tuples(st.just(b"GET"), GOOD_TYPES, PLACES).map(list)
GOOD_OVERFLOWS = st.sampled_from([b"WRAP", b"SAT", b"FAIL"]).map(lambda how: [b"OVERFLOW", how])


def flat(strategy: st.SearchStrategy[list[list[bytes]]]) -> st.SearchStrategy[list[bytes]]:
    return strategy.map(lambda drawn: [word for words in drawn for word in words])


BIT_REQUESTS = [
    request(b"SET", KEYS, STRINGS_OF_BITS),
    request(b"SETBIT", KEYS, PLACES, BITS),
    request(b"SETBIT", KEYS, ODD_PLACES, BITS),
    request(b"GETBIT", KEYS, OFFSETS),
    request(b"BITCOUNT", KEYS, RANGES),
    request(b"BITPOS", KEYS, BITS, RANGES),
    request(b"BITFIELD", KEYS, flat(some(st.one_of(GOOD_GETS, GOOD_WRITES, GOOD_OVERFLOWS), 0, 6))),
    request(b"BITFIELD", KEYS, flat(some(st.one_of(GETS, WRITES, OVERFLOWS, CUT), 0, 4))),
    request(b"BITFIELD_RO", KEYS, flat(some(st.one_of(GOOD_GETS, GETS), 0, 4))),
    request(b"BITFIELD_RO", KEYS, flat(some(st.one_of(GETS, WRITES, OVERFLOWS, CUT), 0, 3))),
    request(
        b"BITOP", st.sampled_from([b"AND", b"OR", b"XOR", b"NOT", b"and", b"x", b""]), KEYS, some(KEYS, 0, 4)
    ),
    request(b"BITOP", st.just(b"NOT"), KEYS, KEYS),
]
