"""Requests of the commands on HyperLogLogs, good and bad, on few keys so that they meet."""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some

HEADER = b"HYLL\x01" + bytes(11)
STRINGS_OF_OTHERS = st.sampled_from(
    [
        b"",
        b"text",
        b"HYLL",
        b"HYLL\x02" + bytes(30),
        HEADER,
        HEADER + b"\x7f\xff",
        HEADER + b"\x7f\xfe",
        HEADER + b"\x7f\xff\x00",
        HEADER + b"\x80" * 9 + b"\x7f\xff",
        HEADER + b"\x3f" * 256,
        HEADER + b"\x7f\xfb\x87\x84",
        HEADER + b"\x40\x03\x40\x03\x80\x7f\xf6",
        HEADER + b"\x83" * 2900 + b"\x52\xaf",
        b"HYLL\x01\0\0\0\x07" + bytes(7) + b"\x7f\xff",
        b"HYLL\x01\0\0\0\x07" + bytes(6) + b"\x80\x7f\xff",
        b"HYLL\x00" + bytes(11) + bytes(12288),
        b"HYLL\x00" + bytes(11) + b"\xff" * 12288,
        b"HYLL\x00" + bytes(10) + b"\x80" + b"\x82\x20\x08" * 4096,
        b"HYLL\x00" + bytes(11) + bytes(12287),
    ]
)
ELEMENTS = st.one_of(
    st.integers(0, 30).map(lambda n: b"%d" % n), st.binary(max_size=30), st.sampled_from([b"", b"x" * 1000])
)
MANY = st.tuples(st.integers(0, 9), st.sampled_from([0, 1, 20, 300, 1200, 1500])).map(
    lambda pair: [b"%d:%d" % (pair[0], n) for n in range(pair[1])]
)
PFDEBUG_WORDS = st.sampled_from(
    [b"GETREG", b"DECODE", b"decode", b"ENCODING", b"encoding", b"TODENSE", b"nope", b""]
)

HYPERLOGLOG_REQUESTS = [
    request(b"PFADD", KEYS, some(ELEMENTS, 0, 5)),
    request(b"PFADD", KEYS, MANY),
    request(b"PFCOUNT", KEYS),
    request(b"PFCOUNT", some(KEYS, 0, 3)),
    request(b"PFMERGE", some(KEYS, 0, 3)),
    request(b"PFDEBUG", PFDEBUG_WORDS, KEYS),
    request(b"SET", KEYS, STRINGS_OF_OTHERS),
    request(b"APPEND", KEYS, st.binary(max_size=3)),
]
