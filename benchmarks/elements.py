"""Bytes of memory per element of each type, large and small, beside redis-server's.

Every element is written by a command of its own, as a collection grows in use, into servers that hold nothing
else; values have 32 bytes.
"""

from attrs import frozen

from benchmarks.fill import ELEMENT, KEY, Fill, value_of
from benchmarks.heap import VALUE_BYTES, added_bytes
from benchmarks.load import Words
from benchmarks.servers import Server

LARGE = 1_000_000
"""Elements of one large collection."""
SMALL = 10
"""Elements of each small collection."""
SMALL_KEYS = 100_000
_MEMBER = f"member:{ELEMENT}"
_VALUE = value_of(VALUE_BYTES)


@frozen(kw_only=True)
class Layout:
    """A row of the table: what an element is, where it is held, and what puts it there."""

    element: str
    held: str
    fill: Fill


@frozen(kw_only=True)
class Element:
    """What one element of a layout takes."""

    element: str
    held: str
    redis_bytes: float
    our_bytes: float

    @property
    def ratio(self) -> float:
        """Our memory over redis-server's."""
        return self.our_bytes / self.redis_bytes


def _large(element: str, collection: str, *words: str) -> Layout:
    held = f"one {collection} of {LARGE:,}"
    return Layout(element=element, held=held, fill=Fill(words=words, elements=LARGE))


def _small(element: str, collection: str, *words: str) -> Layout:
    fill = Fill(words=words, elements=SMALL, keys=SMALL_KEYS)
    return Layout(element=element, held=f"{SMALL_KEYS:,} {collection} of {SMALL}", fill=fill)


def _words(command: str, name: str, *rest: str) -> Words:
    return (command, f"{name}:{KEY}", *rest)


_HSET = _words("HSET", "hash", f"field:{ELEMENT}", _VALUE)
_SADD = _words("SADD", "set", _MEMBER)
_ZADD = _words("ZADD", "sorted", ELEMENT, _MEMBER)
_RPUSH = _words("RPUSH", "list", _VALUE)
LAYOUTS = (
    Layout(
        element="string",
        held=f"{LARGE:,} keys",
        fill=Fill(words=("SET", f"key:{ELEMENT}", _VALUE), elements=LARGE),
    ),
    _large("hash field", "hash", *_HSET),
    _small("hash field", "hashes", *_HSET),
    _large("set member", "set", *_SADD),
    _small("set member", "sets", *_SADD),
    _large("sorted-set member", "sorted set", *_ZADD),
    _small("sorted-set member", "sorted sets", *_ZADD),
    _large("list element", "list", *_RPUSH),
    _small("list element", "lists", *_RPUSH),
    _large("stream entry", "stream", *_words("XADD", "stream", "*", "field", _VALUE)),
)


def measure(layout: Layout, redis: Server, node: Server) -> Element:
    """Write the layout into both, which must be empty."""
    return Element(
        element=layout.element,
        held=layout.held,
        redis_bytes=added_bytes(redis, layout.fill),
        our_bytes=added_bytes(node, layout.fill),
    )
