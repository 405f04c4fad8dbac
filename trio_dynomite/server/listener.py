"""Listeners: sockets that accept, in the hub's set like any other.

Accepting inside the turn costs no task per connection, and a burst of ten thousand is a few turns.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from attrs import define

from trio_dynomite.errors import DynomiteError
from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.gated import GatedChannel
from trio_dynomite.hub.hub import Hub
from trio_dynomite.storage.gate import Gate

_ACCEPTS_A_TURN = 128
_BACKLOG = 1024
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@define(eq=False)
class Listener:
    """A listening socket; `serve` is given every connection and its address (`host:port`)."""

    hub: Hub
    host: str
    port: int
    serve: Callable[[Channel, str], None]
    output_max: int = 64 << 20
    gate: Gate | None = None
    """What is said here must be safe first."""
    fd: int = -1
    _sock: socket.socket | None = None
    """None while it does not listen."""

    def open(self) -> None:
        """Listen. Raises DynomiteError when the address cannot be had."""
        try:
            sock = _listen(self.host, self.port)
        except OSError as error:
            raise DynomiteError(
                f"cannot listen on {endpoint((self.host, self.port))}: {error.strerror or error};"
                " is another program using it?"
            ) from error
        self._sock, self.fd = sock, sock.fileno()
        self.hub.add(self)

    def on_ready(self, event: int) -> None:
        """Accept what waits."""
        for _ in range(_ACCEPTS_A_TURN):
            if self._sock is None:
                return
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # Out of descriptors: those that wait stay in the backlog until one is free.
                if error.errno in _NO_ROOM or error.errno == errno.ECONNABORTED:
                    return
                raise
            self._serve(sock, endpoint(address))

    def _serve(self, sock: socket.socket, address: str) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self.serve(self._channel(sock), address)
        except OSError:  # it hung up while it waited to be accepted
            sock.close()

    def _channel(self, sock: socket.socket) -> Channel:
        if self.gate is None:
            return Channel(self.hub, sock, output_max=self.output_max)
        return GatedChannel(self.hub, sock, output_max=self.output_max, gate=self.gate)

    def close(self, reason: str = "") -> None:
        """Listen no more."""
        if self._sock is not None:
            self.hub.remove(self)
            self._sock.close()
            self._sock = None


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def endpoint(address: object) -> str:
    """host:port of a socket's address; IPv6 in brackets, a Unix socket's path as it is."""
    if isinstance(address, tuple):
        host, port = address[0], address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return str(address)
