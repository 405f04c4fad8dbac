"""Requests of the commands on sets, good and bad, on few keys and members so that they meet."""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words
from tests.conformance.hash_requests import CURSORS, DRAWS

MEMBERS = st.sampled_from(
    [b"x", b"y", b"z", b"x", b"y", b"1", b"2", b"-7", b"01", b"", b"\x00\r\n", b"ab" * 60]
)
COUNTS = st.sampled_from([b"0", b"1", b"2", b"5", b"-1", b"x", b"", b"9223372036854775808"])
NUMKEYS = st.sampled_from([b"1", b"2", b"2", b"2", b"3", b"0", b"-1", b"x", b"9223372036854775807"])
LIMITS = st.one_of(
    st.just([]),
    st.sampled_from([b"0", b"1", b"2", b"9", b"-1", b"x"]).map(lambda limit: [b"LIMIT", limit]),
    words(b"LIMIT", b"limit", b"1", b"2", b"foo", most=4),
)
SCAN_OPTIONS = st.one_of(
    st.just([]),
    st.sampled_from([b"*", b"x", b"[xy]", b"?", b"*b"]).map(lambda glob: [b"MATCH", glob]),
    words(b"COUNT", b"count", b"1", b"100", b"0", b"x", b"MATCH", b"y", b"NOVALUES", b"foo", most=4),
)

SADDS = [request(b"SADD", KEYS, some(MEMBERS, 1, 5)), request(b"sadd", KEYS, some(MEMBERS, 1, 5))]
SETS = [
    *SADDS,
    *[request(name, KEYS, some(MEMBERS, 0, 3)) for name in (b"SADD", b"SREM", b"SMISMEMBER", b"SISMEMBER")],
    *[request(name, KEYS, MEMBERS) for name in (b"SISMEMBER", b"SREM")],
    *[request(name, KEYS) for name in (b"SMEMBERS", b"SCARD", b"SPOP", b"SRANDMEMBER")],
    request(b"SPOP", KEYS, some(COUNTS, 1, 2)),
    request(b"SRANDMEMBER", KEYS, DRAWS, some(COUNTS, 0, 1)),
    request(b"SMOVE", KEYS, KEYS, MEMBERS),
    request(b"SSCAN", KEYS, CURSORS, SCAN_OPTIONS),
    *[request(name, some(KEYS, 0, 3)) for name in (b"SINTER", b"SUNION", b"SDIFF")],
    *[request(name, some(KEYS, 1, 3)) for name in (b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE")],
    request(b"SINTERCARD", NUMKEYS, some(KEYS, 1, 3), LIMITS),
    request(b"SINTERCARD", st.just(b"2"), KEYS, KEYS, LIMITS),
]
