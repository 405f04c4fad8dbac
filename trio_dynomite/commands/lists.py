"""The commands on the ends and the indexes of one list (https://valkey.io/commands/#list).

LPUSH, RPUSH, LPOP and RPOP without a count carry the queues of the world, hence their few lines. Indexes of
clients count from the left or, negative, from the right; the views know the former only.
"""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import count_argument, integer_argument
from trio_dynomite.commands.record import List
from trio_dynomite.commands.refusals import NO_SUCH_KEY, wrong_arity
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_ARRAY, NULL, NULL_ARRAY, OK, ZERO, bulk, bulk_array, integer

_INDEX_OUT_OF_RANGE = "ERR index out of range"


def lpush(ks: Keyspace, args: list[bytes]) -> bytes:
    """LPUSH key element [element ...]; the new length."""
    elements = ks.list_at(args[1])
    elements.push(args[2:], left=True)
    if ks.wants_events:
        ks.event("lpush", args[1])
    return integer(len(elements))


def rpush(ks: Keyspace, args: list[bytes]) -> bytes:
    """RPUSH key element [element ...]; the new length."""
    elements = ks.list_at(args[1])
    elements.push(args[2:], left=False)
    if ks.wants_events:
        ks.event("rpush", args[1])
    return integer(len(elements))


def lpushx(ks: Keyspace, args: list[bytes]) -> bytes:
    """LPUSHX key element [element ...]: LPUSH if the list is there."""
    return lpush(ks, args) if len(ks.list_at(args[1])) else ZERO


def rpushx(ks: Keyspace, args: list[bytes]) -> bytes:
    """RPUSHX key element [element ...]: RPUSH if the list is there."""
    return rpush(ks, args) if len(ks.list_at(args[1])) else ZERO


def lpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """LPOP key [count]."""
    if len(args) != 2:
        return _pop_counted(ks, args, left=True)
    elements = ks.list_at(args[1])
    if not len(elements):
        return NULL[ks.resp]
    return bulk(take(ks, args[1], elements, 1, left=True)[0])


def rpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """RPOP key [count]."""
    if len(args) != 2:
        return _pop_counted(ks, args, left=False)
    elements = ks.list_at(args[1])
    if not len(elements):
        return NULL[ks.resp]
    return bulk(take(ks, args[1], elements, 1, left=False)[0])


def _pop_counted(ks: Keyspace, args: list[bytes], *, left: bool) -> bytes:
    if len(args) > 3:
        raise CommandError(wrong_arity("lpop" if left else "rpop"))
    count = count_argument(args[2])
    elements = ks.list_at(args[1])
    if not len(elements):
        return NULL_ARRAY[ks.resp]
    return bulk_array(take(ks, args[1], elements, count, left=left)) if count else EMPTY_ARRAY


def take(ks: Keyspace, key: bytes, elements: List, count: int, *, left: bool) -> list[bytes]:
    """Pop `count` elements (1 at least, all at most) from the list at `key`, and tell the listeners."""
    taken = elements.pop(count, left=left)
    if ks.wants_events:
        removed(ks, "lpop" if left else "rpop", key)
    return taken


def llen(ks: Keyspace, args: list[bytes]) -> bytes:
    """LLEN key."""
    return integer(len(ks.list_at(args[1])))


def lindex(ks: Keyspace, args: list[bytes]) -> bytes:
    """LINDEX key index."""
    elements = ks.list_at(args[1])
    size = len(elements)
    if not size:
        return NULL[ks.resp]
    index = _from_left(integer_argument(args[2]), size)
    return bulk(elements[index]) if 0 <= index < size else NULL[ks.resp]


def lset(ks: Keyspace, args: list[bytes]) -> bytes:
    """LSET key index element."""
    elements = ks.list_at(args[1])
    size = len(elements)
    if not size:
        raise CommandError(NO_SUCH_KEY)
    index = _from_left(integer_argument(args[2]), size)
    if not 0 <= index < size:
        raise CommandError(_INDEX_OUT_OF_RANGE)
    elements.set(index, args[3])
    if ks.wants_events:
        ks.event("lset", args[1])
    return OK


def lrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """LRANGE key start stop: both ends belong to the range."""
    start, stop = integer_argument(args[2]), integer_argument(args[3])
    elements = ks.list_at(args[1])
    first, end = _bounds(start, stop, len(elements))
    return bulk_array(elements.slice(first, end)) if first < end else EMPTY_ARRAY


def ltrim(ks: Keyspace, args: list[bytes]) -> bytes:
    """LTRIM key start stop: keep this range only. One that is kept whole costs the replicas nothing."""
    start, stop = integer_argument(args[2]), integer_argument(args[3])
    key = args[1]
    elements = ks.list_at(key)
    size = len(elements)
    if not size:
        return OK
    first, end = _bounds(start, stop, size)
    if end - first < size:
        elements.keep(first, end)
    if ks.wants_events:
        removed(ks, "ltrim", key)
    return OK


def _from_left(index: int, size: int) -> int:
    return index + size if index < 0 else index


def _bounds(start: int, stop: int, size: int) -> tuple[int, int]:
    """The elements start..stop of `size` as first and end, the end not among them; (0, 0) for none."""
    first = max(_from_left(start, size), 0)
    end = min(_from_left(stop, size) + 1, size)
    return (first, end) if first < end else (0, 0)
