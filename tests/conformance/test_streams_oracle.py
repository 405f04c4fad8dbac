"""The stream commands against a real Valkey 9: the same replies, and the same streams left behind.

After every request both sides tell all they know of both streams (XINFO STREAM FULL). Times may differ by
what passes between the two servers, and nothing else. Valkey's trimming with `~` depends on the nodes of its
tree; the streams of the conversations stay within one node, and `test_trimming_by_nodes` fills several.
"""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.compare import assert_same
from tests.conformance.oracle import Connection
from tests.conformance.stream_requests import ADD, CREATE, FAR, PREPARED, READ_NEW, STREAMS, storm
from tests.conformance.subjects import Subject, fake_subject, store_subject
from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.protocol.replies import NULL_ARRAY

CONVERSATIONS = st.lists(st.sampled_from(STREAMS), min_size=3, max_size=9).flatmap(
    lambda chosen: st.tuples(
        st.sampled_from([[], PREPARED, PREPARED]),
        st.lists(st.one_of(ADD, CREATE, READ_NEW, *chosen), min_size=15, max_size=40),
    ).map(lambda parts: parts[0] + parts[1])
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


def ask_both(subject: Subject, valkey: Connection, *args: bytes) -> None:
    if args[0] == b"PLANT":
        if subject.plant is not None:
            subject.plant(args[1], "list")
            valkey(b"DEL", args[1])
            valkey(b"RPUSH", args[1], b"item")
        return
    ours, theirs = subject(*args), valkey(*args)
    if ours == BLOCKED:
        ours = NULL_ARRAY[subject.ks.resp]
    assert_same(args, ours, theirs)


def tell_all(subject: Subject, valkey: Connection) -> None:
    for key in (b"a", b"b"):
        ask_both(subject, valkey, b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0")
        ask_both(subject, valkey, b"XINFO", b"GROUPS", key)


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=100,
)
@given(conversation=CONVERSATIONS)
@example(
    [(b"XADD", b"a", FAR, b"f", b"v"), (b"XADD", b"a", b"*", b"f", b"v"), (b"XADD", b"a", b"5-*", b"f", b"")]
)
def test_streams_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, *request)
        tell_all(subject, valkey)


@pytest.mark.parametrize("seed", range(6))
def test_storms_get_the_same_replies(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, seed: int
) -> None:
    subject = make_subject(resp)
    for request in storm(Random(seed), 400):
        ask_both(subject, valkey, *request)
        tell_all(subject, valkey)


@pytest.mark.parametrize(
    "trimming",
    [
        b"MAXLEN ~ 250",
        b"MAXLEN ~ 0",
        b"MAXLEN 250",
        b"MAXLEN ~ 0 LIMIT 150",
        b"MAXLEN ~ 0 LIMIT 99",
        b"MINID ~ 250",
        b"MINID ~ 250 LIMIT 100",
        b"MINID ~ 301-0",
        b"MINID = 250",
        b"MINID ~ 1000",
    ],
)
def test_trimming_by_nodes(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, trimming: bytes
) -> None:
    subject = make_subject(resp)
    for number in range(1, 451):
        ask_both(subject, valkey, b"XADD", b"a", b"%d" % number, b"field", b"%d" % number)
    for _ in range(3):
        ask_both(subject, valkey, b"XTRIM", b"a", *trimming.split())
    for number in range(451, 700):
        ask_both(subject, valkey, b"XADD", b"a", *trimming.split(), b"%d" % number, b"field", b"v")
        ask_both(subject, valkey, b"XLEN", b"a")
