"""A channel behind the gate: what it says in a turn leaves when what the turn wrote is safe."""

from __future__ import annotations

from collections import deque

from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.storage.gate import Gate


@define(eq=False)
class GatedChannel(Channel):
    """A channel whose bytes pass the gate."""

    gate: Gate = field(kw_only=True)
    _staged: list[bytes] = field(factory=list)
    """Written in this turn."""
    _kept: deque[tuple[int, list[bytes]]] = field(factory=deque)
    """Commit, and the bytes that may leave when it is safe."""
    _kept_bytes: int = 0
    """In both."""

    def write(self, data: bytes) -> None:
        """Send `data` when the turn ends, and its commits are safe."""
        if not self._is_touched:
            self._is_touched = True
            self.hub.touched.append(self)
        self._staged.append(data)
        self._kept_bytes += len(data)

    def flush(self) -> None:
        """Give the socket what may leave and what it takes."""
        if self._staged:
            staged, self._staged = self._staged, []
            if self._kept or self.gate.is_shut:
                if not self._kept:
                    self.gate.held.append(self)
                self._kept.append((self.gate.made, staged))
            else:
                self._let_out(staged)
        super().flush()

    def release(self, safe: int) -> None:
        """All commits up to `safe` are safe."""
        while self._kept and self._kept[0][0] <= safe:
            self._let_out(self._kept.popleft()[1])
        if self._kept:
            self.gate.held.append(self)
        is_touched = self._is_touched
        super().flush()
        self._is_touched = is_touched

    def refuse(self, number: int) -> None:
        """The commit `number` could not be stored: nothing that is held back since then may be said."""
        if self._kept and self._kept[-1][0] >= number:
            self.close("what it was to hear of could not be stored")

    def _let_out(self, parts: list[bytes]) -> None:
        size = sum(map(len, parts))
        self._out += parts
        self._waiting += size
        self._kept_bytes -= size

    @property
    def unsent(self) -> int:
        """Bytes written and not taken yet."""
        return self._kept_bytes + super().unsent

    def close(self, reason: str = "closed here") -> None:
        """Close the socket now; what was held back is not said any more."""
        self._staged.clear()
        self._kept.clear()
        self._kept_bytes = 0
        super().close(reason)
