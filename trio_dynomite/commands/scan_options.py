"""What HSCAN, SSCAN and ZSCAN share: the cursor, the options after it, the page that they answer.

Redis reads them in this order, and the order decides which error wins: the cursor, then the key (of an absent
one the answer is an empty page, whatever the options say), then the options: `scanGenericCommand` in its
`db.c`.
"""

import re
from collections.abc import Sequence

from attrs import define

from trio_dynomite.commands.numeric import integer_argument
from trio_dynomite.commands.patterns import compile_glob
from trio_dynomite.commands.refusals import SYNTAX
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import array, bulk, bulk_array

EMPTY_PAGE = array([bulk(b"0"), array([])])
"""The answer about an absent key."""

_CURSOR = re.compile(rb"[ \t-\r]*\+?[0-9]+")
_CURSOR_MAX = 2**64 - 1
_LENGTH_MAX = 64
_BARE = {
    b"NOVALUES": "ERR NOVALUES option can only be used in HSCAN",
    b"NOSCORES": "ERR NOSCORES option can only be used in ZSCAN",
}


@define
class ScanOptions:
    """What the words after the cursor ask for."""

    count: int = 10
    """COUNT: about how many elements to look at."""
    pattern: re.Pattern[bytes] | None = None
    """MATCH: only elements (fields, members) that this matches fully; None: all."""
    bare: bool = False
    """NOVALUES or NOSCORES: the fields or members alone."""

    def picks(self, name: bytes) -> bool:
        """Does MATCH let `name` through?"""
        return self.pattern is None or self.pattern.fullmatch(name) is not None


def cursor_argument(text: bytes) -> int:
    """The cursor that `text` spells: what C's `strtoull` reads, except negative numbers.

    Raises:
        CommandError: it spells none.
    """
    if len(text) > _LENGTH_MAX or not _CURSOR.fullmatch(text) or (cursor := int(text)) > _CURSOR_MAX:
        raise CommandError("ERR invalid cursor")
    return cursor


def scan_options(args: Sequence[bytes], bare: bytes = b"") -> ScanOptions:
    """The options after `args[2]`, the cursor; `bare` is the word that asks for fields or members alone.

    Raises:
        CommandError: an unknown word, a word without its value, a count that is no positive integer.
    """
    options = ScanOptions()
    rest = iter(args[3:])
    for argument in rest:
        word = argument.upper()
        if word in _BARE:
            if word != bare:
                raise CommandError(_BARE[word])
            options.bare = True
        elif word not in (b"COUNT", b"MATCH") or (value := next(rest, None)) is None:
            raise CommandError(SYNTAX)
        elif word == b"MATCH":
            options.pattern = None if value == b"*" else compile_glob(value)
        else:
            options.count = _count(value)
    return options


def page(cursor: int, values: Sequence[bytes]) -> bytes:
    """The reply: the cursor to go on from, and what was found."""
    return array([bulk(b"%d" % cursor), bulk_array(values)])


def _count(text: bytes) -> int:
    count = integer_argument(text)
    if count < 1:
        raise CommandError(SYNTAX)
    return count
