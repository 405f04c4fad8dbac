"""The arithmetic of INCRBYFLOAT: C's 80-bit `long double`, as Redis does it on x86-64.

A replica is sent the result, not the increment, so any rounding would do for consistency. We keep the
sums of the x87 format (64-bit significand, ties to even) to give the same digits as the server that a
client comes from: 0.1 plus 0.2 is 0.3 here, not 0.30000000000000004. Numbers are exact fractions that
the format can hold. `parse` reads what `strtold` reads and `text_of` writes `%.17Lf` without its
trailing zeros (`string2ld` and `ld2string` in Redis's `util.c`).
"""

import re
from decimal import Decimal
from fractions import Fraction

from trio_dynomite.commands.refusals import NAN_OR_INFINITY, NOT_A_FLOAT
from trio_dynomite.errors import CommandError

_SIGNIFICAND_BITS = 64
_EXPONENT_MIN = -16445
_INFINITY = Fraction(2) ** 16384
_DECIMAL_EXPONENT_MAX = 5000
_TEXT_MAX = 5 * 1024
_FRACTION_DIGITS = 17

_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_HEXADECIMAL = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]{1,9}))?")
_INFINITE = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)


def parse(text: bytes) -> Fraction:
    """The number that `text` spells, rounded to what a long double holds; infinities are `±2**16384`.

    Raises:
        CommandError: it spells none, or one too large or too small to hold.
    """
    if infinite := _INFINITE.fullmatch(text):
        return -_INFINITY if infinite[1] == b"-" else _INFINITY
    exact = _exact(text) if len(text) < _TEXT_MAX else None
    if exact is None:
        raise CommandError(NOT_A_FLOAT)
    number = _rounded(exact)
    if abs(number) >= _INFINITY or (exact and not number):
        raise CommandError(NOT_A_FLOAT)
    return number


def add(left: Fraction, right: Fraction) -> Fraction:
    """The sum, rounded once.

    Raises:
        CommandError: the sum is infinite or no number.
    """
    total = _rounded(left + right)
    if max(abs(left), abs(right), abs(total)) >= _INFINITY:
        raise CommandError(NAN_OR_INFINITY)
    return total


def text_of(number: Fraction) -> bytes:
    """`number` with at most 17 digits after the point, no exponent and no trailing zeros."""
    scaled = round(number * 10**_FRACTION_DIGITS)
    digits = f"{Decimal(abs(scaled)):f}".rjust(_FRACTION_DIGITS + 1, "0")
    whole, fraction = digits[:-_FRACTION_DIGITS], digits[-_FRACTION_DIGITS:].rstrip("0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}{'.' if fraction else ''}{fraction}".encode()


def _exact(text: bytes) -> Fraction | None:
    if _DECIMAL.fullmatch(text):
        return _exact_decimal(Decimal(text.decode()))
    if (parts := _HEXADECIMAL.fullmatch(text)) and (parts[2] or parts[3]):
        sign, whole, fraction, power = parts.groups()
        exponent = int(power or b"0") - 4 * len(fraction)
        significand = int(whole + fraction, 16) * (-1 if sign == b"-" else 1)
        return _scaled(significand, exponent)
    return None


def _exact_decimal(number: Decimal) -> Fraction | None:
    # The exponent is judged before it is raised: 1e999999999 would fill the memory.
    if number and abs(number.adjusted()) > _DECIMAL_EXPONENT_MAX:
        return None
    return Fraction(number) if number else Fraction(0)


def _scaled(significand: int, exponent: int) -> Fraction | None:
    if significand and abs(exponent + significand.bit_length()) > -2 * _EXPONENT_MIN:
        return None
    return significand * Fraction(2) ** exponent if significand else Fraction(0)


def _rounded(number: Fraction) -> Fraction:
    """The nearest number with a 64-bit significand; of two, the one with the even last bit."""
    if not number:
        return number
    magnitude = abs(number)
    log2 = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude >= Fraction(2) ** log2:
        log2 += 1
    unit = Fraction(2) ** max(log2 - _SIGNIFICAND_BITS, _EXPONENT_MIN)
    return round(number / unit) * unit
