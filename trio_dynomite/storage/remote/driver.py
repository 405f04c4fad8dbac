"""The driver: how records are read from one kind of server and written to it. Pure: bytes out, values in."""

from collections.abc import Callable
from typing import Any, Protocol

from trio_dynomite.data.record import Record
from trio_dynomite.storage.remote.cache import Entry

Reply = Any
"""A reply of the server as the connection gives it, or LOST."""


class Connection(Protocol):
    """A connection that answers requests in their order."""

    def send(self, data: bytes, on_reply: Callable[[Reply], None]) -> None:
        """Send a request when the turn ends; `on_reply` is told the reply."""

    def close(self, reason: str = "") -> None:
        """End it; all that is under way is answered with LOST."""


class Driver(Protocol):
    """What a store on a server asks of the kind of server."""

    def refusal(self, key: bytes) -> str | None:
        """Why the server can have no such key."""

    def check(self, key: bytes, record: Record) -> None:
        """Raises CommandError when the server cannot keep this record."""

    def read(self, key: bytes) -> bytes:
        """The request for all that the server knows of `key`."""

    def found(self, key: bytes, reply: Reply) -> Entry:
        """What the reply tells. Raises ProtocolError when it tells nothing."""

    def write(self, key: bytes, entry: Entry, now_ms: int) -> bytes:
        """The request that makes the server's record of `key` what the entry has."""

    def wrote(self, entry: Entry, reply: Reply) -> bool:
        """Was it written? If not, the server has another record, which is to be read and joined.

        Raises ProtocolError when it could not be written at all."""

    def flush(self) -> bytes:
        """The request that forgets everything."""
