"""A small blocking Redis client: single commands, and a loader that fills a key space in whole buffers."""

import socket
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import hiredis

_OK = b"+OK\r\n"


class ReplyError(Exception):
    """The server answered a command with an error."""


class Client:
    """One connection; a context manager. Raises ReplyError for an error reply, OSError when cut off."""

    def __init__(self, port: int, *, timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._reader = hiredis.Reader()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def call(self, *words: str) -> Any:
        """Send one command and wait for its reply."""
        # The stub's tuple[T] means a tuple of any length.
        self._socket.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._receive())
        if isinstance(reply, hiredis.ReplyError):
            raise ReplyError(str(reply))
        return reply

    def set_all(self, requests: Iterable[bytes], per_request: int) -> None:
        """Send each buffer of `per_request` SET commands and wait for that many OKs."""
        for request in requests:
            self._socket.sendall(request)
            self._expect_ok(per_request)

    def _expect_ok(self, count: int) -> None:
        answer = bytearray()
        while len(answer) < count * len(_OK):
            answer += self._receive()
            if answer[:1] == b"-":
                raise ReplyError(bytes(answer).split(b"\r\n", 1)[0].decode())
        if answer != _OK * count:
            raise ReplyError(f"expected {count} times OK, got {bytes(answer[:80])!r}")

    def _receive(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def set_requests(pattern: str, count: int, value_bytes: int, *, per_request: int = 1000) -> Iterator[bytes]:
    """Buffers of `per_request` SET commands for keys `pattern % 0` to `pattern % (count - 1)`.

    Every value differs (its own number, padded with zeros), so a server cannot share them. `count` must be a
    multiple of `per_request`, or ValueError is raised.
    """
    if count % per_request:
        raise ValueError(f"count {count} is not a multiple of {per_request}")
    key_bytes = len(pattern % 0)
    shape = f"*3\r\n$3\r\nSET\r\n${key_bytes}\r\n{pattern}\r\n${value_bytes}\r\n%0{value_bytes}d\r\n"
    for first in range(0, count, per_request):
        yield "".join([shape % (number, number) for number in range(first, first + per_request)]).encode()


def fill(port: int, pattern: str, count: int, value_bytes: int) -> None:
    """Write keys `pattern % number` for `number` below `count`, each with its own value of `value_bytes`."""
    with Client(port, timeout_s=60.0) as client:
        client.set_all(set_requests(pattern, count, value_bytes), 1000)


def parse_info(text: str) -> dict[str, str]:
    """The fields of an INFO reply; headings and empty lines are left out."""
    pairs = (line.partition(":") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}
