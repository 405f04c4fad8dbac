"""The integers that commands take, read exactly as Redis reads them (`string2ll` in its `util.c`).

One form only: no plus sign, no spaces, no leading zeros, nothing outside 64 bits. A string that reads
as an integer is therefore the very bytes that writing that integer gives.
"""

from trio_dynomite.commands.refusals import MUST_BE_POSITIVE, NOT_AN_INTEGER, OUT_OF_RANGE
from trio_dynomite.errors import CommandError

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
_DIGITS_MAX = 20
_DRAWS_MAX = 10_000_000
"""Draws with repeats in one request. Redis has no limit: it draws until its memory is full."""


def parse_int64(text: bytes) -> int | None:
    """The 64-bit integer that `text` is the one right spelling of, or None."""
    if len(text) > _DIGITS_MAX:
        return None
    try:
        number = int(text)
    except ValueError:
        return None
    return number if b"%d" % number == text and INT64_MIN <= number <= INT64_MAX else None


def integer_argument(text: bytes) -> int:
    """The integer that the argument `text` spells.

    Raises:
        CommandError: it spells none.
    """
    number = parse_int64(text)
    if number is None:
        raise CommandError(NOT_AN_INTEGER)
    return number


def count_argument(text: bytes) -> int:
    """The number of elements that the argument `text` asks for: 0 or more.

    Raises:
        CommandError: it spells no such number.
    """
    number = parse_int64(text)
    if number is None or number < 0:
        raise CommandError(MUST_BE_POSITIVE)
    return number


def draws_argument(text: bytes) -> int:
    """How many random elements `text` asks for: so many different ones, or, negative, so many draws.

    Raises:
        CommandError: as `signed_argument`; or it asks for too many draws.
    """
    number = signed_argument(text)
    if number < -_DRAWS_MAX:
        raise CommandError(OUT_OF_RANGE)
    return number


def signed_argument(text: bytes) -> int:
    """The integer that `text` spells, whose sign says something of its own: from which end to count.

    Raises:
        CommandError: it is no integer, or the one whose negative 64 bits do not hold.
    """
    number = integer_argument(text)
    if number == INT64_MIN:
        raise CommandError(f"ERR value is out of range, value must between {-INT64_MAX} and {INT64_MAX}")
    return number
