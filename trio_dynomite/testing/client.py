"""A client of a simulated cluster: one call of a command, and where its reply goes."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.coordinator.routes import Route
from trio_dynomite.model import Level


@define(eq=False, repr=False)
class Client:
    """One call of a command; the caller of it, and where its reply goes."""

    read_level: Level
    write_level: Level
    on_reply: Callable[[bytes], None]
    resp: int = 2
    hops: int = 0
    replies: int = 0

    remote_writes: dict[Route, int] = field(factory=dict)

    def note(self, away: Route | None, reading: Route | None, change: int) -> None:
        """One call has no other requests to keep in order with."""

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Client:
        """Who is told the reply."""
        return self

    def block(self) -> Client:
        """As `wait`: nothing comes after this one call."""
        return self

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""
        batch.waiting.append((need, self, reply))

    def done(self, reply: bytes) -> None:
        """The reply; a second one is a bug."""
        self.replies += 1
        assert self.replies == 1, "a request was answered twice"
        self.on_reply(reply)
