"""The timeout of a blocking command, as Redis reads it (`getTimeoutFromObjectOrReply` in its `timeout.c`).

It is a number of seconds with a fraction, any that `long double` has, and counts in whole milliseconds,
rounded up; 0 waits for ever.
"""

from math import ceil, ldexp

from trio_dynomite.commands.long_double import LongDouble, parse
from trio_dynomite.commands.numeric import INT64_MAX, parse_int64
from trio_dynomite.errors import CommandError

NOT_A_FLOAT = "ERR timeout is not a float or out of range"
NOT_AN_INTEGER = "ERR timeout is not an integer or out of range"
OUT_OF_RANGE = "ERR timeout is out of range"
NEGATIVE = "ERR timeout is negative"

_LATEST_NOW_MS = 2_000_000_000_000
"""The time of day that a timeout is added to, at most: May 2033. The sum has to fit 64 bits."""
_LIMIT_MS = INT64_MAX - _LATEST_NOW_MS
_INT64_BITS = 63
_COMMON_DIGITS = 9
"""Digits of the usual timeouts, which need no long double: consumers of queues come back again and again."""


def seconds(text: bytes) -> float:
    """How many seconds the argument `text` lets a command wait; 0: for ever.

    Raises:
        CommandError: it spells no number, a negative one, or an end beyond 64 bits of milliseconds.
    """
    if text.isdigit() and len(text) <= _COMMON_DIGITS:
        return int(text)
    rounded_ms = _milliseconds(_number(text))
    if rounded_ms > _LIMIT_MS:
        raise CommandError(OUT_OF_RANGE)
    if rounded_ms < 0:
        raise CommandError(NEGATIVE)
    return rounded_ms / 1000


def milliseconds(text: bytes) -> int:
    """How many milliseconds XREAD's BLOCK lets it wait: a whole number; 0: for ever. Raises CommandError."""
    number = parse_int64(text)
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    if number > _LIMIT_MS:
        raise CommandError(OUT_OF_RANGE)
    if number < 0:
        raise CommandError(NEGATIVE)
    return number


def _number(text: bytes) -> LongDouble:
    try:
        return parse(text)
    except CommandError:
        raise CommandError(NOT_A_FLOAT) from None


def _milliseconds(number: LongDouble) -> int:
    """Rounded up; what does not fit 64 bits is the largest or the smallest that does."""
    significand, exponent = number
    if significand.bit_length() + exponent > _INT64_BITS:
        return INT64_MAX if significand > 0 else -INT64_MAX
    return ceil(ldexp(significand, exponent) * 1000)
