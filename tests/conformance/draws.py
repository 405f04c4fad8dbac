"""Commands that draw by chance, against a real Valkey: what can be said of them without knowing the lot.

Both answers have one shape, ours has elements that were there, and different ones where that is asked for.
After SPOP the members that each side drew are exchanged, so that both go on with the same set.
"""

from tests.conformance.oracle import Connection
from tests.conformance.shape import Tree, blank, leaves, pairs, trees
from tests.conformance.subjects import Subject

EVERYTHING = {b"HRANDFIELD": b"HGETALL", b"SRANDMEMBER": b"SMEMBERS", b"SPOP": b"SMEMBERS"}
"""Of each command that draws, the one that shows what it draws from."""


def assert_same_draw(subject: Subject, valkey: Connection, request: tuple[bytes, ...]) -> None:
    name = request[0].upper()
    before = leaves(trees(valkey(EVERYTHING[name], *request[1:2]))[0])
    [ours], [theirs] = trees(subject(*request)), trees(valkey(*request))
    assert blank(ours) == blank(theirs), request
    drawn = _elements(request, ours)
    there = pairs(before) if name == b"HRANDFIELD" else before
    assert set(drawn) <= set(there if len(request) > 3 or name != b"HRANDFIELD" else before[::2]), request
    if len(request) > 2 and not request[2].startswith(b"-"):
        assert len(set(drawn)) == len(drawn), request
    if name == b"SPOP" and drawn:
        _exchange(valkey, request[1], drawn, leaves(theirs))


def _elements(request: tuple[bytes, ...], reply: Tree) -> list[object]:
    found = leaves(reply)
    return pairs(found) if request[0].upper() == b"HRANDFIELD" and len(request) > 3 else list(found)


def _exchange(valkey: Connection, key: bytes, ours: list[object], theirs: list[bytes]) -> None:
    keep = [member for member in theirs if member not in ours]
    if keep:
        valkey(b"SADD", key, *keep)
        valkey(b"SREM", key, *[member for member in ours if member not in theirs])  # type: ignore[misc]
