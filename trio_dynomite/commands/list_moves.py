"""The commands that move elements from list to list, pop from the first of several lists, and wait for one.

A blocking command answers BLOCKED when there is nothing to take; whoever waits runs it again when one of its
keys has changed. Where it may not wait, Redis answers as if the time were up at once, though BLMOVE not with
the null array that ends its waiting: `NULL` here, `NULL_ARRAY` there.
"""

from trio_dynomite.commands.events import removed
from trio_dynomite.commands.lists import take
from trio_dynomite.commands.numeric import parse_int64
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.commands.row import BLOCKED, Keyspace
from trio_dynomite.commands.timeouts import seconds
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import NULL, NULL_ARRAY, array, bulk, bulk_array

_NUMKEYS = "ERR numkeys should be greater than 0"
_COUNT = "ERR count should be greater than 0"


def lmove(ks: Keyspace, args: list[bytes]) -> bytes:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT; the element."""
    take_left, put_left = _is_left(args[3]), _is_left(args[4])
    return _move(ks, args, take_left, put_left) or NULL[ks.resp]


def rpoplpush(ks: Keyspace, args: list[bytes]) -> bytes:
    """RPOPLPUSH source destination; the element."""
    return _move(ks, args, False, True) or NULL[ks.resp]


def blmove(ks: Keyspace, args: list[bytes]) -> bytes:
    """BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout."""
    take_left, put_left = _is_left(args[3]), _is_left(args[4])
    seconds(args[5])
    return _move(ks, args, take_left, put_left) or _nothing(ks, NULL[ks.resp])


def brpoplpush(ks: Keyspace, args: list[bytes]) -> bytes:
    """BRPOPLPUSH source destination timeout."""
    seconds(args[3])
    return _move(ks, args, False, True) or _nothing(ks, NULL[ks.resp])


def lmpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    keys, left, count = _mpop_arguments(args, 1)
    return _pop_first(ks, keys, count, left) or NULL_ARRAY[ks.resp]


def blmpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    keys, left, count = _mpop_arguments(args, 2)
    seconds(args[1])
    return _pop_first(ks, keys, count, left) or _nothing(ks, NULL_ARRAY[ks.resp])


def blpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """BLPOP key [key ...] timeout; the key and its element."""
    seconds(args[-1])
    return _pop_one(ks, args[1:-1], True) or _nothing(ks, NULL_ARRAY[ks.resp])


def brpop(ks: Keyspace, args: list[bytes]) -> bytes:
    """BRPOP key [key ...] timeout; the key and its element."""
    seconds(args[-1])
    return _pop_one(ks, args[1:-1], False) or _nothing(ks, NULL_ARRAY[ks.resp])


def _nothing(ks: Keyspace, null: bytes) -> bytes:
    return BLOCKED if ks.may_block else null


def _is_left(word: bytes) -> bool:
    place = word.upper()
    if place not in (b"LEFT", b"RIGHT"):
        raise CommandError(SYNTAX)
    return place == b"LEFT"


def _move(ks: Keyspace, args: list[bytes], take_left: bool, put_left: bool) -> bytes:
    """Take from `args[1]`, put into `args[2]`; the element as a reply, or nothing."""
    source, target = args[1], args[2]
    elements = ks.list_at(source)
    if not len(elements):
        return b""
    if source == target and len(elements) == 1:
        # Popping it would drop the key, and its deadline with it.
        element = elements[0]
        elements.set(0, element)
    else:
        destination = elements if source == target else ks.list_at(target)
        element = elements.pop(1, left=take_left)[0]
        destination.push([element], left=put_left)
    if ks.wants_events:
        _tell_move(ks, source, target, take_left, put_left)
    return bulk(element)


def _tell_move(ks: Keyspace, source: bytes, target: bytes, take_left: bool, put_left: bool) -> None:
    ks.event("lpush" if put_left else "rpush", target)
    removed(ks, "lpop" if take_left else "rpop", source)


def _pop_one(ks: Keyspace, keys: list[bytes], left: bool) -> bytes:
    """One element of the first list that has any, as a reply with its key; or nothing."""
    for key in keys:
        elements = ks.list_at(key)
        if len(elements):
            return bulk_array([key, *take(ks, key, elements, 1, left=left)])
    return b""


def _pop_first(ks: Keyspace, keys: list[bytes], count: int, left: bool) -> bytes:
    """Up to `count` elements of the first list that has any, in an array of their own; or nothing."""
    for key in keys:
        elements = ks.list_at(key)
        if len(elements):
            return array([bulk(key), bulk_array(take(ks, key, elements, count, left=left))])
    return b""


def _mpop_arguments(args: list[bytes], at: int) -> tuple[list[bytes], bool, int]:
    """The keys, whether to pop from the left, and how many; the number of keys stands at `at`."""
    where = at + 1 + _positive(args[at], _NUMKEYS)
    if where >= len(args):
        raise CommandError(SYNTAX)
    left = _is_left(args[where])
    match args[where + 1 :]:
        case []:
            count = 1
        case [word, number, *more] if word.upper() == b"COUNT":
            count = _positive(number, _COUNT)
            if more:
                raise CommandError(SYNTAX)
        case _:
            raise CommandError(SYNTAX)
    return args[at + 1 : where], left, count


def _positive(text: bytes, refusal: str) -> int:
    number = parse_int64(text)
    if number is None or number <= 0:
        raise CommandError(refusal)
    return number
