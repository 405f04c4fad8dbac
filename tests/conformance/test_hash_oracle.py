"""The commands on hashes against a real Valkey 9: the same replies, the same fields left behind."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.compare import assert_same
from tests.conformance.draws import assert_same_draw, draws
from tests.conformance.hash_requests import AROUND, HASHES, HSETS
from tests.conformance.oracle import Connection, answers
from tests.conformance.subjects import Subject, fake_subject, store_subject

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=200,
)
CONVERSATIONS = st.lists(st.sampled_from([*HASHES, *AROUND]), min_size=1, max_size=5).flatmap(
    lambda chosen: st.lists(st.one_of(*HSETS, *chosen), min_size=5, max_size=30)
)
FIELDS = (b"FIELDS", b"4", b"f", b"g", b"7", b"absent")


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


LOOKS = [
    look
    for key in (b"a", b"b")
    for look in ((b"HGETALL", key), (b"HPEXPIRETIME", key, *FIELDS), (b"PTTL", key))
]


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    if draws(requests[0]):
        assert_same_draw(subject, valkey, requests[0])
        requests = requests[1:]
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_same(request, ours, theirs)


@ordinary
@given(conversation=CONVERSATIONS)
@example(
    [
        (b"HSET", b"a", b"f", b"v"),
        (b"EXPIRE", b"a", b"1000"),
        (b"HDEL", b"a", b"f"),
        (b"HSET", b"a", b"g", b"v"),
    ]
)
@example(
    [(b"HSET", b"a", b"f", b"1", b"f", b"-0"), (b"HSETEX", b"a", b"FIELDS", b"2", b"g", b"1", b"g", b"-0")]
)
def test_hashes_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, request, *LOOKS)
