"""Glob patterns as Redis matches them (`stringmatchlen` in its `util.c`): KEYS, SCAN MATCH, CONFIG GET.

`*` any bytes, `?` one byte, `[a-c]` and `[^abc]` one of a set, a backslash before a byte takes it as it is.
A pattern becomes one regular expression. Everything between two stars is an atomic group that takes the
first place where it fits, so a match never tries again and takes time linear in each star at worst.
"""

import re
from functools import lru_cache

_NEVER = b"(?!)"
_STARS_MAX = 1000
"""With more of them Redis gives up, and finds nothing."""


@lru_cache(maxsize=512)
def compile_glob(pattern: bytes, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """The regular expression whose `fullmatch` finds what the glob `pattern` finds."""
    first, *rest = _split(pattern)
    if len(rest) > _STARS_MAX:
        return re.compile(_NEVER)
    source = b"".join(first)
    if rest:
        middle = b"".join([b"(?>.*?%b)" % b"".join(atoms) for atoms in rest[:-1] if atoms])
        source += middle + b".*" + b"".join(rest[-1])
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: bytes, text: bytes, *, ignore_case: bool = False) -> bool:
    """Does the glob `pattern` match all of `text`?"""
    return compile_glob(pattern, ignore_case=ignore_case).fullmatch(text) is not None


def _split(pattern: bytes) -> list[list[bytes]]:
    """The pieces between the stars, each a list of expressions for one byte."""
    pieces: list[list[bytes]] = [[]]
    position = 0
    while position < len(pattern):
        head = pattern[position : position + 1]
        position += 1
        if head == b"*":
            pieces.append([])
        elif head == b"?":
            pieces[-1].append(b".")
        elif head == b"[":
            atom, position = _set(pattern, position)
            pieces[-1].append(atom)
        else:
            if head == b"\\" and position < len(pattern):
                head = pattern[position : position + 1]
                position += 1
            pieces[-1].append(re.escape(head))
    return pieces


def _set(pattern: bytes, position: int) -> tuple[bytes, int]:
    """The expression for the set that opens before `position`, and where it ends. It may lack its `]`."""
    negated = pattern[position : position + 1] == b"^"
    position += negated
    ranges = []
    while position < len(pattern) and pattern[position : position + 1] != b"]":
        if pattern[position : position + 1] == b"\\" and position + 1 < len(pattern):
            low = high = pattern[position + 1]
            position += 2
        elif position + 2 < len(pattern) and pattern[position + 1 : position + 2] == b"-":
            low, high = sorted((pattern[position], pattern[position + 2]))
            position += 3
        else:
            low = high = pattern[position]
            position += 1
        ranges.append(b"\\x%02x-\\x%02x" % (low, high))
    return _set_expression(ranges, negated=negated), min(position + 1, len(pattern))


def _set_expression(ranges: list[bytes], *, negated: bool) -> bytes:
    if not ranges:
        return b"." if negated else _NEVER
    return b"[%b%b]" % (b"^" if negated else b"", b"".join(ranges))
