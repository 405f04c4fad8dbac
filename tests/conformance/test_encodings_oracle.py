"""OBJECT ENCODING against a real Valkey 9: the same name of the form, of values that were written just so."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.oracle import Connection
from tests.conformance.subjects import Subject, fake_subject

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=150,
)
TEXTS = st.one_of(
    st.integers(-(2**70), 2**70).map(lambda n: b"%d" % (n >> abs(n) % 71)),
    st.integers(-(2**15), 2**15).map(lambda n: b"%d" % n),
    st.sampled_from([1, 10, 63, 64, 100, 1000, 4095, 4096]).map(lambda size: b"x" * size),
)


def assert_same(valkey: Connection, subject: Subject, *requests: tuple[bytes, ...]) -> None:
    for request in requests:
        assert subject(*request) == valkey(*request), request[:2]
    asked = (b"OBJECT", b"ENCODING", requests[-1][1])
    assert subject(*asked) == valkey(*asked), [request[:3] for request in requests]


@ordinary
@given(key=st.integers(1, 140), value=st.integers(0, 140), expires=st.booleans())
def test_strings(valkey: Connection, resp: int, key: int, value: int, expires: bool) -> None:
    valkey(b"FLUSHALL")
    lifetime = (b"EX", b"1000") if expires else ()
    assert_same(valkey, fake_subject(resp), (b"SET", b"k" * key, b"v" * value, *lifetime))


@ordinary
@given(first=st.lists(TEXTS, min_size=1, max_size=400), last=st.integers(0, 8300))
def test_lists(valkey: Connection, resp: int, first: list[bytes], last: int) -> None:
    valkey(b"FLUSHALL")
    assert_same(
        valkey,
        fake_subject(resp),
        *[(b"RPUSH", b"key", element) for element in first],
        (b"RPUSH", b"key", b"y" * last),
    )


@pytest.mark.parametrize("count", [1, 128, 129, 512, 513])
@pytest.mark.parametrize("width", [1, 2, 64, 65])
@pytest.mark.parametrize("name", [b"SADD", b"ZADD", b"HSET"])
def test_collections(valkey: Connection, resp: int, name: bytes, width: int, count: int) -> None:
    valkey(b"FLUSHALL")
    elements = [b"%0*d" % (width, n) for n in range(count)]
    pairs = {b"SADD": (b"%b",), b"ZADD": (b"1", b"%b"), b"HSET": (b"%b", b"v")}[name]
    words = [word % element if b"%b" in word else word for element in elements for word in pairs]
    assert_same(valkey, fake_subject(resp), (name, b"key", *words))


def test_a_hash_with_an_expiring_field(valkey: Connection, resp: int) -> None:
    expire = (b"HEXPIRE", b"key", b"1000", b"FIELDS", b"1", b"f")
    subject = fake_subject(resp)
    subject(b"HSET", b"key", b"f", b"v")
    valkey(b"HSET", b"key", b"f", b"v")
    assert subject(*expire) == valkey(*expire)
    assert subject(b"OBJECT", b"ENCODING", b"key") == valkey(b"OBJECT", b"ENCODING", b"key")
