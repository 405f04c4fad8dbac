"""When two servers' replies to one request are the same: but for the order where there is none, and for time.

Two servers are asked one after the other, so what they say of time may differ by what passes in between.
Valkey's PFCOUNT writes the cardinality into the header of the string (bytes 8 to 15), ours does not; and
there is no radix tree here of which XINFO STREAM could tell.
"""

import re

from tests.conformance.oracle import assert_equal
from tests.conformance.shape import PAIRED, SCANS, UNORDERED, Tree, in_order
from trio_dynomite.server.elements import elements

FIELD_TIMES = {b"HTTL": 2, b"HEXPIRETIME": 2, b"HPTTL": 2000, b"HPEXPIRETIME": 2000}
"""How far apart the answers about fields may be."""
STREAM_FACTS = frozenset([b"XPENDING", b"XINFO"])
STREAM_MS = 2000
_TIME = rb"(?:(?<=idle\r\n:)|(?<=inactive\r\n:)|(?<=-time\r\n:))\d+"
_TIME_BEFORE_COUNT = rb"(?<=\r\n:)\d+(?=\r\n:\d)"
TIMES = re.compile(_TIME + rb"|" + _TIME_BEFORE_COUNT)
"""In XINFO's maps by their names; of what is pending the one of two integers that comes first."""
TREE = re.compile(rb"radix-tree-(?:keys|nodes)\r\n:\d+")
Request = tuple[bytes, ...]


def assert_same(request: Request, ours: bytes, theirs: bytes) -> None:
    """Both raw replies say the same."""
    name = request[0].upper()
    aggregates = ours[:1] in b"*%~" and theirs[:1] in b"*%~"
    if name in FIELD_TIMES and aggregates:
        assert_same_times(request, in_order(request, ours), in_order(request, theirs), FIELD_TIMES[name])
    elif name in STREAM_FACTS and aggregates:
        assert_same_facts(request, ours, theirs)
    elif name in UNORDERED | PAIRED | SCANS and aggregates:
        assert in_order(request, ours) == in_order(request, theirs), request
    else:
        assert_equal(request, without_cardinality(ours), without_cardinality(theirs))


def assert_same_times(request: Request, ours: Tree, theirs: Tree, tolerance: int) -> None:
    """Two arrays of times are nearly equal; what is no time (-1, -2) is equal."""
    for (_, mine), (_, his) in zip(ours[1], theirs[1], strict=True):
        assert abs(int(mine) - int(his)) <= (tolerance if int(his) > 0 else 0), request


def assert_same_facts(request: Request, ours: bytes, theirs: bytes) -> None:
    """What two servers know of a stream is equal, but for a little time."""
    for mine, other in zip(TIMES.findall(ours), TIMES.findall(theirs), strict=False):
        assert abs(int(mine) - int(other)) <= STREAM_MS, request
    assert without_times(ours) == without_times(theirs), request


def without_times(facts: bytes) -> bytes:
    """A reply of XINFO or XPENDING without what differs from one server, or moment, to the other."""
    return TREE.sub(b"", TIMES.sub(b"time", facts))


def without_cardinality(reply: bytes) -> bytes:
    """A bulk string without the cardinality in the header of a HyperLogLog, if it is one."""
    head, _, value = reply.partition(b"\r\n")
    return head + value[:8] + value[16:] if value.startswith(b"HYLL") else reply


def assert_same_exec(requests: list[Request], ours: bytes, theirs: bytes) -> None:
    """Both replies to EXEC say the same of every request that was queued."""
    if ours[:1] == theirs[:1] == b"*" and b"*-1" not in (ours[:3], theirs[:3]):
        for request, mine, his in zip(requests, elements(ours), elements(theirs), strict=True):
            assert_same(request, mine, his)
    else:
        assert ours == theirs, requests


def settled(request: Request, reply: bytes) -> object:
    """A reply in one form, whatever the order: equal where two copies of one cluster are."""
    if request[0].upper() in UNORDERED | PAIRED and reply[:1] in b"*%~":
        return in_order(request, reply)
    return reply
