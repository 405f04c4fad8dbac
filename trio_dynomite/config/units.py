"""Durations and sizes as people write them: `500ms`, `2s`, `64mb`.

Sizes follow redis.conf: `kb` is 1024 and `k` is 1000. A bare number is seconds, or bytes.
"""

import math
import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}

_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", re.ASCII)


def seconds(value: object) -> float:
    """The seconds in `value`, a number or a text such as `500ms`. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = float(value)
    elif isinstance(value, str):
        amount = _read(value, SECONDS, "s", 'a duration such as "500ms", "2s" or "5m"')
    else:
        raise ValueError(f'must be a duration such as "500ms", "2s" or "5m", not {value!r}')
    if not math.isfinite(amount) or amount < 0:
        raise ValueError(f"must be a duration of zero or more, not {value!r}")
    return amount


def size_bytes(value: object) -> int:
    """The bytes in `value`, a whole number or a text such as `64mb`. Raises ValueError."""
    expected = 'a size such as "64kb", "512mb" or 1048576'
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"must be {expected}, not {value!r}")
    amount = value if isinstance(value, int) else _read(value, BYTES, "b", expected)
    if amount != int(amount):
        raise ValueError(f"must be a whole number of bytes, not {value!r}")
    return int(amount)


def _read(text: str, units: dict[str, float] | dict[str, int], bare: str, expected: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"must be {expected}, not {str(text)!r}")
    number, unit = match[1], match[2].lower() or bare
    if unit not in units:
        raise ValueError(f"unknown unit {match[2]!r} in {str(text)!r}; the units are {', '.join(units)}")
    # Whole numbers stay whole: a size above 2**53 bytes must not be rounded.
    return (int(number) if number.isdigit() else float(number)) * units[unit]
