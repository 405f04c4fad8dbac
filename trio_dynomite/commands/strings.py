"""The string commands (https://valkey.io/commands/#string), except numbers and LCS.

SET and GET without options are the hottest code of the project, hence their first lines.
"""

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.options import GETEX_WORDS, SET_WORDS, Options, deadline_ms, parse_options
from trio_dynomite.commands.refusals import OFFSET_OUT_OF_RANGE, PROTO_MAX_BULK_LEN, TOO_LONG, wrong_arity
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import EMPTY_BULK, NULL, OK, ONE, ZERO, array, bulk, integer


def get(ks: Keyspace, args: list[bytes]) -> bytes:
    """GET key."""
    value = ks.get(args[1])
    return NULL[ks.resp] if value is None else bulk(value)


def set_(ks: Keyspace, args: list[bytes]) -> bytes:
    """SET key value [NX | XX | IFEQ value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]."""
    if len(args) == 3:
        ks.put(args[1], args[2])
        if ks.wants_events:
            ks.event("set", args[1])
        return OK
    options = parse_options(args, 3, SET_WORDS)
    key = args[1]
    deadline = options.deadline_ms(ks.now_ms, "set")
    answer = get(ks, args) if options.answer_old else b""
    if not _condition_holds(ks, key, options):
        return answer or NULL[ks.resp]
    if options.lifetime == b"KEEPTTL":
        deadline = ks.deadline(key)
    ks.put(key, args[2], deadline)
    if ks.wants_events:
        tell_set(ks, key, 0 if options.lifetime == b"KEEPTTL" else deadline)
    return answer or OK


def tell_set(ks: Keyspace, key: bytes, deadline_ms: int) -> None:
    """`key` was set, to expire at a deadline that was asked for (0: none), and may have passed."""
    if 0 < deadline_ms <= ks.now_ms:
        ks.event("expired", key)
        return
    ks.event("set", key)
    if deadline_ms:
        ks.event("expire", key)


def _condition_holds(ks: Keyspace, key: bytes, options: Options) -> bool:
    match options.condition:
        case b"":
            return True
        case b"IFEQ":
            return ks.get(key) == options.wanted
        case condition:
            return (ks.kind(key) is None) == (condition == b"NX")


def getset(ks: Keyspace, args: list[bytes]) -> bytes:
    """GETSET key value."""
    old = get(ks, args)
    ks.put(args[1], args[2])
    if ks.wants_events:
        ks.event("set", args[1])
    return old


def getdel(ks: Keyspace, args: list[bytes]) -> bytes:
    """GETDEL key."""
    old = get(ks, args)
    if ks.delete(args[1]) and ks.wants_events:
        ks.event("del", args[1])
    return old


def getex(ks: Keyspace, args: list[bytes]) -> bytes:
    """GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]."""
    options = parse_options(args, 2, GETEX_WORDS)
    deadline = options.deadline_ms(ks.now_ms, "getex")
    key = args[1]
    value = ks.get(key)
    if value is None:
        return NULL[ks.resp]
    if deadline or (options.lifetime and ks.deadline(key)):
        ks.expire(key, deadline)
        if ks.wants_events:
            ks.event(_moved(deadline, ks.now_ms), key)
    return bulk(value)


def _moved(deadline_ms: int, now_ms: int) -> str:
    """The event of a key that got a new deadline; 0: none."""
    if not deadline_ms:
        return "persist"
    return "expire" if deadline_ms > now_ms else "expired"


def setnx(ks: Keyspace, args: list[bytes]) -> bytes:
    """SETNX key value."""
    if ks.kind(args[1]) is not None:
        return ZERO
    ks.put(args[1], args[2])
    if ks.wants_events:
        ks.event("set", args[1])
    return ONE


def setex(ks: Keyspace, args: list[bytes]) -> bytes:
    """SETEX key seconds value."""
    return _set_until(ks, args, deadline_ms(b"EX", args[2], ks.now_ms, "setex"))


def psetex(ks: Keyspace, args: list[bytes]) -> bytes:
    """PSETEX key milliseconds value."""
    return _set_until(ks, args, deadline_ms(b"PX", args[2], ks.now_ms, "psetex"))


def _set_until(ks: Keyspace, args: list[bytes], deadline: int) -> bytes:
    ks.put(args[1], args[3], deadline)
    if ks.wants_events:
        tell_set(ks, args[1], deadline)
    return OK


def mget(ks: Keyspace, args: list[bytes]) -> bytes:
    """MGET key [key ...]; a key of another type is answered as if it were absent."""
    null = NULL[ks.resp]
    replies = []
    for key in args[1:]:
        try:
            value = ks.get(key)
        except CommandError:
            value = None
        replies.append(null if value is None else bulk(value))
    return array(replies)


def mset(ks: Keyspace, args: list[bytes]) -> bytes:
    """MSET key value [key value ...]."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity("mset"))
    for position in range(1, len(args), 2):
        ks.put(args[position], args[position + 1])
        if ks.wants_events:
            ks.event("set", args[position])
    return OK


def msetnx(ks: Keyspace, args: list[bytes]) -> bytes:
    """MSETNX key value [key value ...]: all of them, or none when one exists."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity("msetnx"))
    if any(ks.kind(key) is not None for key in args[1::2]):
        return ZERO
    mset(ks, args)
    return ONE


def append(ks: Keyspace, args: list[bytes]) -> bytes:
    """APPEND key value; the new length."""
    key, suffix = args[1], args[2]
    value = ks.get(key)
    size = len(value or b"") + len(suffix)
    if value is None:
        ks.put(key, suffix)
    else:
        _check_size(size)
        ks.patch(key, value + suffix, b"append", suffix)
    if ks.wants_events:
        ks.event("append", key)
    return integer(size)


def strlen(ks: Keyspace, args: list[bytes]) -> bytes:
    """STRLEN key."""
    return integer(len(ks.get(args[1]) or b""))


def setrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """SETRANGE key offset value; a gap is filled with zero bytes. The new length."""
    key, piece = args[1], args[3]
    offset = integer_argument(args[2])
    if offset < 0:
        raise CommandError(OFFSET_OUT_OF_RANGE)
    value = ks.get(key)
    old = value or b""
    if not piece:
        return integer(len(old))
    _check_size(offset + len(piece))
    new = b"".join([old[:offset].ljust(offset, b"\0"), piece, old[offset + len(piece) :]])
    if value is None:
        ks.put(key, new)
    else:
        ks.patch(key, new, b"setrange", offset, piece)
    if ks.wants_events:
        ks.event("setrange", key)
    return integer(len(new))


def getrange(ks: Keyspace, args: list[bytes]) -> bytes:
    """GETRANGE key start end, and SUBSTR its old name: both ends belong to the range."""
    start, end = integer_argument(args[2]), integer_argument(args[3])
    value = ks.get(args[1])
    if not value or (start < 0 and end < 0 and start > end):
        return EMPTY_BULK
    size = len(value)
    first = max(start + size, 0) if start < 0 else start
    last = max(end + size, 0) if end < 0 else end
    return bulk(value[first : last + 1])


def delifeq(ks: Keyspace, args: list[bytes]) -> bytes:
    """DELIFEQ key value: delete the key if it holds just this value."""
    if ks.get(args[1]) != args[2]:
        return ZERO
    ks.delete(args[1])
    if ks.wants_events:
        ks.event("del", args[1])
    return ONE


def _check_size(size: int) -> None:
    if size > PROTO_MAX_BULK_LEN:
        raise CommandError(TOO_LONG)
