"""The scripts and libraries that all nodes have in common: a map of names, each with its newest value.

A value is None where something was deleted. Each change has a stamp, and the newer one stays, so nodes that
exchange their maps in any order come to the same. A flush is an entry too: what is older than it is gone.
"""

from collections.abc import Iterable, Mapping

from attrs import define, field

Change = list[tuple[bytes, bytes | None]]
"""What every node must learn, under one stamp: names and their values."""

SCRIPT = b"script:"
"""The name of a script is this and its SHA-1; its value the source."""
RECENT = b"recent:"
"""The same of a script that somebody ran with EVAL. All nodes may know it, but none needs to keep it."""
LIBRARY = b"library:"
"""The name of a library is this and its own; its value the code."""
FLUSH = b"flush:"
"""Everything older whose name begins with the rest of this entry's name is gone."""


@define
class Shared:
    """The map of one node."""

    entries: dict[bytes, tuple[int, bytes | None]] = field(factory=dict)
    """Name → (stamp, value)."""

    def learn(self, changes: Iterable[tuple[bytes, bytes | None]], stamp: int) -> list[bytes]:
        """Take in what was changed at `stamp`: the names whose value is another one now."""
        changed: list[bytes] = []
        for name, value in changes:
            if name.startswith(RECENT) or stamp <= self._newest(name):
                continue
            self.entries[name] = (stamp, value)
            changed.append(name)
            if name.startswith(FLUSH):
                self._sweep(name.removeprefix(FLUSH), stamp)
        return changed

    def merge(self, entries: Mapping[bytes, tuple[int, bytes | None]]) -> list[bytes]:
        """Take in another node's map: the names whose value is another one now."""
        flushes = {name: entry for name, entry in entries.items() if name.startswith(FLUSH)}
        changed: list[bytes] = []
        for name, (stamp, value) in {**flushes, **entries}.items():
            changed += self.learn([(name, value)], stamp)
        return changed

    def is_flushed(self, kind: bytes, stamp: int) -> bool:
        """Was everything flushed whose name begins with `kind`, after `stamp`?"""
        return stamp < self.entries.get(FLUSH + kind, (0, None))[0]

    def _newest(self, name: bytes) -> int:
        """The stamp of what is known of `name`. What was flushed in the same step came before it."""
        known = self.entries.get(name, (-1, None))[0]
        flushed = self.entries.get(FLUSH + name.partition(b":")[0] + b":", (-1, None))[0]
        return max(known, flushed - 1)

    def _sweep(self, kind: bytes, stamp: int) -> None:
        """Forget what a flush at `stamp` has taken away."""
        for name in [name for name in self.entries if name.startswith(kind)]:
            if self.entries[name][0] < stamp:
                del self.entries[name]
