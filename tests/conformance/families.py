"""Conversations of every family of commands, for the comparisons of whole servers.

Each is drawn as the family's own oracle draws it: a few of the requests, again and again, so that they meet
each other's results (swarm testing), and those that make something always among them.
"""

from collections.abc import Sequence

from attrs import define
from hypothesis import strategies as st

from tests.conformance.bits_requests import BIT_REQUESTS
from tests.conformance.compare import Request
from tests.conformance.conversations import GENERIC, STRINGS
from tests.conformance.geo_requests import AROUND_GEO, GEO, GEOADDS
from tests.conformance.hash_requests import AROUND, HASHES, HSETS
from tests.conformance.hyperloglog_requests import HYPERLOGLOG_REQUESTS
from tests.conformance.list_requests import AROUND_LISTS, BLOCKING_LISTS, LISTS, PUSHES
from tests.conformance.set_requests import SADDS, SETS
from tests.conformance.sort_requests import AROUND_SORTS, NUMBERS, SORTABLE, SORTS, WORDS, weights
from tests.conformance.sorted_set_requests import (
    ADDS,
    AROUND_SORTED_SETS,
    BLOCKING_SORTED_SETS,
    LEX_ADDS,
    LEXICAL,
    SORTED_SETS,
)
from tests.conformance.stream_requests import ADD, CREATE, PREPARED, READ_NEW, STREAMS

Requests = st.SearchStrategy[Request]
Conversations = st.SearchStrategy[list[Request]]


@define
class Family:
    """The commands on one type, and how conversations of them are drawn."""

    name: str
    requests: Sequence[Requests]
    begins: Sequence[Requests]
    """Requests that make something; always among those of a conversation."""
    keys: Sequence[bytes] = (b"a", b"b")
    """What the conversations call their keys."""
    prepared: Sequence[Request] = ()
    """What comes first."""
    examples: Sequence[list[Request]] = ()
    """Conversations that went wrong once."""

    @property
    def conversations(self) -> Conversations:
        """Conversations of a few of the commands."""
        return st.lists(st.sampled_from(self.requests), min_size=1, max_size=5).flatmap(
            lambda chosen: st.lists(st.one_of(*self.begins, *chosen), min_size=5, max_size=30).map(
                lambda drawn: [*self.prepared, *drawn]
            )
        )


_WEIGHTS = [request for element in NUMBERS + WORDS for request in weights(element)]

_STRINGS: list[list[Request]] = [
    [(b"SET", b"a", b"1"), (b"INCR", b"a"), (b"MGET", b"a", b"b", b"a")],
    [(b"OBJECT", b"HELP"), (b"SET", b"a", b""), (b"INCR", b"a")],
    [(b"MSET", b"x", b"-12", b""), (b"MSET", b"a", b"1", b"b"), (b"GET", b"a")],
    [(b"MSET", b"a", b"1", b"b", b"2"), (b"EXISTS", b"a", b"b"), (b"DEL", b"a", b"b")],
]
_SETS: list[list[Request]] = [
    [
        *[(b"SADD", b"a", b"x"), (b"SADD", b"b", b"y"), (b"SUNION", b"a", b"b")],
        *[(b"SUNIONSTORE", b"a", b"a", b"b"), (b"SMEMBERS", b"a"), (b"SADD", b"b", b"z")],
        *[(b"SDIFF", b"b", b"a"), (b"SMEMBERS", b"a")],
    ]
]

FAMILIES = (
    Family("strings", [*STRINGS, *GENERIC], STRINGS[:2], examples=_STRINGS),
    Family("bits", BIT_REQUESTS, BIT_REQUESTS[:2]),
    Family("hyperloglogs", [*HYPERLOGLOG_REQUESTS[:1], *HYPERLOGLOG_REQUESTS[2:]], HYPERLOGLOG_REQUESTS[:1]),
    Family("hashes", [*HASHES, *AROUND], HSETS),
    Family("sets", [*SETS, *AROUND], SADDS, examples=_SETS),
    Family("sorted sets", [*SORTED_SETS, *BLOCKING_SORTED_SETS, *AROUND_SORTED_SETS], ADDS),
    Family("ranges by member", LEXICAL, LEX_ADDS, keys=(b"l", b"m")),
    Family("positions", [*GEO, *AROUND_GEO], GEOADDS),
    Family("lists", [*LISTS, *BLOCKING_LISTS, *AROUND_LISTS], PUSHES[:2]),
    Family(
        "sorts", [*SORTABLE, *SORTS, *AROUND_SORTS], [*SORTABLE[:3], *SORTS[:6]], (b"a", b"b", b"c"), _WEIGHTS
    ),
    Family("streams", STREAMS, [ADD, CREATE, READ_NEW], prepared=PREPARED),
)
KEYS_OF_ALL = sorted({key for family in FAMILIES for key in family.keys})

__all__ = ["FAMILIES", "KEYS_OF_ALL", "Conversations", "Family"]
