"""What a simulated node tells its clients, behind the gate of its store, as `GatedChannel` does it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

from trio_dynomite.storage.gate import Gate


@define(eq=False)
class Voice:
    """Of one life of a node."""

    gate: Gate | None = None
    _said: list[Callable[[], None]] = field(factory=list)
    """In this turn."""
    _kept: deque[tuple[int, list[Callable[[], None]]]] = field(factory=deque)

    def heard_by(self, on_reply: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Tell `on_reply` when what is told is safe."""
        if self.gate is None:
            return on_reply
        return lambda reply: self._said.append(lambda: on_reply(reply))

    def end_turn(self) -> None:
        """The turn is over, and what it wrote is committed."""
        said, self._said = self._said, []
        if not said:
            return
        if self.gate is not None and (self._kept or self.gate.is_shut):
            if not self._kept:
                self.gate.held.append(self)
            self._kept.append((self.gate.made, said))
            return
        for tell in said:
            tell()

    def release(self, safe: int) -> None:
        """All commits up to `safe` are safe."""
        while self._kept and self._kept[0][0] <= safe:
            for tell in self._kept.popleft()[1]:
                tell()
        if self._kept and self.gate is not None:
            self.gate.held.append(self)

    def refuse(self, number: int) -> None:
        """The commit `number` could not be stored: what was said since then nobody hears."""
        self._kept = deque([kept for kept in self._kept if kept[0] < number])
