"""A place in a session's queue: for one reply that is to come, or for what must follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Batch
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.server.outbox import Outbox


@define(eq=False)
class Place:
    """A place in a session's queue: for one reply, or for a run of writes that one batch will answer."""

    session: Outbox
    reply: bytes | None = None
    """What to send, once it is known."""
    is_unheard: bool = False
    """The client does not want it."""
    is_blocked: bool = False
    """It is a blocking command's, and may take for ever: messages to the client do not wait behind it."""
    away: Route | None = None
    """The route of a write that another node is to serve."""
    reading: Route | None = None
    """The route of a read."""
    batch: Batch | None = None
    need: int = 0
    promised: list[bytes] = field(factory=list)
    """The replies of the run, to be sent when the batch says so."""

    then: Callable[[bytes], None] | None = None
    """Told the reply instead of the client: it is a part of another."""

    @property
    def blocks(self) -> bool:
        """Does its command still block?"""
        return self.is_blocked and self.reply is None

    def done(self, reply: bytes) -> None:
        """The reply has come; of a run it is the first one's, or an error that is everyone's."""
        promised = self.promised
        if promised:
            reply = b"".join(promised) if reply is promised[0] else reply * len(promised)
        self.reply = b"" if self.is_unheard else reply
        if self.away is not None or self.reading is not None:
            self.session.note(self.away, self.reading, -1)
        if self.then is not None:
            self.then(self.reply)
        else:
            self.session.touch()
