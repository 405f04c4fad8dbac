"""The commands on lists against a real Valkey 9: the same replies, the same lists and deadlines left behind.

A blocking command that would wait answers BLOCKED here, and after its timeout a null array there.
"""

from collections.abc import Callable

import hiredis
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.list_requests import AROUND_LISTS, BLOCKING_LISTS, LISTS, PUSHES, SEARCHES
from tests.conformance.oracle import SENTINEL, Connection, answers, assert_equal
from tests.conformance.subjects import Subject, fake_subject, store_subject
from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.protocol.replies import NULL_ARRAY

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=250,
)
CONVERSATIONS = st.lists(
    st.sampled_from([*LISTS, *BLOCKING_LISTS, *AROUND_LISTS]), min_size=1, max_size=8
).flatmap(lambda chosen: st.lists(st.one_of(*PUSHES[:2], *chosen), min_size=5, max_size=30))


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


LOOKS = [
    look for key in (b"a", b"b") for look in ((b"LRANGE", key, b"0", b"-1"), (b"TYPE", key), (b"TTL", key))
]


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_equal(request, NULL_ARRAY[subject.ks.resp] if ours == BLOCKED else ours, theirs)


@ordinary
@given(conversation=CONVERSATIONS)
@example([(b"RPUSH", b"a", b"x"), (b"EXPIRE", b"a", b"1000"), (b"LMOVE", b"a", b"a", b"LEFT", b"RIGHT")])
@example([(b"RPUSH", b"a", b"x", b"y"), (b"EXPIRE", b"a", b"1000"), (b"RPOPLPUSH", b"a", b"a")])
@example([(b"SET", b"a", b"x"), (b"RPUSH", b"b", b"x"), (b"RPOPLPUSH", b"b", b"a"), (b"LPOP", b"b")])
@example([(b"RPUSH", b"a", b"x"), (b"EXPIRE", b"a", b"1000"), (b"LPOP", b"a"), (b"RPUSH", b"a", b"x")])
def test_lists_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, request, *LOOKS)


@ordinary
@given(
    elements=st.lists(st.sampled_from([b"a", b"b", b""]), min_size=1, max_size=12),
    requests=st.lists(st.one_of(SEARCHES), min_size=3, max_size=8),
)
def test_searches_find_the_same_places(
    valkey: Connection, resp: int, elements: list[bytes], requests: list[tuple[bytes, ...]]
) -> None:
    valkey(b"FLUSHALL")
    subject = fake_subject(resp)
    pushes = [(b"RPUSH", key, *elements) for key in (b"a", b"b")]
    ask_both(subject, valkey, *pushes, *requests, *LOOKS)


def executed(valkey: Connection, request: tuple[bytes, ...]) -> bytes:
    """The raw reply to a request in a transaction of its own."""
    requests = [(b"MULTI",), request, (b"EXEC",), (b"ECHO", b"--done--")]
    valkey.wire.sendall(b"".join([hiredis.pack_command(args) for args in requests]))  # type: ignore[arg-type]
    said = b""
    while not said.endswith(SENTINEL):
        said += valkey.wire.recv(1 << 20)
    return said.removeprefix(b"+OK\r\n+QUEUED\r\n*1\r\n").removesuffix(SENTINEL)


@ordinary
@given(
    pushes=st.lists(PUSHES[0], max_size=2),
    requests=st.lists(st.one_of(BLOCKING_LISTS), min_size=1, max_size=5),
)
def test_nobody_waits_in_a_transaction(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    pushes: list[tuple[bytes, ...]],
    requests: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    subject.ks.may_block = False
    ask_both(subject, valkey, *pushes)
    for request in requests:
        assert_equal(request, subject(*request), executed(valkey, request))
    ask_both(subject, valkey, *LOOKS)
