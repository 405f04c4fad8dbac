"""PFADD and its kind against a real Valkey 9: the same replies, and the same bytes left behind.

Known differences: Valkey's PFCOUNT writes the cardinality into the header of the string, ours does not; here
the header is put back after it. When Valkey finds that a string is damaged it may have raised some registers,
ours is as it was; here the key is deleted then.
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


def put_cardinality_back(subject: Subject, valkey: Connection, key: bytes) -> None:
    value = subject(b"GET", key).partition(b"\r\n")[2][:-2]
    if value.startswith(b"HYLL") and len(value) >= 16:
        valkey(b"SETRANGE", key, b"8", value[8:16])


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
    for line in conversation:
        ask_both(subject, valkey, *line)
        if line[0] == b"PFADD" and subject(*line).startswith(b"-INVALIDOBJ"):
            ask_both(subject, valkey, b"DEL", line[1])
        for key in (b"a", b"b"):
            if line[0] == b"PFCOUNT":
                put_cardinality_back(subject, valkey, key)
            ask_both(subject, valkey, b"GET", key)


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
