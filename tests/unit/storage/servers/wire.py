"""Stands for a channel to a server."""

from attrs import define, field

from trio_dynomite.storage.servers.pipe import ServerPipe


@define(eq=False)
class Wire:
    """Keeps what is written."""

    handler: ServerPipe
    sent: list[bytes] = field(factory=list)
    unsent: int = 0
    room_made: int = 0

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, reason: str = "closed here") -> None:
        if not self.handler.is_closed:
            self.handler.closed(reason)

    def close_when_sent(self) -> None:
        self.close()

    def hold(self, held: bool) -> None:
        raise AssertionError("a server is never held up")
