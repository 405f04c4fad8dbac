"""Calling a server: a TCP address or a Unix socket becomes a line, which the hub serves when it is opened."""

from __future__ import annotations

import socket
import ssl

import trio
from attrs import define

from trio_dynomite.hub.channel import Channel, Handler, PeerPipe
from trio_dynomite.hub.connecting import connect
from trio_dynomite.hub.hub import Hub
from trio_dynomite.hub.tls import TlsPipe
from trio_dynomite.model import Endpoint


@define(eq=False)
class CalledLine:
    """A connected socket that nobody serves yet."""

    hub: Hub
    sock: socket.socket
    output_max: int
    tls: ssl.SSLContext | None
    server_name: str

    def open(self, handler: Handler) -> PeerPipe:
        """Serve it: `handler` gets its bytes from now on."""
        channel = Channel(self.hub, self.sock, output_max=self.output_max)
        if self.tls is None:
            channel.open(handler)
            return channel
        pipe = TlsPipe(self.hub, channel, self.tls, self.server_name)
        pipe.open(handler)
        return pipe


async def call(
    hub: Hub, endpoint: Endpoint, output_max: int, tls: ssl.SSLContext | None = None
) -> CalledLine:
    """Connect to `endpoint`; with `tls`, all that is said on it is encrypted. Raises OSError."""
    if endpoint.path:
        sock = await _connect_path(endpoint.path)
    else:
        sock = await connect(endpoint.host, endpoint.port)
    return CalledLine(hub, sock, output_max, tls, endpoint.host or "localhost")


async def _connect_path(path: str) -> socket.socket:
    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        await sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return socket.socket(fileno=sock.detach())
