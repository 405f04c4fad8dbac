"""SORT and SORT_RO against a real Valkey 9: the same replies, and the same lists stored."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.oracle import Connection, answers, assert_equal
from tests.conformance.sort_requests import AROUND_SORTS, NUMBERS, SORTABLE, SORTS, WORDS, weights
from tests.conformance.subjects import Subject, fake_subject, store_subject

CONVERSATIONS = st.lists(st.sampled_from([*SORTABLE, *SORTS, *AROUND_SORTS]), min_size=1, max_size=5).flatmap(
    lambda chosen: st.lists(st.one_of(*SORTABLE[:3], *SORTS[:6], *chosen), min_size=5, max_size=25)
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


LOOKS = [look for key in (b"a", b"b", b"c") for look in ((b"LRANGE", key, b"0", b"-1"), (b"TTL", key))]


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_equal(request, ours, theirs)


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=250,
)
@given(conversation=CONVERSATIONS)
@example([(b"SADD", b"a", b"3", b"1", b"2"), (b"SORT", b"a", b"BY", b"x", b"DESC", b"STORE", b"a")])
@example([(b"RPUSH", b"a", b"1\x002", b"1"), (b"SORT", b"a"), (b"SORT", b"a", b"DESC")])
@example([(b"RPUSH", b"a", *[b"%d" % (n * 7 % 5) for n in range(20)]), (b"SORT", b"a", b"LIMIT", b"3", b"9")])
def test_sorts_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    ask_both(subject, valkey, *[request for word in NUMBERS[4:] + WORDS[:4] for request in weights(word)])
    for request in conversation:
        if is_open(valkey, request):
            continue
        ask_both(subject, valkey, request, *LOOKS)


def is_open(valkey: Connection, request: tuple[bytes, ...]) -> bool:
    """Elements with equal texts for weights come as they are kept, and who knows how a set keeps them?"""
    is_by_texts = {word.upper() for word in request} >= {b"ALPHA", b"BY"}
    return is_by_texts and valkey(b"TYPE", request[1]) in (b"+set\r\n", b"+zset\r\n")


SPELLINGS = st.one_of(
    st.sampled_from(
        [b"", b"inf", b"-Infinity", b"nan", b"1_0", b"1\0x", b"\0", b"0x1p3", b"1e400", b"1e-400"]
    ),
    st.from_regex(rb"[+-]?[0-9]{0,25}\.?[0-9]{0,5}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


@settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=200,
)
@given(texts=st.lists(SPELLINGS, min_size=1, max_size=3))
def test_the_same_numbers_are_read(valkey: Connection, resp: int, texts: list[bytes]) -> None:
    valkey(b"FLUSHALL")
    subject = fake_subject(resp)
    ask_both(subject, valkey, (b"RPUSH", b"a", *texts, b"12", b"-5"), (b"SORT", b"a"))
