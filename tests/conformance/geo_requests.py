"""Requests of the commands on positions, good and bad, on few keys and members so that they meet.

There are at most six members: Redis sorts so few stably, so that equal distances can be compared.
"""

from typing import Any

from hypothesis import strategies as st

from tests.conformance.conversations import KEYS, request, some, words

MEMBERS = st.sampled_from([b"p", b"q", b"r", b"s", b"", b"\x00\xff"])
NAMES = st.one_of(MEMBERS, MEMBERS, MEMBERS, st.just(b"absent"))
LONGITUDES = [b"13.361389", b"15.087269", b"0", b"-0", b"179.999", b"-180", b"180", b"2.5e1", b"-73.9"]
LATITUDES = [b"38.115556", b"37.502669", b"0", b"85.05112878", b"-85.05112878", b"66.5", b"-80.2", b"40.7"]
WRONG = [b"181", b"-181", b"inf", b"x", b"", b"nan", b"91", b"0x1"]
COORDINATES = st.one_of(
    st.tuples(st.sampled_from(LONGITUDES), st.sampled_from(LATITUDES)).map(list),
    st.tuples(st.floats(-180, 180), st.floats(-85, 85)).map(lambda both: [b"%r" % x for x in both]),
    st.tuples(st.floats(13, 16), st.floats(36, 39)).map(lambda both: [b"%.4f" % x for x in both]),
    st.tuples(st.floats(13, 16), st.floats(36, 39)).map(lambda both: [b"%.4f" % x for x in both]),
)
ANY_COORDINATES = st.one_of(
    COORDINATES,
    COORDINATES,
    COORDINATES,
    COORDINATES,
    st.tuples(st.sampled_from([*LONGITUDES, *WRONG]), st.sampled_from([*LATITUDES, *WRONG])).map(list),
)
UNITS = st.sampled_from([b"m", b"km", b"ft", b"mi", b"KM", b"km", b"km", b"yd"])
SIZES = st.one_of(
    st.sampled_from([b"0", b"1", b"50", b"100", b"200", b"300", b"1000", b"5000", b"10000", b"25000"]),
    st.floats(0, 500).map(lambda size: b"%r" % size),
    st.sampled_from([b"1e-9", b"1e300", b"inf", b"-1", b"x", b"nan"]),
)
COUNT = st.one_of(
    st.sampled_from([b"1", b"2", b"4", b"100", b"0", b"-1", b"x"]).map(lambda count: [b"COUNT", count]),
    st.sampled_from([b"1", b"3"]).map(lambda count: [b"COUNT", count, b"ANY"]),
)
WITH = words(b"WITHDIST", b"WITHCOORD", b"WITHHASH", b"withdist", most=3)
ORDER = st.sampled_from([[], [b"ASC"], [b"desc"]])
ANSWER = st.one_of(
    st.tuples(WITH, ORDER, st.one_of(st.just([]), COUNT)).map(
        lambda parts: [x for part in parts for x in part]
    ),
    words(b"ASC", b"DESC", b"ANY", b"COUNT", b"2", b"WITHDIST", b"FOO", b"STOREDIST", most=4),
)
ORIGIN = st.one_of(
    NAMES.map(lambda member: [b"FROMMEMBER", member]),
    ANY_COORDINATES.map(lambda pair: [b"FROMLONLAT", *pair]),
    ANY_COORDINATES.map(lambda pair: [b"fromlonlat", *pair]),
)
CIRCLE = st.tuples(SIZES, UNITS).map(lambda pair: [b"BYRADIUS", *pair])
RECTANGLE = st.tuples(SIZES, SIZES, UNITS).map(lambda three: [b"BYBOX", *three])
POLYGON = some(COORDINATES, 3, 7).map(
    lambda corners: [b"BYPOLYGON", b"%d" % len(corners), *[x for corner in corners for x in corner]]
)
ODD_POLYGON = st.tuples(st.sampled_from([b"2", b"3", b"4", b"x", b"-1"]), some(ANY_COORDINATES, 2, 5)).map(
    lambda parts: [b"BYPOLYGON", parts[0], *[x for corner in parts[1] for x in corner]]
)
AREA = st.one_of(
    st.tuples(ORIGIN, CIRCLE),
    st.tuples(ORIGIN, RECTANGLE),
    st.tuples(CIRCLE, ORIGIN),
    st.tuples(POLYGON),
    st.tuples(POLYGON),
    st.tuples(ODD_POLYGON),
    st.lists(st.one_of(ORIGIN, CIRCLE, RECTANGLE, POLYGON), max_size=3),
).map(lambda parts: [x for part in parts for x in part])
STORE = st.one_of(
    st.just([]),
    st.just([]),
    st.tuples(st.sampled_from([b"STORE", b"STOREDIST", b"store"]), KEYS).map(list),
    words(b"STORE", b"STOREDIST", most=2),
)


def _triples(pairs: st.SearchStrategy[list[bytes]]) -> st.SearchStrategy[list[bytes]]:
    return some(st.tuples(pairs, MEMBERS), 1, 4).map(
        lambda triples: [x for pair, member in triples for x in (*pair, member)]
    )


def _around(name: bytes, *where: Any, stores: bool) -> st.SearchStrategy[tuple[bytes, ...]]:
    return request(name, KEYS, *where, SIZES, UNITS, ANSWER, STORE if stores else st.just([]))


GEOADDS = [
    request(b"GEOADD", KEYS, _triples(COORDINATES)),
    request(b"geoadd", KEYS, words(b"NX", b"XX", b"CH", b"ch", most=2), _triples(ANY_COORDINATES)),
]
GEO = [
    *GEOADDS,
    request(b"GEOADD", KEYS, words(b"NX", b"XX", b"CH", b"GT", most=4), some(MEMBERS, 0, 3)),
    *[request(name, KEYS, some(NAMES, 0, 3)) for name in (b"GEOPOS", b"GEOHASH")],
    request(b"GEODIST", KEYS, NAMES, NAMES, st.one_of(st.just([]), UNITS)),
    request(b"GEODIST", KEYS, NAMES, NAMES, some(UNITS, 0, 2)),
    request(b"GEOSEARCH", KEYS, AREA, ANSWER),
    request(b"GEOSEARCH", KEYS, ANSWER, AREA),
    request(
        b"GEOSEARCHSTORE", KEYS, KEYS, AREA, ORDER, st.sampled_from([[], [b"STOREDIST"], [b"COUNT", b"2"]])
    ),
    request(b"GEOSEARCHSTORE", KEYS, KEYS, AREA, ANSWER),
    _around(b"GEORADIUS", ANY_COORDINATES, stores=True),
    _around(b"GEORADIUS_RO", ANY_COORDINATES, stores=False),
    _around(b"GEORADIUSBYMEMBER", NAMES, stores=True),
    _around(b"GEORADIUSBYMEMBER_RO", NAMES, stores=False),
    _around(b"GEORADIUS_RO", COORDINATES, stores=True),
]
AROUND_GEO = [
    request(
        b"ZADD",
        KEYS,
        st.sampled_from([b"1", b"-1", b"1e30", b"4.5e15", b"-inf", b"3479099956230698.5"]),
        MEMBERS,
    ),
    request(b"ZREM", KEYS, MEMBERS),
    request(b"SET", KEYS, MEMBERS),
    request(b"DEL", KEYS),
]
