"""A real Valkey as an oracle: a connection that gives raw replies, and what makes two replies equal."""

import socket

import hiredis
from attrs import define

SENTINEL = b"$8\r\n--done--\r\n"
TOLERANCE = {b"TTL": 2, b"EXPIRETIME": 2, b"PTTL": 2000, b"PEXPIRETIME": 2000}
"""How far apart two answers about time may be: the servers are asked one after the other."""


@define
class Connection:
    """A connection to a server which hands back replies as raw bytes."""

    wire: socket.socket

    def __call__(self, *args: bytes) -> bytes:
        packed = hiredis.pack_command(args)  # type: ignore[arg-type]  # its stub says one argument
        self.wire.sendall(packed + b"*2\r\n$4\r\nECHO\r\n" + SENTINEL)
        reply = b""
        while not reply.endswith(SENTINEL):
            chunk = self.wire.recv(1 << 20)
            assert chunk, "the server closed the connection"
            reply += chunk
        return reply[: -len(SENTINEL)]


def assert_equal(request: tuple[bytes, ...], ours: bytes, theirs: bytes) -> None:
    name = request[0].upper()
    if name in TOLERANCE and ours[:1] == theirs[:1] == b":":
        assert abs(int(ours[1:]) - int(theirs[1:])) <= TOLERANCE[name], request
    elif name == b"DUMP" and ours.startswith(b"-WRONGTYPE"):
        assert theirs.startswith(b"$"), request
    elif name == b"DUMP" and ours[:1] == theirs[:1] == b"$":
        assert ours[:-12] == theirs[:-12], request
    else:
        assert ours == theirs, request
