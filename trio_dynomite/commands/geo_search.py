"""The commands that find positions in an area: GEOSEARCH, GEOSEARCHSTORE, and GEORADIUS with its kind.

Members are found cell by cell. An answer without an order comes as they were found; of members at the same
distance, and of a count of them, any may come first.
"""

from collections.abc import Iterator

from attrs import frozen

from trio_dynomite.commands.geo import distance_reply, position_argument, position_reply
from trio_dynomite.commands.geo_query import GeoQuery
from trio_dynomite.commands.geo_shapes import Shape, covering
from trio_dynomite.commands.geohash import Position, position_of
from trio_dynomite.commands.record import Scored, SortedSet
from trio_dynomite.commands.refusals import quoted
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.sorted_set_slices import store
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, array, bulk, bulk_array, integer

_PIECE = 256
"""So many members of a cell are fetched at once."""


@frozen
class _Found:
    member: bytes
    score: float
    position: Position
    distance_m: float


def geosearch(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude
    BYRADIUS radius unit | BYBOX width height unit | BYPOLYGON vertices longitude latitude [...]
    [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]."""
    return _answer(ks, GeoQuery(ks.sorted_set_at(args[1]), args, 2, True), "geosearchstore")


def geosearchstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEOSEARCHSTORE destination source, then as GEOSEARCH without WITH…, and [STOREDIST]."""
    query = GeoQuery(ks.sorted_set_at(args[2]), args, 3, True, target=args[1])
    return _answer(ks, query, "geosearchstore")


def georadius(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
    [ASC | DESC] [STORE key | STOREDIST key]."""
    return _around_position(ks, args, may_store=True)


def georadius_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEORADIUS_RO: GEORADIUS without STORE."""
    return _around_position(ks, args, may_store=False)


def _around_position(ks: Keyspace, args: list[bytes], *, may_store: bool) -> bytes:
    query = GeoQuery(ks.sorted_set_at(args[1]), args, 6, False, may_store=may_store)
    query.middle = position_argument(args[2], args[3])
    query.read_circle(args[4], args[5])
    return _answer(ks, query, "georadiusstore")


def georadiusbymember(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEORADIUSBYMEMBER key member radius unit, then as GEORADIUS."""
    return _around_member(ks, args, may_store=True)


def georadiusbymember_ro(ks: Keyspace, args: list[bytes]) -> bytes:
    """GEORADIUSBYMEMBER_RO: GEORADIUSBYMEMBER without STORE."""
    return _around_member(ks, args, may_store=False)


def _around_member(ks: Keyspace, args: list[bytes], *, may_store: bool) -> bytes:
    query = GeoQuery(ks.sorted_set_at(args[1]), args, 5, False, may_store=may_store)
    # Of an absent key nothing is read, as in Redis, not even a radius that is none.
    if len(query.view):
        query.read_member(args[2])
        query.read_circle(args[3], args[4])
    return _answer(ks, query, "georadiusstore")


def _answer(ks: Keyspace, query: GeoQuery, event: str) -> bytes:
    query.read_words()
    _check(query)
    found = _search(query) if len(query.view) else []
    if query.target is None:
        return _reply(found, query, ks.resp)
    unit_m = query.shape().unit_m if found else 1.0
    pairs = [(one.member, one.distance_m / unit_m if query.stores_distance else one.score) for one in found]
    return store(ks, query.target, pairs, event)


def _check(query: GeoQuery) -> None:
    """Refuse what does not go together, in Redis's order."""
    name = quoted(query.args[0])
    if query.target is not None and query.with_anything:
        who = "GEOSEARCHSTORE" if query.searches else "STORE option in GEORADIUS"
        raise CommandError(f"ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
    if query.searches and not query.origin and query.area != b"BYPOLYGON":
        raise CommandError(f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")
    if query.searches and not query.area:
        raise CommandError(f"ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for {name}")
    if query.any_will_do and not query.count:
        raise CommandError("ERR the ANY argument requires COUNT argument")


def _search(query: GeoQuery) -> list[_Found]:
    """What is in the area: all, or `count` of it, in the order asked for."""
    found = _inside(query.view, query.shape(), query.count if query.any_will_do else 0)
    if query.order or (query.count and not query.any_will_do):
        found.sort(key=lambda one: one.distance_m, reverse=query.order == b"DESC")
    return found[: query.count] if query.count else found


def _inside(view: SortedSet, shape: Shape, limit: int) -> list[_Found]:
    """The members inside `shape`; not more than `limit`, unless it is 0."""
    found: list[_Found] = []
    for cell in covering(shape):
        for member, score in _between(view, *cell.scores()):
            position = position_of(score)
            distance_m = shape.distance_m(position)
            if distance_m is not None:
                found.append(_Found(member, score, position, distance_m))
                if len(found) == limit:
                    return found
    return found


def _between(view: SortedSet, low: int, high: int) -> Iterator[Scored]:
    start, stop = view.below(float(low)), view.below(float(high))
    for at in range(start, stop, _PIECE):
        yield from view.slice(at, min(at + _PIECE, stop))


def _reply(found: list[_Found], query: GeoQuery, resp: int) -> bytes:
    if not found:
        return EMPTY_ARRAY
    if not query.with_anything:
        return bulk_array([one.member for one in found])
    unit_m = query.shape().unit_m
    return array([_details(one, query, unit_m, resp) for one in found])


def _details(one: _Found, query: GeoQuery, unit_m: float, resp: int) -> bytes:
    pieces = [bulk(one.member)]
    if query.with_distance:
        pieces.append(distance_reply(one.distance_m / unit_m))
    if query.with_score:
        pieces.append(integer(int(one.score)))
    if query.with_position:
        pieces.append(position_reply(one.position, resp))
    return array(pieces)
