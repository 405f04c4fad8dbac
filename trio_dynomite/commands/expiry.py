"""When keys expire: EXPIRE and its kind, TTL and its kind, PERSIST.

A deadline is an absolute moment in Unix milliseconds, whatever the command said, so that every replica
keeps the same one (https://valkey.io/commands/expire).
"""

from trio_dynomite.commands.numeric import INT64_MAX, INT64_MIN, integer_argument
from trio_dynomite.commands.refusals import invalid_expire, quoted
from trio_dynomite.commands.row import Keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import MINUS_ONE, MINUS_TWO, ONE, ZERO, integer

_CONDITIONS = frozenset([b"NX", b"XX", b"GT", b"LT"])
_NX_EXCLUDES = frozenset([b"XX", b"GT", b"LT"])
_GT_EXCLUDES = frozenset([b"LT"])


def expire(ks: Keyspace, args: list[bytes]) -> bytes:
    """EXPIRE key seconds [NX | XX | GT | LT]."""
    return _expire(ks, args, unit_ms=1000, base_ms=ks.now_ms)


def pexpire(ks: Keyspace, args: list[bytes]) -> bytes:
    """PEXPIRE key milliseconds [NX | XX | GT | LT]."""
    return _expire(ks, args, unit_ms=1, base_ms=ks.now_ms)


def expireat(ks: Keyspace, args: list[bytes]) -> bytes:
    """EXPIREAT key unix-time-seconds [NX | XX | GT | LT]."""
    return _expire(ks, args, unit_ms=1000, base_ms=0)


def pexpireat(ks: Keyspace, args: list[bytes]) -> bytes:
    """PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]."""
    return _expire(ks, args, unit_ms=1, base_ms=0)


def _expire(ks: Keyspace, args: list[bytes], *, unit_ms: int, base_ms: int) -> bytes:
    words = conditions(args[3:])
    amount_ms = integer_argument(args[2]) * unit_ms
    if not INT64_MIN <= amount_ms <= INT64_MAX - base_ms:
        raise CommandError(invalid_expire(args[0].decode("utf-8", "replace").lower()))
    # Zero would mean "never"; the first millisecond of 1970 has passed just as well.
    when_ms = max(amount_ms + base_ms, 1)
    key = args[1]
    if ks.kind(key) is None or not conditions_hold(words, when_ms, ks.deadline(key)):
        return ZERO
    ks.expire(key, when_ms)
    if ks.wants_events:
        ks.event("expire" if when_ms > ks.now_ms else "expired", key)
    return ONE


def conditions(options: list[bytes]) -> set[bytes]:
    """The words NX, XX, GT, LT among `options`, in upper case.

    Raises:
        CommandError: there is another word, or two that exclude each other.
    """
    words = set()
    for argument in options:
        word = argument.upper()
        if word not in _CONDITIONS:
            raise CommandError(f"ERR Unsupported option {quoted(argument)}")
        words.add(word)
    if b"NX" in words and words & _NX_EXCLUDES:
        raise CommandError("ERR NX and XX, GT or LT options at the same time are not compatible")
    if b"GT" in words and words & _GT_EXCLUDES:
        raise CommandError("ERR GT and LT options at the same time are not compatible")
    return words


def conditions_hold(words: set[bytes], when_ms: int, old_ms: int) -> bool:
    """Do all conditions let `when_ms` replace the deadline `old_ms`? No deadline counts as infinitely far."""
    if not words:
        return True
    if b"NX" in words and old_ms:
        return False
    if b"XX" in words and not old_ms:
        return False
    if b"GT" in words and (not old_ms or when_ms <= old_ms):
        return False
    return not (b"LT" in words and old_ms and when_ms >= old_ms)


def ttl(ks: Keyspace, args: list[bytes]) -> bytes:
    """TTL key: seconds left, to the nearest; -1: for ever; -2: no such key."""
    return _time(ks, args[1], origin_ms=ks.now_ms, unit_ms=1000)


def pttl(ks: Keyspace, args: list[bytes]) -> bytes:
    """PTTL key: milliseconds left; -1: for ever; -2: no such key."""
    return _time(ks, args[1], origin_ms=ks.now_ms, unit_ms=1)


def expiretime(ks: Keyspace, args: list[bytes]) -> bytes:
    """EXPIRETIME key: the deadline in Unix seconds; -1: none; -2: no such key."""
    return _time(ks, args[1], origin_ms=0, unit_ms=1000)


def pexpiretime(ks: Keyspace, args: list[bytes]) -> bytes:
    """PEXPIRETIME key: the deadline in Unix milliseconds; -1: none; -2: no such key."""
    return _time(ks, args[1], origin_ms=0, unit_ms=1)


def _time(ks: Keyspace, key: bytes, *, origin_ms: int, unit_ms: int) -> bytes:
    if ks.kind(key) is None:
        return MINUS_TWO
    return time_reply(ks.deadline(key), origin_ms=origin_ms, unit_ms=unit_ms)


def time_reply(deadline_ms: int, *, origin_ms: int, unit_ms: int) -> bytes:
    """The time from `origin_ms` to a deadline, rounded to the unit; -1 when there is none."""
    if not deadline_ms:
        return MINUS_ONE
    return integer((max(deadline_ms - origin_ms, 0) + unit_ms // 2) // unit_ms)


def persist(ks: Keyspace, args: list[bytes]) -> bytes:
    """PERSIST key: drop the deadline; was there one?"""
    if not ks.deadline(args[1]):
        return ZERO
    ks.expire(args[1], 0)
    if ks.wants_events:
        ks.event("persist", args[1])
    return ONE
