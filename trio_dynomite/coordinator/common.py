"""What all nodes have in common beside the keys: scripts, libraries, users.

Each topic is a small map of names, of which every node has all: name, stamp and value, None where it was
deleted; the newer stamp stays. A change is told to every open peer, and two nodes that connect tell each
other all they have. So nodes end alike, and one that starts has heard everything before it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.acceptor import Acceptor
    from trio_dynomite.peers.peer import Peer

COMMON, ALL_TOLD = b"common", b"all told"
Told = list[Any]
"""Entries of a topic, as its keeper packs them for a frame."""


@frozen
class Topic:
    """One map, by what its keeper does."""

    everything: Callable[[], Told]
    """Packs the whole map."""
    join: Callable[[Told], int]
    """Joins another node's map, or a part of it; the newest stamp in it."""


@define(eq=False)
class Common:
    """The topics of one node."""

    engine: Engine
    topics: dict[bytes, Topic] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.engine.broadcasts.late[COMMON] = self._heard
        self.engine.broadcasts.late[ALL_TOLD] = self._heard_all

    def tell(self, topic: bytes, told: Told, then: Callable[[], None] = lambda: None) -> None:
        """Tell every open peer what has changed; `then`: all of them know it."""
        self.engine.broadcasts.tell_all(COMMON, [topic, told], lambda answers: then())

    def peer_opened(self, peer: Peer) -> None:
        """A peer can be told something again: tell it everything."""
        tell = self.engine.broadcasts.tell
        for name, topic in self.topics.items():
            tell(peer, COMMON, [name, topic.everything()], lambda answer: None)
        tell(peer, ALL_TOLD, [], lambda answer: None)

    def _heard(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        topic = self.topics.get(values[0])
        if topic is not None:
            self.engine.keyspace.clock.observe(topic.join(values[1]))
        answer(1)

    def _heard_all(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        assert acceptor.peer is not None
        acceptor.peer.has_told = True
        answer(1)
