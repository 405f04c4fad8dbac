"""Strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.

Integer steps go through `Keyspace.count`, so that increments made at the same time in two datacenters
add up. A float step writes its result: floating sums depend on their order, so there is nothing to add.
"""

from trio_dynomite.commands import long_double
from trio_dynomite.commands.numeric import INT64_MIN, integer_argument
from trio_dynomite.commands.refusals import DECREMENT_OVERFLOW
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import bulk, integer


def incr(ks: Keyspace, args: list[bytes]) -> bytes:
    """INCR key."""
    return _count(ks, args[1], 1)


def decr(ks: Keyspace, args: list[bytes]) -> bytes:
    """DECR key."""
    return _count(ks, args[1], -1)


def incrby(ks: Keyspace, args: list[bytes]) -> bytes:
    """INCRBY key increment."""
    return _count(ks, args[1], integer_argument(args[2]))


def decrby(ks: Keyspace, args: list[bytes]) -> bytes:
    """DECRBY key decrement."""
    step = integer_argument(args[2])
    if step == INT64_MIN:
        raise CommandError(DECREMENT_OVERFLOW)
    return _count(ks, args[1], -step)


def _count(ks: Keyspace, key: bytes, step: int) -> bytes:
    number = ks.count(key, step)
    if ks.wants_events:
        ks.event("incrby", key)
    return integer(number)


def incrbyfloat(ks: Keyspace, args: list[bytes]) -> bytes:
    """INCRBYFLOAT key increment."""
    key = args[1]
    value = ks.get(key)
    start = long_double.parse(b"0" if value is None else value)
    text = long_double.text_of(long_double.add(start, long_double.parse(args[2])))
    ks.put(key, text, ks.deadline(key))
    if ks.wants_events:
        ks.event("incrbyfloat", key)
    return bulk(text)
