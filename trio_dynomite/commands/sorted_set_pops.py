"""The commands that take the lowest or the highest members off: ZPOPMIN, ZPOPMAX, ZMPOP, and those that wait.

A blocking one answers BLOCKED when there is nothing to take, and is run again when there may be something;
where it may not wait, its answer is what Redis gives when the time is up.
"""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import count_argument, parse_int64
from trio_dynomite.commands.record import Scored
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import BLOCKED, Keyspace
from trio_dynomite.commands.scores import nested_array, score_reply, scored_array
from trio_dynomite.commands.timeouts import seconds
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, NULL_ARRAY, array, bulk

_NO_KEYS = "ERR numkeys should be greater than 0"
_NO_COUNT = "ERR count should be greater than 0"


def zpopmin(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZPOPMIN key [count]."""
    return _pop(ks, args, highest=False)


def zpopmax(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZPOPMAX key [count]: the highest first."""
    return _pop(ks, args, highest=True)


def _pop(ks: Keyspace, args: list[bytes], *, highest: bool) -> bytes:
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = count_argument(args[2]) if len(args) == 3 else 1
    taken = _take(ks, args[1], count, highest)
    if not taken:
        return EMPTY_ARRAY
    if len(args) == 3:
        return scored_array(taken, ks.resp)
    member, score = taken[0]
    return array([bulk(member), score_reply(score, ks.resp)])


def _take(ks: Keyspace, key: bytes, count: int, highest: bool) -> list[Scored]:
    """Remove up to `count` members from one end, and tell the listeners."""
    view = ks.sorted_set_at(key)
    size = len(view)
    count = min(count, size)
    if not count:
        return []
    taken = view.slice(size - count, size, reverse=True) if highest else view.slice(0, count)
    view.remove([member for member, _ in taken])
    if ks.wants_events:
        removed(ks, "zpopmax" if highest else "zpopmin", key)
    return taken


def zmpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]: the first key that has members, and those."""
    keys, highest, count = _request(args, 1)
    return _pop_first(ks, keys, highest, count) or NULL_ARRAY[ks.resp]


def bzmpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]."""
    keys, highest, count = _request(args, 2)
    seconds(args[1])
    return _pop_first(ks, keys, highest, count) or _nothing(ks)


def bzpopmin(ks: Keyspace, args: list[bytes]) -> bytes:
    """BZPOPMIN key [key ...] timeout: the first key that has members, its lowest, and the score."""
    return _pop_one(ks, args, highest=False)


def bzpopmax(ks: Keyspace, args: list[bytes]) -> bytes:
    """BZPOPMAX key [key ...] timeout."""
    return _pop_one(ks, args, highest=True)


def _pop_one(ks: Keyspace, args: list[bytes], *, highest: bool) -> bytes:
    seconds(args[-1])
    for key in args[1:-1]:
        for member, score in _take(ks, key, 1, highest):
            return array([bulk(key), bulk(member), score_reply(score, ks.resp)])
    return _nothing(ks)


def _pop_first(ks: Keyspace, keys: list[bytes], highest: bool, count: int) -> bytes:
    """The reply with what the first key that has members gives; empty when none has any."""
    for key in keys:
        if taken := _take(ks, key, count, highest):
            return array([bulk(key), nested_array(taken, ks.resp)])
    return b""


def _nothing(ks: Keyspace) -> bytes:
    return BLOCKED if ks.may_block else NULL_ARRAY[ks.resp]


def _request(args: list[bytes], at: int) -> tuple[list[bytes], bool, int]:
    """The keys after their number, which is `args[at]`; are the highest wanted; how many of them."""
    where = at + 1 + _positive(args[at], _NO_KEYS)
    if where >= len(args) or (end := args[where].upper()) not in (b"MIN", b"MAX"):
        raise CommandError(SYNTAX)
    options, count = args[where + 1 :], 1
    if options:
        if len(options) < 2 or options[0].upper() != b"COUNT":
            raise CommandError(SYNTAX)
        count = _positive(options[1], _NO_COUNT)
        if len(options) > 2:
            raise CommandError(SYNTAX)
    return args[at + 1 : where], end == b"MAX", count


def _positive(text: bytes, refusal: str) -> int:
    number = parse_int64(text)
    if number is None or number < 1:
        raise CommandError(refusal)
    return number
