"""SETBIT and its kind against a real Valkey 9: the same replies, and the same strings left behind."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.bits_requests import BIT_REQUESTS
from tests.conformance.conversations import KEYS, request
from tests.conformance.oracle import Connection, answers
from tests.conformance.subjects import Subject, fake_subject, store_subject

PLANT = request(b"PLANT", KEYS)
CONVERSATIONS = st.lists(st.sampled_from([*BIT_REQUESTS, PLANT]), min_size=1, max_size=4).flatmap(
    lambda chosen: st.lists(st.one_of(BIT_REQUESTS[0], BIT_REQUESTS[1], *chosen), min_size=5, max_size=30)
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


LOOKS = [look for key in (b"a", b"b") for look in ((b"GET", key), (b"TTL", key))]


def ask_and_look(subject: Subject, valkey: Connection, request: tuple[bytes, ...]) -> None:
    requests = [request]
    if request[0] == b"PLANT":
        requests = [(b"DEL", request[1]), (b"RPUSH", request[1], b"item")]
    for asked, ours, theirs in answers(subject, valkey, requests + LOOKS):
        assert ours == theirs, asked


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=300,
)
@given(conversation=CONVERSATIONS)
@example([(b"BITFIELD", b"a", b"OVERFLOW", b"FAIL", b"INCRBY", b"u1", b"100", b"5"), (b"EXISTS", b"a")])
@example([(b"SET", b"a", b""), (b"BITPOS", b"a", b"0"), (b"BITPOS", b"a", b"1"), (b"BITCOUNT", b"a")])
@example([(b"SET", b"a", b"\xff"), (b"BITPOS", b"a", b"0"), (b"BITPOS", b"a", b"0", b"0", b"-1")])
@example([(b"SET", b"a", b"ab"), (b"EXPIRE", b"a", b"1000"), (b"BITOP", b"NOT", b"a", b"a")])
def test_bits_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for line in conversation:
        ask_and_look(subject, valkey, line)
