"""A small blocking Redis client: single commands, and whole buffers of them."""

import socket
from types import TracebackType
from typing import Any

import hiredis


class ReplyError(Exception):
    """The server answered a command with an error."""


class Client:
    """One connection; a context manager. Raises ReplyError for an error reply, OSError when cut off."""

    def __init__(self, port: int, *, timeout_s: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.received = 0
        """Bytes, so far."""
        self._reader = hiredis.Reader()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def call(self, *words: str) -> Any:
        """Send one command and wait for its reply."""
        self.socket.sendall(pack(words))
        return self._reply()

    def call_all(self, request: bytes, commands: int) -> None:
        """Send a buffer of so many commands and wait for as many replies."""
        self.socket.sendall(request)
        for _ in range(commands):
            self._reply()

    def receive(self) -> bytes:
        """Whatever comes next, at least one byte."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received += len(data)
        return data

    def _reply(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self.receive())
        return checked(reply)


def checked(reply: Any) -> Any:
    """The reply, unless it is an error or a list with one in it (as EXEC's may be), which is raised."""
    for each in reply if isinstance(reply, list) else (reply,):
        if isinstance(each, hiredis.ReplyError):
            raise ReplyError(str(each))
    return reply


def pack(words: tuple[str, ...]) -> bytes:
    """The command as it goes over the wire; also the form of a message, which is an array of strings, too."""
    # The stub's tuple[T] means a tuple of one.
    return bytes(hiredis.pack_command(words))  # type: ignore[arg-type]


def parse_info(text: str) -> dict[str, str]:
    """The fields of an INFO reply; headings and empty lines are left out."""
    pairs = (line.partition(":") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}
