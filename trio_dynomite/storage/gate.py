"""The gate: what a turn says is held back until what it wrote is safe.

A store whose writes are on disk, or at a server, only some time after the turn raises `made` at a commit that
wrote something, and calls `settle` when all up to a commit is safe. What clients and peers are told in a turn
leaves when that turn's commits, and all before, are safe: nobody hears of what may still be lost, not even
a reader. Turns go on meanwhile, and many commits become safe at once.
"""

from typing import Protocol

from attrs import define, field


class Held(Protocol):
    """A channel with bytes behind the gate."""

    def release(self, safe: int) -> None:
        """All commits up to `safe` are safe."""

    def refuse(self, number: int) -> None:
        """The commit `number` could not be stored."""


@define(eq=False)
class Gate:
    """Commits by number: made, and safe."""

    made: int = 0
    """The newest commit."""
    safe: int = 0
    """The newest commit that cannot be lost any more."""
    held: list[Held] = field(factory=list)
    """Channels with bytes that wait."""

    @property
    def is_shut(self) -> bool:
        """Is something not safe yet?"""
        return self.made > self.safe

    def settle(self, number: int) -> None:
        """All commits up to `number` are safe: let out what waited for them. To be called in a turn."""
        self.safe = max(self.safe, number)
        held, self.held = self.held, []
        for channel in held:
            channel.release(self.safe)

    def refuse(self, number: int) -> None:
        """A commit could not be stored: who was to hear of it hears nothing, and knows no outcome."""
        for channel in list(self.held):
            channel.refuse(number)
