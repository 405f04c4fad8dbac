"""The options of SET and GETEX, HSETEX and HGETEX: what to require, what to answer, when to expire.

Options stand in any order and case. Of a group that excludes each other one word may stand, even twice
(but not IFEQ); the last value counts (`parseExtendedCommandArgumentsOrReply` in Valkey).
"""

from attrs import define

from trio_dynomite.commands.numeric import INT64_MAX, integer_argument
from trio_dynomite.commands.refusals import SYNTAX, invalid_expire
from trio_dynomite.errors import CommandError

_CONDITIONS = frozenset([b"NX", b"XX", b"IFEQ"])
_FIELD_CONDITIONS = frozenset([b"FNX", b"FXX"])
_UNITS_MS = {b"EX": 1000, b"PX": 1, b"EXAT": 1000, b"PXAT": 1}
_RELATIVE = frozenset([b"EX", b"PX"])
_WITH_VALUE = frozenset([*_UNITS_MS, b"IFEQ"])

SET_WORDS = frozenset([*_CONDITIONS, *_UNITS_MS, b"GET", b"KEEPTTL"])
GETEX_WORDS = frozenset([*_UNITS_MS, b"PERSIST"])
HSETEX_WORDS = frozenset([*_UNITS_MS, *_FIELD_CONDITIONS, b"NX", b"XX", b"KEEPTTL"])


@define
class Options:
    """What the words after the key (and value) ask for."""

    condition: bytes = b""
    """NX, XX, IFEQ or nothing."""
    wanted: bytes = b""
    """The value that IFEQ compares with."""
    field_condition: bytes = b""
    """FNX, FXX or nothing."""
    lifetime: bytes = b""
    """EX, PX, EXAT, PXAT, KEEPTTL, PERSIST or nothing."""
    amount: bytes = b""
    """The number after EX and its kind, unread."""
    answer_old: bool = False
    """GET: answer the value from before."""

    def take(self, word: bytes, value: bytes) -> None:
        """Note one option. Raises CommandError when another of its group stands already."""
        if word == b"GET":
            self.answer_old = True
        elif word in _CONDITIONS:
            self.condition, self.wanted = _only(self.condition, word), value
        elif word in _FIELD_CONDITIONS:
            self.field_condition = _only(self.field_condition, word)
        else:
            self.lifetime, self.amount = _only(self.lifetime, word), value

    def deadline_ms(self, now_ms: int, command: str, *, least: int = 1) -> int:
        """When the key (or field) shall expire, in Unix milliseconds; 0 when no time was given."""
        if self.lifetime not in _UNITS_MS:
            return 0
        return deadline_ms(self.lifetime, self.amount, now_ms, command, least=least)


def parse_options(args: list[bytes], start: int, words: frozenset[bytes]) -> Options:
    """The options from `args[start]` on, out of `words`. Raises CommandError."""
    options = Options()
    rest = iter(args[start:])
    for argument in rest:
        word = argument.upper()
        if word not in words:
            raise CommandError(SYNTAX)
        value = next(rest, None) if word in _WITH_VALUE else b""
        if value is None:
            raise CommandError(SYNTAX)
        options.take(word, value)
    return options


def deadline_ms(unit: bytes, amount: bytes, now_ms: int, command: str, *, least: int = 1) -> int:
    """The Unix milliseconds that EX, PX, EXAT or PXAT with `amount` mean; always positive.

    Raises:
        CommandError: `amount` is no integer, below `least`, or beyond 64 bits of milliseconds.
    """
    number = integer_argument(amount)
    when_ms = number * _UNITS_MS[unit] + (now_ms if unit in _RELATIVE else 0)
    if number < least or when_ms > INT64_MAX:
        raise CommandError(invalid_expire(command))
    # Zero would mean "never"; the first millisecond of 1970 has passed just as well.
    return max(when_ms, 1)


def _only(chosen: bytes, word: bytes) -> bytes:
    if chosen and (chosen != word or word == b"IFEQ"):
        raise CommandError(SYNTAX)
    return word
