"""Fetching one page over HTTP/1.1: a GET on its own connection, no redirects, no proxies, of limited size."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trio

from trio_dynomite.errors import DynomiteError

if TYPE_CHECKING:
    import h11


class FetchError(DynomiteError):
    """There was an answer, and it is not one to go by."""


async def fetch(url: str, length_max: int) -> tuple[int, bytes]:
    """Status and body of a page. Raises FetchError, and OSError when nobody answers."""
    import h11

    parts = urlsplit(url)
    is_secure, host = parts.scheme == "https", parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", parts.netloc.rpartition("@")[2]), ("Accept", "text/plain"), ("Connection", "close")]
    asked = connection.send(h11.Request(method="GET", target=path, headers=headers))
    asked += connection.send(h11.EndOfMessage())
    try:
        stream = await _connect(host, parts.port or (443 if is_secure else 80), is_secure=is_secure)
        async with stream:
            await stream.send_all(asked)
            return await _receive(connection, stream, length_max)
    except (h11.RemoteProtocolError, trio.BrokenResourceError) as error:
        raise FetchError(f"it broke off, or does not speak HTTP: {error}") from None


async def _connect(host: str, port: int, *, is_secure: bool) -> trio.abc.Stream:
    if is_secure:
        context = ssl.create_default_context()
        return await trio.open_ssl_over_tcp_stream(host, port, https_compatible=True, ssl_context=context)
    return await trio.open_tcp_stream(host, port)


async def _receive(connection: h11.Connection, stream: trio.abc.Stream, length_max: int) -> tuple[int, bytes]:
    import h11

    status, body = 0, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(1 << 16)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if len(body) > length_max:
                raise FetchError(f"it is longer than {length_max} bytes")
        else:
            return status, body
