"""Requests of DUMP and RESTORE, good and bad, on few keys so that they meet."""

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, words
from tests.unit.commands.payloads import PAYLOADS, STREAMS

GOOD = [bytes.fromhex(payload) for name, _, payload, _ in PAYLOADS if "7.4" not in name]
GOOD += [bytes.fromhex(payload) for payload in STREAMS.values()]
"""What Valkey reads too: it refuses the payloads of later Redis."""
BAD = [b"", b"x", GOOD[0][:-1], GOOD[1][:-1] + b"\0", GOOD[2][1:], GOOD[3] + b"\0"]
TTLS = st.sampled_from([b"0", b"0", b"100000", b"4102444800000", b"-1", b"x"])
OPTIONS = words(b"REPLACE", b"replace", b"ABSTTL", b"IDLETIME", b"5", b"FREQ", b"x", most=3)

DUMPS = [
    request(b"RESTORE", KEYS, TTLS, st.sampled_from(GOOD), st.just(b"REPLACE")),
    request(b"RESTORE", KEYS, TTLS, st.sampled_from(GOOD), OPTIONS),
    request(b"RESTORE", KEYS, TTLS, st.sampled_from(BAD), OPTIONS),
    request(b"RESTORE-ASKING", KEYS, TTLS, st.sampled_from(GOOD), words(b"REPLACE")),
    request(b"DUMP", KEYS),
]
