"""The commands on positions against a real Valkey 9: the same replies to the last digit.

Not compared, since Valkey's answer is an accident: the distance of opposite points, which it may take for no
number, and that of members whose scores are none of GEOADD's and beyond 64 bits.
"""

import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conformance.geo_requests import AROUND_GEO, GEO, GEOADDS
from tests.conformance.oracle import Connection, answers, assert_equal
from tests.conformance.subjects import Subject, fake_subject, store_subject

ordinary = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=100,
)
CONVERSATIONS = st.lists(st.sampled_from([*GEO, *GEO, *AROUND_GEO]), min_size=1, max_size=5).flatmap(
    lambda chosen: st.lists(st.one_of(*GEOADDS, *chosen), min_size=5, max_size=30)
)


@pytest.fixture(params=[fake_subject, store_subject])
def make_subject(request: pytest.FixtureRequest) -> Callable[[int], Subject]:
    factory: Callable[[int], Subject] = request.param
    return factory


LOOKS = [
    look for key in (b"a", b"b") for look in ((b"ZRANGE", key, b"0", b"-1"), (b"GEOPOS", key, b"p", b"q"))
]


def ask_both(subject: Subject, valkey: Connection, *requests: tuple[bytes, ...]) -> None:
    for request, ours, theirs in answers(subject, valkey, requests):
        assert_equal(request, ours, theirs)


@ordinary
@given(conversation=CONVERSATIONS)
@example([(b"GEOADD", b"a", b"180", b"85.05112878", b"p"), (b"GEOHASH", b"a", b"p"), (b"GEOPOS", b"a", b"p")])
def test_positions_get_the_same_replies(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    conversation: list[tuple[bytes, ...]],
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for request in conversation:
        ask_both(subject, valkey, request, *LOOKS)


POSITIONS = st.tuples(st.floats(-180, 180), st.floats(-85.05, 85.05))
CLOSE = st.tuples(st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))


@settings(ordinary, max_examples=150)
@given(
    middle=POSITIONS,
    offsets=st.lists(st.one_of(CLOSE, POSITIONS), min_size=1, max_size=6),
    m=st.floats(0, 2e7),
)
@example((180.0, 0.0), [(0.0, 0.0), (-0.001, 0.0)], 1000.0)
@example((-73.9, 85.0), [(0.0, 0.0), (90.0, 0.0), (179.0, 0.0)], 2e6)
def test_searches_find_the_same_in_the_same_order(
    make_subject: Callable[[int], Subject],
    valkey: Connection,
    resp: int,
    middle: tuple[float, float],
    offsets: list[tuple[float, float]],
    m: float,
) -> None:
    valkey(b"FLUSHALL")
    subject = make_subject(resp)
    for at, (east, north) in enumerate(offsets):
        longitude = math.fmod(middle[0] + east + 540, 360) - 180
        latitude = max(min(middle[1] + north, 85.05), -85.05)
        position = (b"%r" % longitude, b"%r" % latitude)
        ask_both(subject, valkey, (b"GEOADD", b"a", *position, b"%d" % at))
    origin = (b"GEOSEARCH", b"a", b"FROMLONLAT", b"%r" % middle[0], b"%r" % middle[1])
    everything = (b"WITHDIST", b"WITHCOORD", b"WITHHASH")
    for size in (m, m / 1000, m / 1e6):
        width, height = b"%r" % size, b"%r" % (size / 3)
        ask_both(subject, valkey, (*origin, b"BYRADIUS", width, b"m", *everything))
        ask_both(subject, valkey, (*origin, b"BYBOX", width, height, b"ft", *everything))
        ask_both(subject, valkey, (*origin, b"BYRADIUS", width, b"mi", b"DESC", *everything))
