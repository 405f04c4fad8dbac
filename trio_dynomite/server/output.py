"""How much output may wait for a client that is sent messages unasked: Redis's client-output-buffer-limit.

It holds for messages only. Replies need no limit, because a client that does not read its replies is not read
from either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from trio_dynomite.server.modes import MONITORING, SUBSCRIBED

if TYPE_CHECKING:
    from trio_dynomite.server.outbox import Outbox

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 10**6, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}
_CLASSES = {"normal": "normal", "slave": "slave", "replica": "slave", "pubsub": "pubsub"}


@frozen
class OutputLimit:
    """Bytes that may be unread: `hard` at any moment, `soft` for `soft_s` seconds. 0 means no limit."""

    hard: int
    soft: int
    soft_s: int
    calm: int = field(init=False)
    """Up to here there is nothing to look at."""

    @calm.default
    def _calm(self) -> int:
        return min(self.hard or 1 << 62, self.soft or 1 << 62)

    def is_passed(self, session: Outbox, unread: int, now_s: float) -> bool:
        """Is it over the hard limit, or over the soft one for too long?"""
        if 0 < self.hard < unread:
            return True
        if not session.too_slow_since_s:
            session.too_slow_since_s = now_s
        return 0 < self.soft < unread and now_s - session.too_slow_since_s > self.soft_s


DEFAULT_LIMITS: Mapping[str, OutputLimit] = {
    "normal": OutputLimit(32 << 20, 8 << 20, 60),
    "slave": OutputLimit(256 << 20, 64 << 20, 60),
    "pubsub": OutputLimit(32 << 20, 8 << 20, 60),
}
"""Redis's, but that clients which track keys are bounded, too; `slave` is for monitors, as in Redis."""


def class_of(session: Outbox) -> str:
    """The class of limits that a session is under."""
    if session.modes & MONITORING:
        return "slave"
    return "pubsub" if session.modes & SUBSCRIBED else "normal"


def parse_limits(text: bytes, now: Mapping[str, OutputLimit]) -> dict[str, OutputLimit]:
    """`now`, changed by a value of client-output-buffer-limit: class hard soft seconds… Raises ValueError."""
    words = text.decode("utf-8", "replace").split()
    if len(words) % 4 or not words:
        raise ValueError("Wrong number of arguments in buffer limit configuration.")
    limits = dict(now)
    for name, *numbers in zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True):
        kind = _CLASSES.get(name.lower())
        if kind is None:
            raise ValueError("Invalid client class specified in buffer limit configuration.")
        limits[kind] = _limit(*numbers)
    return limits


def _limit(hard: str, soft: str, seconds: str) -> OutputLimit:
    sizes = [parse_size(hard), parse_size(soft)]
    if None in sizes or not seconds.isdigit():
        raise ValueError("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
    return OutputLimit(sizes[0] or 0, sizes[1] or 0, int(seconds))


def parse_size(text: str) -> int | None:
    """Bytes as Redis's configuration writes them (64mb, 1k), or None."""
    found = re.fullmatch(r"(\d+)([a-z]*)", text.lower())
    if found is None or found[2] not in _UNITS:
        return None
    return int(found[1]) * _UNITS[found[2]]


def format_limits(limits: Mapping[str, OutputLimit]) -> str:
    """The limits as CONFIG GET writes them."""
    return " ".join([f"{name} {limit.hard} {limit.soft} {limit.soft_s}" for name, limit in limits.items()])
