"""The integers that commands take, read exactly as Redis reads them (`string2ll` in its `util.c`).

One form only: no plus sign, no spaces, no leading zeros, nothing outside 64 bits. A string that reads
as an integer is therefore the very bytes that writing that integer gives.
"""

from trio_dynomite.commands.refusals import NOT_AN_INTEGER
from trio_dynomite.errors import CommandError

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
_DIGITS_MAX = 20


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
