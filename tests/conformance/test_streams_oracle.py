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
from tests.conformance.oracle import Connection, answers
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


LOOKS = [
    look
    for key in (b"a", b"b")
    for look in ((b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"), (b"XINFO", b"GROUPS", key))
]


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_same(request, NULL_ARRAY[subject.ks.resp] if ours == BLOCKED else ours, theirs)


def ask_and_look(subject: Subject, valkey: Connection, request: tuple[bytes, ...]) -> None:
    if request[0] != b"PLANT":
        ask_both(subject, valkey, request, *LOOKS)
        return
    if subject.plant is not None:
        subject.plant(request[1], "list")
        valkey.pipeline([(b"DEL", request[1]), (b"RPUSH", request[1], b"item")])
    ask_both(subject, valkey, *LOOKS)


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
        ask_and_look(subject, valkey, request)


@pytest.mark.parametrize("seed", range(6))
def test_storms_get_the_same_replies(
    make_subject: Callable[[int], Subject], valkey: Connection, resp: int, seed: int
) -> None:
    subject = make_subject(resp)
    for request in storm(Random(seed), 400):
        ask_and_look(subject, valkey, request)


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
    how = trimming.split()
    adds = [(b"XADD", b"a", b"%d" % number, b"field", b"%d" % number) for number in range(1, 451)]
    ask_both(subject, valkey, *adds, *[(b"XTRIM", b"a", *how)] * 3)
    for number in range(451, 700):
        ask_both(subject, valkey, (b"XADD", b"a", *how, b"%d" % number, b"field", b"v"), (b"XLEN", b"a"))
