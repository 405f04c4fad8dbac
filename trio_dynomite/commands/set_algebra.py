"""Intersections, unions and differences of sets: SINTER, SUNION, SDIFF, their STORE forms, SINTERCARD.

An absent key is an empty set. An intersection walks the smallest set and asks the others; a difference walks,
for each set that is taken away, the smaller of that one and of what is left. A result that is stored replaces
what was there, of whatever type; an empty one leaves no key.
"""

from collections.abc import Callable, Iterable
from itertools import islice

from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.record import Set
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import ZERO, bulk, integer, set_of


def sinter(ks: Keyspace, args: list[bytes]) -> bytes:
    """SINTER key [key ...]."""
    return _reply(ks, _common(_views(ks, args[1:])))


def sunion(ks: Keyspace, args: list[bytes]) -> bytes:
    """SUNION key [key ...]."""
    return _reply(ks, _united(_views(ks, args[1:])))


def sdiff(ks: Keyspace, args: list[bytes]) -> bytes:
    """SDIFF key [key ...]: the members of the first that no other has."""
    return _reply(ks, _left(_views(ks, args[1:])))


def sinterstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """SINTERSTORE destination key [key ...]: how many members were stored."""
    return _store(ks, args, _common, "sinterstore")


def sunionstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """SUNIONSTORE destination key [key ...]: how many members were stored."""
    return _store(ks, args, _united, "sunionstore")


def sdiffstore(ks: Keyspace, args: list[bytes]) -> bytes:
    """SDIFFSTORE destination key [key ...]: how many members were stored."""
    return _store(ks, args, _left, "sdiffstore")


def sintercard(ks: Keyspace, args: list[bytes]) -> bytes:
    """SINTERCARD numkeys key [key ...] [LIMIT limit]: how many members all have, counted up to `limit`."""
    number = parse_int64(args[1])
    if number is None or number < 1:
        raise CommandError("ERR numkeys should be greater than 0")
    if number > len(args) - 2:
        raise CommandError("ERR Number of keys can't be greater than number of args")
    limit = _limit(args[2 + number :])
    members = _common(_views(ks, args[2 : 2 + number]))
    return integer(sum(1 for _ in islice(members, limit or None)))


def _limit(options: list[bytes]) -> int:
    """The last LIMIT among the options; 0: none."""
    limit = 0
    rest = iter(options)
    for word in rest:
        value = next(rest, None)
        if word.upper() != b"LIMIT" or value is None:
            raise CommandError(SYNTAX)
        number = parse_int64(value)
        if number is None or number < 0:
            raise CommandError("ERR LIMIT can't be negative")
        limit = number
    return limit


def _views(ks: Keyspace, keys: list[bytes]) -> list[Set]:
    return [ks.set_at(key) for key in keys]


def _common(views: list[Set]) -> Iterable[bytes]:
    """The members that all have, found one by one."""
    smallest, *others = sorted(views, key=len)
    members: Iterable[bytes] = smallest
    for other in others:
        members = filter(other.__contains__, members)
    return members


def _united(views: list[Set]) -> Iterable[bytes]:
    return set[bytes]().union(*views)


def _left(views: list[Set]) -> Iterable[bytes]:
    first, *others = views
    members = set(first)
    for other in others:
        if len(other) < len(members):
            members.difference_update(other)
        else:
            members = {member for member in members if member not in other}
    return members


def _reply(ks: Keyspace, members: Iterable[bytes]) -> bytes:
    return set_of([bulk(member) for member in members], ks.resp)


def _store(
    ks: Keyspace, args: list[bytes], operation: Callable[[list[Set]], Iterable[bytes]], event: str
) -> bytes:
    target = args[1]
    # A list, because the destination may be one of the sources.
    members = list(operation(_views(ks, args[2:])))
    was_there = ks.delete(target)
    if not members:
        if was_there and ks.wants_events:
            ks.event("del", target)
        return ZERO
    ks.set_at(target).add(members)
    if ks.wants_events:
        ks.event(event, target)
    return integer(len(members))
