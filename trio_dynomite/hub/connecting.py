"""Connecting to a host and port: every address that the name has at this moment, one after the other."""

from __future__ import annotations

import socket

import trio


async def connect(host: str, port: int) -> socket.socket:
    """A connected plain socket. Raises OSError."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    mistake: OSError | None = None
    for family, kind, protocol, _, address in found:
        sock = trio.socket.socket(family, kind, protocol)
        try:
            await sock.connect(address)
        except OSError as error:
            sock.close()
            mistake = error
        except BaseException:
            sock.close()
            raise
        else:
            return _plain(sock)
    raise mistake or OSError(f"{host} has no address")


def _plain(sock: trio.socket.SocketType) -> socket.socket:
    """The socket that a Trio socket holds, ours now."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return socket.socket(fileno=sock.detach())
