"""The commands on hashes against a real Valkey 9: the same replies, the same fields left behind."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.draws import EVERYTHING, assert_same_draw
from tests.conformance.hash_requests import AROUND, HASHES, HSETS
from tests.conformance.oracle import Connection, assert_equal
from tests.conformance.shape import Tree, in_order
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
TOLERANCE = {b"HTTL": 2, b"HEXPIRETIME": 2, b"HPTTL": 2000, b"HPEXPIRETIME": 2000}
FIELDS = (b"FIELDS", b"4", b"f", b"g", b"7", b"absent")


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


def ask_both(subject: Subject, valkey: Connection, request: tuple[bytes, ...]) -> None:
    name = request[0].upper()
    if name in EVERYTHING:
        assert_same_draw(subject, valkey, request)
        return
    ours, theirs = subject(*request), valkey(*request)
    if name in TOLERANCE and ours[:1] == theirs[:1] == b"*":
        assert_same_times(in_order(request, ours), in_order(request, theirs), TOLERANCE[name])
    elif ours[:1] in b"*%" and theirs[:1] in b"*%":
        assert in_order(request, ours) == in_order(request, theirs), request
    else:
        assert_equal(request, ours, theirs)


def assert_same_times(ours: Tree, theirs: Tree, tolerance: int) -> None:
    for (_, mine), (_, his) in zip(ours[1], theirs[1], strict=True):
        assert abs(int(mine) - int(his)) <= (tolerance if int(his) > 0 else 0)


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
        ask_both(subject, valkey, request)
        for key in (b"a", b"b"):
            ask_both(subject, valkey, (b"HGETALL", key))
            ask_both(subject, valkey, (b"HPEXPIRETIME", key, *FIELDS))
            ask_both(subject, valkey, (b"PTTL", key))
