"""The scores of sorted sets: how clients spell them, and how replies do.

Valkey reads decimal numbers and infinities, no others (`string2d` in its `util.c`), and is more lenient with
the ends of a range, which it gives to `strtod`. It prints the digits of its `fpconv_dtoa`; we print the
shortest digits that are the same number, and differ from it in one number of a thousand.
"""

import re
from collections.abc import Iterable
from math import copysign, inf

from trio_dynomite.commands.record import Scored
from trio_dynomite.commands.refusals import NOT_A_FLOAT
from trio_dynomite.errors import CommandError
from trio_dynomite.protocol.replies import array, bulk

_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)
_SHORT = 16
"""So many digits are an exact number, whatever they are."""
_WHOLE_MAX = float(2**62)
"""Whole numbers up to here are printed in full."""
_ZEROS_MAX = 7
"""Beyond so many places without digits of its own, a number is printed with an exponent."""


def score_argument(text: bytes, refusal: str = NOT_A_FLOAT) -> float:
    """The number that `text` spells.

    Raises:
        CommandError: it spells none, or one too large or too small to hold.
    """
    if text.isdigit() and len(text) < _SHORT:
        return float(text)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if abs(number) != inf and (number or not _mantissa(text).strip(b"+-0.")):
            return number
    elif _INFINITE.fullmatch(text):
        return float(text)
    raise CommandError(refusal)


def bound(text: bytes) -> float | None:
    """The end of a range of scores that `text` spells as C reads it; None: it spells none."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    return float(text) if _DECIMAL.fullmatch(text) or _INFINITE.fullmatch(text) else None


def text_of(score: float) -> bytes:
    """`score` as replies print it."""
    if -_WHOLE_MAX <= score <= _WHOLE_MAX and score.is_integer():
        return b"-0" if not score and copysign(1.0, score) < 0 else b"%d" % score
    text = repr(score)
    if "e" not in text and ("." in text[-_ZEROS_MAX:] or 1 <= abs(score) < 10_000):
        return text.encode()
    return _with_exponent(text) if abs(score) != inf else text.encode()


def score_reply(score: float, resp: int) -> bytes:
    """`score` as a reply of its own."""
    return b",%b\r\n" % text_of(score) if resp == 3 else bulk(text_of(score))


def scored_array(pairs: Iterable[Scored], resp: int) -> bytes:
    """Members with their scores: pairs in RESP3, all in one row in RESP2."""
    if resp == 3:
        return nested_array(pairs, resp)
    return array([piece for member, score in pairs for piece in (bulk(member), bulk(text_of(score)))])


def nested_array(pairs: Iterable[Scored], resp: int) -> bytes:
    """Members with their scores, in pairs."""
    return array([b"*2\r\n" + bulk(member) + score_reply(score, resp) for member, score in pairs])


def _mantissa(text: bytes) -> bytes:
    return text.lower().partition(b"e")[0]


def _with_exponent(text: str) -> bytes:
    """What `emit_digits` in Valkey's `fpconv_dtoa.c` makes of a finite number other than 0."""
    sign = "-" if text[0] == "-" else ""
    mantissa, _, power = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) - len(fraction) + len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    size = len(digits)
    leading = exponent + size - 1
    if exponent >= 0 and leading < size + _ZEROS_MAX:
        return f"{sign}{digits}{'0' * exponent}".encode()
    if exponent < 0 and (exponent > -_ZEROS_MAX or abs(leading) < 4):
        padded = digits.rjust(1 - exponent, "0")
        return f"{sign}{padded[:exponent]}.{padded[exponent:]}".encode()
    return f"{sign}{digits[0]}{'.' if size > 1 else ''}{digits[1:]}e{leading:+d}".encode()
