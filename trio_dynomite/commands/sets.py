"""The commands on one set (https://valkey.io/commands/#set), and SMOVE."""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import count_argument, draws_argument
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scan_options import EMPTY_PAGE, cursor_argument, page, scan_options
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    EMPTY_ARRAY,
    NULL,
    ONE,
    ZERO,
    array,
    bulk,
    bulk_array,
    integer,
    set_of,
)


def sadd(ks: Keyspace, args: list[bytes]) -> bytes:
    """SADD key member [member ...]: how many are new."""
    added = ks.set_at(args[1]).add(args[2:])
    if added and ks.wants_events:
        ks.event("sadd", args[1])
    return integer(added)


def srem(ks: Keyspace, args: list[bytes]) -> bytes:
    """SREM key member [member ...]: how many there were."""
    count = ks.set_at(args[1]).remove(args[2:])
    if count and ks.wants_events:
        removed(ks, "srem", args[1])
    return integer(count)


def smembers(ks: Keyspace, args: list[bytes]) -> bytes:
    """SMEMBERS key."""
    return set_of([bulk(member) for member in ks.set_at(args[1])], ks.resp)


def sismember(ks: Keyspace, args: list[bytes]) -> bytes:
    """SISMEMBER key member."""
    return ONE if args[2] in ks.set_at(args[1]) else ZERO


def smismember(ks: Keyspace, args: list[bytes]) -> bytes:
    """SMISMEMBER key member [member ...]."""
    view = ks.set_at(args[1])
    return array([ONE if member in view else ZERO for member in args[2:]])


def scard(ks: Keyspace, args: list[bytes]) -> bytes:
    """SCARD key."""
    return integer(len(ks.set_at(args[1])))


def smove(ks: Keyspace, args: list[bytes]) -> bytes:
    """SMOVE source destination member: was it in the source?"""
    source, target, member = args[1], args[2], args[3]
    source_view = ks.set_at(source)
    if not len(source_view):
        return ZERO
    target_view = ks.set_at(target)
    if source == target or member not in source_view:
        return ONE if member in source_view else ZERO
    source_view.remove((member,))
    added = target_view.add((member,))
    if ks.wants_events:
        removed(ks, "srem", source)
        if added:
            ks.event("sadd", target)
    return ONE


def spop(ks: Keyspace, args: list[bytes]) -> bytes:
    """SPOP key [count]: members by chance, which are then removed."""
    if len(args) == 2:
        members = _pop(ks, args[1], 1)
        return bulk(members[0]) if members else NULL[ks.resp]
    if len(args) > 3:
        raise CommandError(SYNTAX)
    return set_of([bulk(member) for member in _pop(ks, args[1], count_argument(args[2]))], ks.resp)


def _pop(ks: Keyspace, key: bytes, count: int) -> list[bytes]:
    view = ks.set_at(key)
    members = view.random(count, distinct=True)
    if members:
        view.remove(members)
        if ks.wants_events:
            removed(ks, "spop", key)
    return members


def srandmember(ks: Keyspace, args: list[bytes]) -> bytes:
    """SRANDMEMBER key [count]: a member by chance, or so many (a negative count: with repeats)."""
    if len(args) == 2:
        drawn = ks.set_at(args[1]).random(1, distinct=True)
        return bulk(drawn[0]) if drawn else NULL[ks.resp]
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = draws_argument(args[2])
    view = ks.set_at(args[1])
    return bulk_array(view.random(abs(count), distinct=count > 0)) if count else EMPTY_ARRAY


def sscan(ks: Keyspace, args: list[bytes]) -> bytes:
    """SSCAN key cursor [MATCH pattern] [COUNT count]."""
    cursor = cursor_argument(args[2])
    view = ks.set_at(args[1])
    if not len(view):
        return EMPTY_PAGE
    options = scan_options(args)
    cursor, members = view.scan(cursor, options.count)
    return page(cursor, [member for member in members if options.picks(member)])
