"""Commands that draw by chance, against a real Valkey: what can be said of them without knowing the lot.

Both answers have one shape, ours has elements that were there, and different ones where that is asked for.
After SPOP the members that each side drew are exchanged, so that both go on with the same set.
"""

from collections.abc import Callable

from tests.conformance.oracle import Connection
from tests.conformance.shape import Tree, blank, leaves, pairs, trees

EVERYTHING = {b"HRANDFIELD": b"HGETALL", b"SRANDMEMBER": b"SMEMBERS", b"SPOP": b"SMEMBERS"}
"""Of each command that draws, the one that shows what it draws from."""


def draws(request: tuple[bytes, ...]) -> bool:
    """Is there chance in its reply?"""
    name = request[0].upper()
    return name in EVERYTHING or name == b"ZRANDMEMBER"


def assert_same_draw(subject: Callable[..., bytes], valkey: Connection, request: tuple[bytes, ...]) -> None:
    """Ask both to draw, and compare what can be compared."""
    name = request[0].upper()
    if name == b"ZRANDMEMBER":
        assert_same_draw_of_scored(subject, valkey, request)
        return
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


def assert_same_draw_of_scored(
    subject: Callable[..., bytes], valkey: Connection, request: tuple[bytes, ...]
) -> None:
    """ZRANDMEMBER: as many members, each there with its score, and different ones unless asked otherwise."""
    [everything] = trees(valkey(b"ZRANGE", request[1], b"0", b"-1", *request[3:]))
    [ours], [theirs] = trees(subject(*request)), trees(valkey(*request))
    assert ours[0] == theirs[0]
    if not isinstance(ours[1], list):
        assert ours == theirs or ours in everything[1], request
        return
    drawn, there = _scored(request, ours), _scored(request, everything)
    assert len(drawn) == len(_scored(request, theirs)), request
    assert all(one in there for one in drawn), request
    assert request[2].startswith(b"-") or len({str(one) for one in drawn}) == len(drawn), request


def _scored(request: tuple[bytes, ...], reply: Tree) -> list[object]:
    """What was drawn, with its score if that was asked for: in RESP2 those stand in one row."""
    children = reply[1]
    if len(request) == 4 and children and not isinstance(children[0][1], list):
        return list(zip(children[::2], children[1::2], strict=True))
    return list(children)
