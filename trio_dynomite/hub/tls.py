"""TLS between a channel and its handler: a pipe around a pipe, for a client's end and a server's alike.

OpenSSL works on two buffers in memory. What comes goes into one of them and out of it as plain bytes; what a
turn writes is collected, encrypted at the turn's end, and leaves in one write. Until both sides trust each
other nothing of the handler's leaves and nothing reaches it; a side that is not trusted is told why. An end
without TLS's own goodbye is a lost connection, like one that was cut off.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from trio_dynomite.hub.channel import Channel, Handler
    from trio_dynomite.hub.hub import Hub

_READ_BYTES = 1 << 18
_PIECE_BYTES = 1 << 20
"""Encrypted at once: all of a long value would need its memory twice."""


@define(eq=False)
class TlsPipe:
    """The channel's handler, and the handler's pipe."""

    hub: Hub
    channel: Channel
    context: ssl.SSLContext
    server_name: str | None = None
    """At a client's end: the name that the server's certificate must have."""
    is_server: bool = False
    handler: Handler = field(init=False)
    is_secure: bool = False
    """Both sides have agreed."""
    is_closed: bool = False
    _tls: ssl.SSLObject = field(init=False)
    _incoming: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _out: list[bytes] = field(factory=list)
    """Written and not encrypted yet."""
    _waiting: int = 0
    """Bytes in `_out`."""
    _is_touched: bool = False
    """It is in the hub's list of this turn."""
    _closing: bool = False

    def open(self, handler: Handler) -> None:
        """Serve the channel: from now on `handler` gets what comes, decrypted."""
        self.handler = handler
        self._tls = self.context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=self.is_server,
            server_hostname=None if self.is_server else self.server_name,
        )
        self.channel.open(self)
        self._agree()

    # What the channel tells

    def received(self, data: bytes) -> None:
        """Encrypted bytes came."""
        self._incoming.write(data)
        if not self.is_secure:
            self._agree()
        if self.is_secure and not self.is_closed:
            self._read()

    def drained(self) -> None:
        """There is room again."""
        self.handler.drained()

    def closed(self, reason: str) -> None:
        """The channel is closed."""
        self.is_closed = True
        self._out.clear()
        handler = self.handler
        del self.handler  # as in the channel: so that both go at once
        handler.closed(reason)

    def _agree(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._pass_on()
        except ssl.SSLError as error:
            self._pass_on()  # the other side is told why
            self._fail(f"TLS: {_reason(error)}")
        else:
            self.is_secure = True
            self._pass_on()
            if self._out or self._closing:
                self._touch()

    def _read(self) -> None:
        pieces: list[bytes] = []
        ended = ""
        try:
            while piece := self._tls.read(_READ_BYTES):
                pieces.append(piece)
            ended = "closed by the other side"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            ended = f"TLS: {_reason(error)}"
        self._pass_on()  # the protocol has words of its own, a new key for instance
        if pieces:
            self.handler.received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if ended and not self.is_closed:
            self._fail(ended)

    # What the handler asks

    def write(self, data: bytes) -> None:
        """Send `data` when the turn ends."""
        self._out.append(data)
        self._waiting += len(data)
        self._touch()

    def _touch(self) -> None:
        if not self._is_touched and self.is_secure:
            self._is_touched = True
            self.hub.touched.append(self)

    def flush(self) -> None:
        """Encrypt what the turn wrote."""
        self._is_touched = False
        if self.is_closed:
            return
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._waiting = 0
        view, start = memoryview(data), 0
        try:
            while start < len(data):
                start += self._tls.write(view[start : start + _PIECE_BYTES])
                self._pass_on()
            if self._closing:
                self._say_goodbye()
        except ssl.SSLError as error:
            self._fail(f"TLS: {_reason(error)}")

    def _say_goodbye(self) -> None:
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:  # the other side's goodbye is not waited for
            pass
        self._pass_on()
        self.channel.close_when_sent()

    def _pass_on(self) -> None:
        if self._outgoing.pending and not self.channel.is_closed:
            self.channel.write(self._outgoing.read())

    def _fail(self, reason: str) -> None:
        """End it for `reason`, once the other side has heard it."""
        if self.channel.unsent:
            self.channel.flush()
        self.channel.close(reason)

    def close(self, reason: str = "closed here") -> None:
        """End the connection now."""
        self.channel.close(reason)

    def close_when_sent(self) -> None:
        """End it once all that was written has left, with TLS's goodbye; read nothing more."""
        self._closing = True
        self.channel.hold(self.is_secure)  # or else there are words of the other side to wait for
        self._touch()

    def hold(self, held: bool) -> None:
        """Stop (or go on) reading."""
        self.channel.hold(held)

    @property
    def unsent(self) -> int:
        """Bytes written that the other side has not taken yet."""
        return self._waiting + self.channel.unsent

    @property
    def room_made(self) -> int:
        """How often the other side has taken of what it would not take at once."""
        return self.channel.room_made


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return str(error.reason or error.strerror or error).lower().replace("_", " ")


def client_context(
    ca: str | None, cert: str | None, key: str | None, *, verify: bool = True
) -> ssl.SSLContext:
    """What a client's end trusts and shows; paths of PEM files. Raises OSError, of which SSLError is one."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
    if cert is not None:
        context.load_cert_chain(cert, key)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
