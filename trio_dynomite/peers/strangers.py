"""Strangers: connections to the peer port that have yet to say HELLO.

Anybody who can reach the port can open them. So they are few, may send little (`HELLO_MAX`), and have as long
as a peer may be silent; for one more than that the oldest is closed, for a peer says HELLO as soon as it is
connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from trio_dynomite.peers.acceptor import Acceptor

STRANGERS_MAX = 64
"""At one time, besides one for each peer."""


@define(eq=False)
class Strangers:
    """Those of one node."""

    patience_s: float
    most: int
    closed: int = 0
    """Because there were too many, or because they said nothing in time."""
    _opened_s: dict[Acceptor, float] = field(factory=dict)
    """The oldest first."""

    def came(self, acceptor: Acceptor, now_s: float) -> None:
        """Somebody connected."""
        if len(self._opened_s) >= self.most:
            self._close(next(iter(self._opened_s)), "too many others have not said HELLO")
        self._opened_s[acceptor] = now_s

    def left(self, acceptor: Acceptor) -> None:
        """It has said HELLO, or its connection has ended."""
        self._opened_s.pop(acceptor, None)

    def excuse(self, now_s: float) -> None:
        """This node itself was paused: they have time from now on."""
        self._opened_s = dict.fromkeys(self._opened_s, now_s)

    def tick(self, now_s: float) -> None:
        """Close those whose time is over."""
        for acceptor, opened_s in list(self._opened_s.items()):
            if opened_s + self.patience_s > now_s:
                return
            self._close(acceptor, "it did not say HELLO")

    def _close(self, acceptor: Acceptor, reason: str) -> None:
        self.closed += 1
        acceptor.pipe.close(reason)
