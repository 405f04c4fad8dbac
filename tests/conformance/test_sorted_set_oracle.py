"""The commands on sorted sets against a real Valkey 9: the same replies, the same sets and deadlines left.

A blocking command that would wait answers BLOCKED here, and after its timeout a null array there. Of scores
with many digits Valkey prints one more than needed in one of a thousand: of those the value is compared.
"""

import math
from collections.abc import Callable

import hiredis
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.compare import assert_same
from tests.conformance.draws import assert_same_draw, draws
from tests.conformance.oracle import SENTINEL, Connection, answers, assert_equal
from tests.conformance.shape import trees
from tests.conformance.sorted_set_requests import (
    ADDS,
    AROUND_SORTED_SETS,
    BLOCKING_SORTED_SETS,
    LEX_ADDS,
    LEXICAL,
    SORTED_SETS,
)
from tests.conformance.subjects import Subject, fake_subject, store_subject
from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.commands.scores import bound, text_of
from trio_dynomite.protocol.replies import NULL_ARRAY

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=120,
)
CONVERSATIONS = st.lists(
    st.sampled_from([*SORTED_SETS, *SORTED_SETS, *BLOCKING_SORTED_SETS, *AROUND_SORTED_SETS]),
    min_size=1,
    max_size=5,
).flatmap(lambda chosen: st.lists(st.one_of(*ADDS, *chosen), min_size=5, max_size=30))
LEXICAL_CONVERSATIONS = st.lists(st.sampled_from(LEXICAL), min_size=1, max_size=4).flatmap(
    lambda chosen: st.lists(st.one_of(*LEX_ADDS, *chosen), min_size=5, max_size=25)
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    if draws(requests[0]):
        assert_same_draw(subject, valkey, requests[0])
        requests = requests[1:]
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_same(request, NULL_ARRAY[subject.ks.resp] if ours == BLOCKED else ours, theirs)


def looks(*keys: bytes) -> list[tuple[bytes, ...]]:
    """What shows all that there is."""
    return [
        look
        for key in keys
        for look in ((b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"), (b"TYPE", key), (b"TTL", key))
    ]


@ordinary
@given(conversation=CONVERSATIONS)
@example(
    [(b"ZADD", b"a", b"1", b"x", b"2", b"x"), (b"ZADD", b"a", b"CH", b"2", b"x", b"1", b"x", b"1", b"x")]
)
@example([(b"ZADD", b"a", b"inf", b"x"), (b"ZADD", b"a", b"GT", b"INCR", b"-inf", b"x")])
@example([(b"ZADD", b"a", b"inf", b"x"), (b"ZADD", b"b", b"-inf", b"x"), (b"ZUNION", b"2", b"a", b"b")])
@example([(b"ZADD", b"a", b"0", b"x"), (b"ZUNION", b"1", b"a", b"WEIGHTS", b"-1", b"WITHSCORES")])
@example(
    [
        (b"ZADD", b"a", b"0", b"x"),
        (b"ZADD", b"b", b"inf", b"x"),
        (b"ZINTER", b"2", b"a", b"b", b"WEIGHTS", b"inf", b"0", b"AGGREGATE", b"MIN", b"WITHSCORES"),
    ]
)
@example([(b"ZADD", b"a", b"1", b"x"), (b"EXPIRE", b"a", b"100"), (b"ZRANGESTORE", b"a", b"a", b"0", b"-1")])
def test_sorted_sets_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, request, *looks(b"a", b"b"))


@ordinary
@given(conversation=LEXICAL_CONVERSATIONS)
def test_ranges_by_member_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, request, *looks(b"l", b"m"))


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
    adds=st.lists(ADDS[0], max_size=2),
    requests=st.lists(st.one_of(BLOCKING_SORTED_SETS), min_size=1, max_size=5),
)
def test_nobody_waits_in_a_transaction(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    adds: list[tuple[bytes, ...]],
    requests: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    subject.ks.may_block = False
    for request in adds:
        ask_both(subject, valkey, request)
    for request in requests:
        assert_equal(request, subject(*request), executed(valkey, request))
    ask_both(subject, valkey, *looks(b"a", b"b"))


SPELLINGS = st.one_of(
    st.floats(allow_nan=True).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str),
    st.integers(-(2**65), 2**65).map(str),
    st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.text("0123456789.eExX+-infa _\0", max_size=8),
)


@settings(ordinary, max_examples=500)
@given(text=SPELLINGS)
@example("2.4e-324")
@example("2.5e-324")
@example("1.7976931348623158e308")
@example("1.7976931348623159e308")
@example("0e999999999999")
@example("1e999999999999")
@example("4611686018427387904")
@example("4611686018427388928")
def test_scores_are_read_as_valkey_reads_them(valkey: Connection, resp: int, text: str) -> None:
    valkey(b"FLUSHALL")
    subject = fake_subject(resp)
    number = text.encode()
    adds = [(b"ZADD", b"a", b"0", b"zero"), (b"ZADD", b"a", number, b"x")]
    ask_both(subject, valkey, adds[0], (b"ZCOUNT", b"a", b"(" + number, b"inf"), adds[1])
    request = (b"ZSCORE", b"a", b"x")
    [ours], [theirs] = trees(subject(*request)), trees(valkey(*request))
    assert (ours[0], bound(ours[1])) == (theirs[0], bound(theirs[1]))


@settings(ordinary, max_examples=500)
@given(
    number=st.one_of(
        st.floats(-1e9, 1e9), st.floats(allow_nan=False), st.decimals(-1000, 1000, places=4).map(float)
    )
)
@example(863770.25)
@example(1e-5)
@example(1.2345678e-6)
@example(123456.1234567)
@example(-1.5e22)
def test_scores_are_printed_as_valkey_prints_them(valkey: Connection, resp: int, number: float) -> None:
    """As many digits, or one fewer; and in any case the same number."""
    valkey(b"FLUSHALL")
    valkey(b"ZADD", b"a", repr(number).encode(), b"x")
    [(_, theirs)] = trees(valkey(b"ZSCORE", b"a", b"x"))
    ours = text_of(number + 0.0)
    assert float(ours) == number
    assert math.isinf(number) or ours == theirs or len(ours) <= len(theirs)
