"""Broadcasts: what nodes tell each other that is not about one key, and how they are answered.

Something told has a name and values. A node answers by the listener of that name, at once or, where the
listener takes the `answer` function itself, later. It travels as a command does (a RUN frame), so it comes in
order with this node's other requests to the same peer, and a link that breaks answers with LOST.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.peers.link import LOST
from trio_dynomite.peers.peer import Peer

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.acceptor import Acceptor

TELL_HOPS = -2
"""In a RUN frame, where the hops stand: this is something told, not a command."""

Answers = Callable[[list[Any]], None]
Listener = Callable[[list[Any]], Any]
LateListener = Callable[["Acceptor", list[Any], Callable[[Any], None]], None]
"""Told also on which of a peer's connections it came."""


@define(eq=False)
class Broadcasts:
    """What one node tells and hears."""

    engine: Engine
    listeners: dict[bytes, Listener] = field(factory=dict)
    """By name, what gives the answer at once."""
    late: dict[bytes, LateListener] = field(factory=dict)
    """By name, what gives the answer in its own time."""

    def tell(self, peer: Peer, what: bytes, values: list[Any], answer: Callable[[Any], None]) -> None:
        """Tell one open peer; `answer` gets its answer, or LOST."""
        assert peer.link is not None
        peer.link.run([0, 0, 2, TELL_HOPS, [what, values]], lambda value, clock=0: answer(value))

    def tell_all(self, what: bytes, values: list[Any], answer: Answers) -> None:
        """Tell every open peer; `answer` gets the answers of those that were not lost, once all are in."""
        peers = [peer for peer in self.engine.roster.peers.values() if peer.is_open]
        answers: list[Any] = []
        waiting = len(peers)

        def answered(value: Any) -> None:
            nonlocal waiting
            waiting -= 1
            if value is not LOST and value is not None:
                answers.append(value)
            if not waiting:
                answer(answers)

        for peer in peers:
            self.tell(peer, what, values, answered)
        if not peers:
            answer(answers)

    def hear(self, acceptor: Acceptor, told: list[Any], answer: Callable[[Any], None]) -> None:
        """A peer told something. What has no listener here (the peer is newer) is answered with nothing."""
        what, values = told[0], told[1]
        if what in self.late:
            self.late[what](acceptor, values, answer)
        elif what in self.listeners:
            answer(self.listeners[what](values))
        else:
            answer(None)
