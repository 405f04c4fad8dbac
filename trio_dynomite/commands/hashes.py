"""The hash commands (https://valkey.io/commands/#hash), except those on the expiry of fields.

HSET and HGET are as hot as SET and GET: one field is the shortest way through.
"""

from trio_dynomite.commands import long_double
from trio_dynomite.commands.events import removed
from trio_dynomite.commands.numeric import INT64_MAX, draws_argument, integer_argument
from trio_dynomite.commands.refusals import NOT_A_FLOAT, OUT_OF_RANGE, SYNTAX, wrong_arity
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.commands.scan_options import EMPTY_PAGE, cursor_argument, page, scan_options
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import (
    EMPTY_ARRAY,
    NULL,
    OK,
    ONE,
    ZERO,
    array,
    bulk,
    bulk_array,
    integer,
    mapping,
)


def hset(ks: Keyspace, args: list[bytes]) -> bytes:
    """HSET key field value [field value ...]: how many fields are new."""
    return integer(_set(ks, args, "hset"))


def hmset(ks: Keyspace, args: list[bytes]) -> bytes:
    """HMSET key field value [field value ...]: HSET with another answer."""
    _set(ks, args, "hmset")
    return OK


def _set(ks: Keyspace, args: list[bytes], name: str) -> int:
    if len(args) == 4:
        added = ks.hash_at(args[1]).put(((args[2], args[3]),))
    elif len(args) % 2:
        raise CommandError(wrong_arity(name))
    else:
        added = ks.hash_at(args[1]).put(list(dict(zip(args[2::2], args[3::2], strict=True)).items()))
    if ks.wants_events:
        ks.event("hset", args[1])
    return added


def hsetnx(ks: Keyspace, args: list[bytes]) -> bytes:
    """HSETNX key field value."""
    view = ks.hash_at(args[1])
    if args[2] in view:
        return ZERO
    view.put(((args[2], args[3]),))
    if ks.wants_events:
        ks.event("hset", args[1])
    return ONE


def hget(ks: Keyspace, args: list[bytes]) -> bytes:
    """HGET key field."""
    value = ks.hash_at(args[1]).get(args[2])
    return NULL[ks.resp] if value is None else bulk(value)


def hmget(ks: Keyspace, args: list[bytes]) -> bytes:
    """HMGET key field [field ...]."""
    get = ks.hash_at(args[1]).get
    return values_reply([get(field) for field in args[2:]], ks.resp)


def values_reply(values: list[bytes | None], resp: int) -> bytes:
    """An array of values, with nulls where there was no field."""
    null = NULL[resp]
    return array([null if value is None else bulk(value) for value in values])


def hdel(ks: Keyspace, args: list[bytes]) -> bytes:
    """HDEL key field [field ...]: how many there were."""
    count = ks.hash_at(args[1]).remove(args[2:])
    if count and ks.wants_events:
        removed(ks, "hdel", args[1])
    return integer(count)


def hexists(ks: Keyspace, args: list[bytes]) -> bytes:
    """HEXISTS key field."""
    return ONE if args[2] in ks.hash_at(args[1]) else ZERO


def hlen(ks: Keyspace, args: list[bytes]) -> bytes:
    """HLEN key."""
    return integer(len(ks.hash_at(args[1])))


def hstrlen(ks: Keyspace, args: list[bytes]) -> bytes:
    """HSTRLEN key field: the length of its value; 0 when it is absent."""
    return integer(len(ks.hash_at(args[1]).get(args[2]) or b""))


def hgetall(ks: Keyspace, args: list[bytes]) -> bytes:
    """HGETALL key."""
    return mapping([(bulk(field), bulk(value)) for field, value in ks.hash_at(args[1]).items()], ks.resp)


def hkeys(ks: Keyspace, args: list[bytes]) -> bytes:
    """HKEYS key."""
    return bulk_array([field for field, _ in ks.hash_at(args[1]).items()])


def hvals(ks: Keyspace, args: list[bytes]) -> bytes:
    """HVALS key."""
    return bulk_array([value for _, value in ks.hash_at(args[1]).items()])


def hincrby(ks: Keyspace, args: list[bytes]) -> bytes:
    """HINCRBY key field increment."""
    step = integer_argument(args[3])
    number = ks.hash_at(args[1]).count(args[2], step)
    if ks.wants_events:
        ks.event("hincrby", args[1])
    return integer(number)


def hincrbyfloat(ks: Keyspace, args: list[bytes]) -> bytes:
    """HINCRBYFLOAT key field increment; the sum is written, for the reason that `counters` gives."""
    step = long_double.parse(args[3])
    if step.is_infinite:
        raise CommandError("ERR value is NaN or Infinity")
    view = ks.hash_at(args[1])
    text = long_double.text_of(long_double.add(_float(view.get(args[2])), step))
    view.put(((args[2], text),), None)
    if ks.wants_events:
        ks.event("hincrbyfloat", args[1])
    return bulk(text)


def _float(value: bytes | None) -> long_double.LongDouble:
    try:
        return long_double.parse(b"0" if value is None else value)
    except CommandError as refusal:
        if str(refusal) == NOT_A_FLOAT:
            raise CommandError("ERR hash value is not a float") from None
        raise


def hrandfield(ks: Keyspace, args: list[bytes]) -> bytes:
    """HRANDFIELD key [count [WITHVALUES]]: a field by chance, or so many (a negative count: with repeats)."""
    if len(args) == 2:
        drawn = ks.hash_at(args[1]).random(1, distinct=True)
        return bulk(drawn[0][0]) if drawn else NULL[ks.resp]
    count = draws_argument(args[2])
    with_values = len(args) > 3
    if with_values:
        _check_with_values(args, count)
    view = ks.hash_at(args[1])
    if not count:
        return EMPTY_ARRAY
    drawn = view.random(abs(count), distinct=count > 0)
    if not with_values:
        return bulk_array([field for field, _ in drawn])
    if ks.resp == 3:
        return array([bulk_array(pair) for pair in drawn])
    return bulk_array([text for pair in drawn for text in pair])


def _check_with_values(args: list[bytes], count: int) -> None:
    if len(args) > 4 or args[3].upper() != b"WITHVALUES":
        raise CommandError(SYNTAX)
    if abs(count) > INT64_MAX // 2:
        raise CommandError(OUT_OF_RANGE)


def hscan(ks: Keyspace, args: list[bytes]) -> bytes:
    """HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]."""
    cursor = cursor_argument(args[2])
    view = ks.hash_at(args[1])
    if not len(view):
        return EMPTY_PAGE
    options = scan_options(args, b"NOVALUES")
    cursor, pairs = view.scan(cursor, options.count)
    chosen = [pair for pair in pairs if options.picks(pair[0])]
    if options.bare:
        return page(cursor, [field for field, _ in chosen])
    return page(cursor, [text for pair in chosen for text in pair])
