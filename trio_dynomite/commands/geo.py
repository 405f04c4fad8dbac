"""The commands on positions (https://valkey.io/commands/#geo), except searches: a sorted set whose scores are
geohashes.

Distances have four digits after the point, coordinates all that they have.
"""

from trio_dynomite.commands.geohash import (
    LATITUDE_MAX,
    LONGITUDE_MAX,
    Position,
    distance_m,
    position_of,
    score_of,
    text_of,
)
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scores import score_argument
from trio_dynomite.commands.sorted_sets import add, add_words
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, NULL_ARRAY, array, bulk

_UNITS_M = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}
_NO_UNIT = "ERR unsupported unit provided. please use M, KM, FT, MI"
_ADD_WORDS = frozenset([b"NX", b"XX", b"CH"])


def geoadd(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]."""
    words, start = add_words(args, _ADD_WORDS)
    if (len(args) - start) % 3 or words >= {b"NX", b"XX"}:
        raise CommandError(SYNTAX)
    pairs = [
        (args[at + 2], score_of(position_argument(args[at], args[at + 1])))
        for at in range(start, len(args), 3)
    ]
    if not pairs:
        raise CommandError(SYNTAX)
    return add(ks, args[1], pairs, words)


def geopos(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEOPOS key [member ...]: where they are."""
    view = ks.sorted_set_at(args[1])
    scores = [view.score(member) for member in args[2:]]
    return array(
        [
            NULL_ARRAY[ks.resp] if score is None else position_reply(position_of(score), ks.resp)
            for score in scores
        ]
    )


def geohash(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEOHASH key [member ...]: the standard geohashes of where they are."""
    view = ks.sorted_set_at(args[1])
    scores = [view.score(member) for member in args[2:]]
    return array([NULL[ks.resp] if score is None else bulk(text_of(score)) for score in scores])


def geodist(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEODIST key member1 member2 [M | KM | FT | MI]."""
    if len(args) > 5:
        raise CommandError(SYNTAX)
    unit_m = unit_argument(args[4]) if len(args) == 5 else 1.0
    view = ks.sorted_set_at(args[1])
    one, other = view.score(args[2]), view.score(args[3])
    if one is None or other is None:
        return NULL[ks.resp]
    return distance_reply(distance_m(position_of(one), position_of(other)) / unit_m)


def position_argument(longitude: bytes, latitude: bytes) -> Position:
    """The position that these arguments spell. Raises CommandError."""
    x, y = score_argument(longitude), score_argument(latitude)
    if abs(x) > LONGITUDE_MAX or abs(y) > LATITUDE_MAX:
        raise CommandError(f"ERR invalid longitude,latitude pair {x:f},{y:f}")
    return x, y


def unit_argument(text: bytes) -> float:
    """Metres in the unit that `text` names. Raises CommandError."""
    unit_m = _UNITS_M.get(text.upper())
    if unit_m is None:
        raise CommandError(_NO_UNIT)
    return unit_m


def distance_reply(distance: float) -> bytes:
    """`distance` with four digits after the point."""
    whole, fraction = divmod(round(distance * 10_000), 10_000)
    return bulk(b"%d.%04d" % (whole, fraction))


def position_reply(position: Position, resp: int) -> bytes:
    """Longitude and latitude with up to 17 digits after the point (`addReplyHumanLongDouble`)."""
    texts = [(b"%.17f" % degrees).rstrip(b"0").rstrip(b".") for degrees in position]
    return array([b",%b\r\n" % text if resp == 3 else bulk(text) for text in texts])
