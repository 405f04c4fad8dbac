"""The slow log: the last commands that took longer than a threshold, as Redis's SLOWLOG keeps them.

What a command costs this node is measured; waiting for other nodes is not. Source: `slowlog.c`.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field, frozen

_ARGUMENTS_MAX = 32
_ARGUMENT_BYTES_MAX = 128


@frozen
class SlowEntry:
    """One slow command."""

    number: int
    time_s: int
    """Unix time."""
    usec: int
    args: tuple[bytes, ...]
    """Cut short."""
    address: str
    name: bytes
    """The client's."""


@define
class SlowLog:
    """The slow log of one node."""

    threshold_usec: int = 10_000
    """0 logs every command, a negative number none."""
    max_entries: int = 128
    entries: deque[SlowEntry] = field(factory=deque)
    """The newest first."""
    _numbers: int = 0

    def add(self, time_s: int, usec: int, args: list[bytes], address: str, name: bytes) -> None:
        """Keep a command, if it was slow."""
        if 0 <= self.threshold_usec <= usec:
            self.entries.appendleft(SlowEntry(self._numbers, time_s, usec, cut(args), address, name))
            self._numbers += 1
            self.trim()

    def trim(self) -> None:
        """Forget the oldest ones that are too many."""
        while len(self.entries) > self.max_entries:
            self.entries.pop()


def cut(args: list[bytes]) -> tuple[bytes, ...]:
    """The arguments as far as the log keeps them: 32, and 128 bytes of each."""
    shown = args if len(args) <= _ARGUMENTS_MAX else args[: _ARGUMENTS_MAX - 1]
    kept = [_cut(arg) for arg in shown]
    if len(shown) < len(args):
        kept.append(b"... (%d more arguments)" % (len(args) - len(shown)))
    return tuple(kept)


def _cut(arg: bytes) -> bytes:
    if len(arg) <= _ARGUMENT_BYTES_MAX:
        return arg
    return arg[:_ARGUMENT_BYTES_MAX] + b"... (%d more bytes)" % (len(arg) - _ARGUMENT_BYTES_MAX)
