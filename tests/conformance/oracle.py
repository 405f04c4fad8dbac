"""A real Valkey as an oracle: a connection that gives raw replies, and what makes two replies equal."""

import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hiredis
from attrs import define

from trio_dynomite.commands.dump import decode

OURS_ALONE = frozenset(["dyno_config:conn_consistency", "xackdel", "xdelex", "cluster|repair"])
"""Commands that Valkey 9.1 does not know."""
SENTINEL = b"$8\r\n--done--\r\n"
TOLERANCE = {b"TTL": 2, b"EXPIRETIME": 2, b"PTTL": 2000, b"PEXPIRETIME": 2000}
"""How far apart two answers about time may be: the servers are asked one after the other."""


@define
class Connection:
    """A connection to a server which hands back replies as raw bytes."""

    wire: socket.socket

    def __call__(self, *args: bytes) -> bytes:
        """The raw reply to one request."""
        return self.pipeline([args])[0]

    def pipeline(self, requests: list[tuple[bytes, ...]]) -> list[bytes]:
        """The raw replies to requests that are sent all at once."""
        # hiredis' stub says that pack_command takes one argument.
        packed = [hiredis.pack_command(args) + b"*2\r\n$4\r\nECHO\r\n" + SENTINEL for args in requests]  # type: ignore[arg-type]
        self.wire.sendall(b"".join(packed))
        said = b""
        while said.count(SENTINEL) < len(requests):
            chunk = self.wire.recv(1 << 20)
            assert chunk, "the server closed the connection"
            said += chunk
        return said.split(SENTINEL)[:-1]


def answers(
    subject: Callable[..., bytes], valkey: Connection, requests: Sequence[tuple[bytes, ...]]
) -> Iterator[tuple[tuple[bytes, ...], bytes, bytes]]:
    """Every request with our reply and Valkey's, which is asked all at once: it is farther away."""
    for request, theirs in zip(requests, valkey.pipeline([*requests]), strict=True):
        yield request, subject(*request), theirs


def assert_equal(request: tuple[bytes, ...], ours: bytes, theirs: bytes) -> None:
    name = request[0].upper()
    if name in TOLERANCE and ours[:1] == theirs[:1] == b":":
        assert abs(int(ours[1:]) - int(theirs[1:])) <= TOLERANCE[name], request
    elif name == b"DUMP" and ours[:1] == theirs[:1] == b"$" and ours != theirs:
        assert dumped(ours) == dumped(theirs), request
    else:
        assert ours == theirs, request


def dumped(reply: bytes) -> Any:
    """The type of what a reply to DUMP has in it, and the value; in order if it has none of its own."""
    kind, value = decode(reply.partition(b"\r\n")[2][:-2])
    return kind, sorted(value) if kind in ("set", "zset", "hash") else value
