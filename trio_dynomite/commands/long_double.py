"""The arithmetic of INCRBYFLOAT: C's 80-bit `long double`, as Redis does it on x86-64.

A replica is sent the result, not the increment, so any rounding would do for consistency. We keep the
sums of the x87 format (64-bit significand, ties to even) to give the same digits as the server that a
client comes from: 0.1 plus 0.2 is 0.3 here, not 0.30000000000000004. `parse` reads what `strtold` reads
and `text_of` writes `%.17Lf` without its trailing zeros (`string2ld` and `ld2string` in Redis's `util.c`).
"""

import re
from decimal import Decimal
from typing import NamedTuple

from trio_dynomite.commands.refusals import NAN_OR_INFINITY, NOT_A_FLOAT
from trio_dynomite.errors import CommandError

_SIGNIFICAND_BITS = 64
_EXPONENT_MIN = -16445
_LOG2_LIMIT = 16384
_DECIMAL_EXPONENT_MAX = 5000
_TEXT_MAX = 5 * 1024
_FRACTION_DIGITS = 17

_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_HEXADECIMAL = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]{1,9}))?")
_INFINITE = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)


class LongDouble(NamedTuple):
    """The number significand x 2**exponent; infinite from 2**16384 on."""

    significand: int
    exponent: int

    @property
    def is_infinite(self) -> bool:
        """Is it beyond the largest number of the format?"""
        return self.significand.bit_length() + self.exponent > _LOG2_LIMIT


def parse(text: bytes) -> LongDouble:
    """The number that `text` spells, rounded to what the format holds; infinities are spelled `inf`.

    Raises:
        CommandError: it spells none, or one too large or too small to hold.
    """
    ratio = _ratio(text) if len(text) < _TEXT_MAX else None
    if ratio is not None:
        number = _rounded(*ratio)
        if not number.is_infinite and bool(number.significand) == bool(ratio[0]):
            return number
    elif infinite := _INFINITE.fullmatch(text):
        return LongDouble(-1 if infinite[1] == b"-" else 1, _LOG2_LIMIT)
    raise CommandError(NOT_A_FLOAT)


def add(left: LongDouble, right: LongDouble) -> LongDouble:
    """The sum, rounded once.

    Raises:
        CommandError: the sum is infinite or no number.
    """
    low = min(left.exponent, right.exponent)
    total = (left.significand << left.exponent - low) + (right.significand << right.exponent - low)
    number = _rounded(*_scaled(total, low))
    if left.is_infinite or right.is_infinite or number.is_infinite:
        raise CommandError(NAN_OR_INFINITY)
    return number


def text_of(number: LongDouble) -> bytes:
    """`number` with at most 17 digits after the point, no exponent and no trailing zeros."""
    scaled = _divided(*_scaled(number.significand * 10**_FRACTION_DIGITS, number.exponent))
    # Through Decimal, because Python refuses to write very long integers.
    digits = f"{Decimal(abs(scaled)):f}".rjust(_FRACTION_DIGITS + 1, "0")
    whole, fraction = digits[:-_FRACTION_DIGITS], digits[-_FRACTION_DIGITS:].rstrip("0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}{'.' if fraction else ''}{fraction}".encode()


def _ratio(text: bytes) -> tuple[int, int] | None:
    """The exact number as numerator and denominator; None when it is no number or far out of range."""
    if _DECIMAL.fullmatch(text):
        number = Decimal(text.decode())
        # The exponent is judged before it is raised: 1e999999999 would fill the memory.
        if number and abs(number.adjusted()) > _DECIMAL_EXPONENT_MAX:
            return None
        return number.as_integer_ratio() if number else (0, 1)
    if (parts := _HEXADECIMAL.fullmatch(text)) and (parts[2] or parts[3]):
        sign, whole, fraction, power = parts.groups()
        significand = int(whole + fraction, 16) * (-1 if sign == b"-" else 1)
        exponent = int(power or b"0") - 4 * len(fraction)
        if significand and abs(exponent + significand.bit_length()) > 2 * _LOG2_LIMIT:
            return None
        return _scaled(significand, exponent) if significand else (0, 1)
    return None


def _scaled(significand: int, exponent: int) -> tuple[int, int]:
    """significand x 2**exponent as numerator and denominator."""
    return (significand << exponent, 1) if exponent >= 0 else (significand, 1 << -exponent)


def _rounded(numerator: int, denominator: int) -> LongDouble:
    """The nearest number with a 64-bit significand; of two, the one with the even last bit."""
    log2 = numerator.bit_length() - denominator.bit_length()
    exponent = max(log2 - _SIGNIFICAND_BITS, _EXPONENT_MIN)
    if exponent < 0:
        numerator <<= -exponent
    else:
        denominator <<= exponent
    if abs(numerator) >= denominator << _SIGNIFICAND_BITS:
        denominator <<= 1
        exponent += 1
    return LongDouble(_divided(numerator, denominator), exponent)


def _divided(numerator: int, denominator: int) -> int:
    """The nearest integer; of two, the even one."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient & 1):
        quotient += 1
    return quotient
