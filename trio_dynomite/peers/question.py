"""A question to a seed: who is there? One connection, a frame each way, and it ends. No sockets, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.member import encode_member
from trio_dynomite.protocol.frames import PROTOCOL, FrameReader, Kind, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.hub.channel import Pipe
    from trio_dynomite.peers.members import Address

ANSWER_MAX = 64 << 20
"""Longest answer that is believed: some ten thousand members with many tokens."""


@define(eq=False)
class Question:
    """The asker's end of the connection."""

    engine: Engine
    address: Address
    pipe: Pipe
    failure: str | None = "it did not answer"
    """Why there is no answer; None once there is."""
    on_closed: Callable[[], None] = lambda: None
    _reader: FrameReader = field(factory=lambda: FrameReader(ANSWER_MAX))

    def start(self) -> None:
        """Ask, and say who we are."""
        settings, members = self.engine.roster.settings, self.engine.roster.members
        who = [encode_member(members.own)]
        self.pipe.write(encode(Kind.MEMBERS, PROTOCOL, settings.cluster, settings.fingerprint, who))

    def received(self, data: bytes) -> None:
        """Bytes from the seed."""
        try:
            for kind, fields in self._reader.feed(data):
                self._handle(kind, fields)
        except (ProtocolError, LookupError, TypeError, ValueError) as mistake:
            self.failure = f"it does not speak the peer protocol: {mistake!r}"
            self.pipe.close(self.failure)

    def _handle(self, kind: int, fields: list[Any]) -> None:
        if kind == Kind.MEMBERS:
            self.failure = None
            self.engine.roster.members.answered(self.address, fields[0], fields[1])
        elif kind in (Kind.REFUSE, Kind.GOODBYE):
            self.failure = f"it refused: {fields[0]}"
            self.engine.roster.members.refused()

    def drained(self) -> None:
        """Nothing waits for room here."""

    def closed(self, reason: str) -> None:
        """The connection has ended."""
        self.on_closed()
