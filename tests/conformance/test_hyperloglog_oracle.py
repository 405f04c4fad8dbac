"""PFADD and its kind against a real Valkey 9: the same replies, and the same bytes left behind.

Known difference: Valkey's PFCOUNT writes the cardinality into the header (bytes 8 to 15) of the string, ours
does not. Those bytes are compared in conversations without PFCOUNT only.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request
from tests.conformance.hyperloglog_requests import HYPERLOGLOG_REQUESTS
from tests.conformance.oracle import Connection
from tests.conformance.subjects import Subject, fake_subject, store_subject

PLANT = request(b"PLANT", KEYS)
CONVERSATIONS = st.lists(st.sampled_from([*HYPERLOGLOG_REQUESTS, PLANT]), min_size=1, max_size=4).flatmap(
    lambda chosen: st.lists(
        st.one_of(HYPERLOGLOG_REQUESTS[0], HYPERLOGLOG_REQUESTS[1], *chosen), min_size=5, max_size=20
    )
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


def ask_both(subject: Subject, valkey: Connection, *args: bytes) -> None:
    if args[0] == b"PLANT":
        ask_both(subject, valkey, b"DEL", args[1])
        ask_both(subject, valkey, b"RPUSH", args[1], b"item")
    else:
        assert subject(*args) == valkey(*args), args


def without_cardinality(reply: bytes) -> bytes:
    head, _, value = reply.partition(b"\r\n")
    return head + value[:8] + value[16:] if value.startswith(b"HYLL") else reply


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=50,
)
@given(conversation=CONVERSATIONS)
def test_hyperloglogs_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    keep = without_cardinality if any(line[0] == b"PFCOUNT" for line in conversation) else bytes
    for line in conversation:
        ask_both(subject, valkey, *line)
        for key in (b"a", b"b"):
            assert keep(subject(b"GET", key)) == keep(valkey(b"GET", key)), line


@pytest.mark.parametrize("size", [1, 7, 100])
def test_adding_one_by_one_makes_the_same_bytes(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, size: int
) -> None:
    """As many elements as it takes to become dense, and then some."""
    subject = make_subject(resp)
    for start in range(0, 3000 if size > 1 else 1700, size):
        ask_both(subject, valkey, b"PFADD", b"key", *[b"%d" % (n * n) for n in range(start, start + size)])
        ask_both(subject, valkey, b"GET", b"key")
    ask_both(subject, valkey, b"PFDEBUG", b"ENCODING", b"key")


@pytest.mark.parametrize("size", [0, 1, 10, 1_000, 20_000, 400_000])
def test_estimates_are_the_same(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, size: int
) -> None:
    subject = make_subject(resp)
    elements = [b"%d" % n for n in range(size)]
    for start in range(0, max(size, 1), 10_000):
        valkey(b"PFADD", b"key", *elements[start : start + 10_000])
    subject(b"SET", b"key", valkey(b"GET", b"key").partition(b"\r\n")[2][:-2])
    ask_both(subject, valkey, b"PFCOUNT", b"key")
    ask_both(subject, valkey, b"PFCOUNT", b"key", b"absent")
