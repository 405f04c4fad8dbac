"""A channel: one socket as bytes in and bytes out, with back-pressure.

What a handler writes is collected and leaves in one system call at the end of the turn. While a socket does
not take what is written, nothing more is read from it: a client that sends for ever and never reads costs
its own connection only.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

if TYPE_CHECKING:
    from trio_dynomite.hub.hub import Hub

_READ_BYTES = 1 << 16
_JOIN_BYTES = 1 << 20
_JOIN_PARTS = 64
_BROKEN = select.EPOLLERR | select.EPOLLHUP
_READING = (True, False)
"""Waiting to read, and not to write."""
_buffer = bytearray(_READ_BYTES)
_view = memoryview(_buffer)


class Handler(Protocol):
    """What stands behind a channel and gives its bytes a meaning."""

    def received(self, data: bytes) -> None:
        """Bytes came."""

    def drained(self) -> None:
        """The other side has taken much of what was too much before."""

    def closed(self, reason: str) -> None:
        """The channel is closed, for `reason`. Called once."""


class Pipe(Protocol):
    """What a handler needs of its channel; a simulated network has it too."""

    def write(self, data: bytes) -> None:
        """Send `data` at the end of the turn."""

    def close(self, reason: str = "closed here") -> None:
        """End the connection now; the handler is told. Closing twice does nothing."""

    def close_when_sent(self) -> None:
        """End the connection once all that was written has left; read nothing more."""

    def hold(self, held: bool) -> None:
        """Stop (or go on) reading: the handler has enough to do."""

    @property
    def unsent(self) -> int:
        """Bytes written that the other side has not taken yet."""


class PeerPipe(Pipe, Protocol):
    """What it needs of a channel to another node."""

    @property
    def room_made(self) -> int:
        """How often the other side has taken of what it would not take at once: it lives, and is slow."""


@define(eq=False)
class Channel:
    """A non-blocking socket in the hub's set."""

    hub: Hub
    sock: socket.socket
    handler: Handler = field(init=False)
    fd: int = field(init=False)
    output_max: int = 64 << 20
    """Unsent bytes above which nothing more is read."""
    _out: list[bytes] = field(factory=list)
    _pending: bytes | memoryview | None = None
    """What the socket did not take."""
    _waiting: int = 0
    """Bytes in `_out`."""
    _held: bool = False
    _is_touched: bool = False
    """It is in the hub's list of this turn."""
    _is_full: bool = False
    """More than `output_max` was unsent; the handler is told when half of it has left."""
    _watched: tuple[bool, bool] = _READING
    room_made: int = 0
    """How often the socket took more of what it had not taken at first."""
    is_closed: bool = False
    _closing: bool = False

    def __attrs_post_init__(self) -> None:
        self.sock.setblocking(False)
        self.fd = self.sock.fileno()

    def open(self, handler: Handler) -> None:
        """Serve the socket: from now on `handler` gets its bytes."""
        self.handler = handler
        self.hub.add(self)

    def on_ready(self, event: int) -> None:
        """The socket is readable, writable or broken."""
        if event & select.EPOLLOUT:
            self.room_made += 1
            self.flush()
        if event & ~select.EPOLLOUT and not self.is_closed:
            if self._watched[0] and not self._held:
                self._read()
            elif event & _BROKEN:
                self.close("connection lost")

    def _read(self) -> None:
        try:
            size = self.sock.recv_into(_buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self.close(error.strerror or "connection lost")
            return
        if size:
            self.handler.received(bytes(_view[:size]))
        else:
            self.close("closed by the other side")

    def write(self, data: bytes) -> None:
        """Send `data` when the turn ends."""
        if not self._is_touched:
            self._is_touched = True
            self.hub.touched.append(self)
        self._out.append(data)
        self._waiting += len(data)

    def flush(self) -> None:
        """Give the socket what it takes."""
        self._is_touched = False
        if self.is_closed:
            return
        try:
            self._send()
            if self._pending is None and self._watched is _READING and not self._closing:
                return
        except BlockingIOError:
            pass
        except OSError as error:
            self.close(error.strerror or "connection lost")
            return
        if self._closing and not self.unsent:
            self.close("closed here")
        else:
            self._watch()

    def _send(self) -> None:
        while self._pending is not None or self._out:
            data = self._pending
            if data is None:
                out = self._out
                if self._waiting > _JOIN_BYTES:
                    # A piece at a time, and a long one by itself: joining it all would need the memory twice.
                    long_at = (at for at, part in enumerate(out[:_JOIN_PARTS]) if len(part) > _JOIN_BYTES)
                    count = next(long_at, _JOIN_PARTS) or 1
                    self._pending = data = b"".join(out[:count])
                    del out[:count]
                    self._waiting -= len(data)
                else:
                    self._pending = data = out[0] if len(out) == 1 else b"".join(out)
                    out.clear()
                    self._waiting = 0
            sent = self.sock.send(data)
            self._pending = memoryview(data)[sent:] if sent < len(data) else None

    def _watch(self) -> None:
        unsent = self.unsent
        wanted = (not self._held and unsent <= self.output_max, self._pending is not None)
        if wanted != self._watched:
            self._watched = _READING if wanted == _READING else wanted
            self.hub.watch(self, read=wanted[0], write=wanted[1])
        if unsent > self.output_max:
            self._is_full = True
        elif self._is_full and unsent <= self.output_max // 2:
            self._is_full = False
            self.handler.drained()

    def hold(self, held: bool) -> None:
        """Stop (or go on) reading."""
        self._held = held
        if not self.is_closed:
            self._watch()

    @property
    def unsent(self) -> int:
        """Bytes written and not taken yet."""
        return self._waiting + (0 if self._pending is None else len(self._pending))

    def close_when_sent(self) -> None:
        """Close once all that was written is sent; read nothing more."""
        self._closing = True
        self._held = True
        if not self.unsent:
            self.close("closed here")

    def close(self, reason: str = "closed here") -> None:
        """Close the socket now."""
        if not self.is_closed:
            self.is_closed = True
            self.hub.remove(self)
            self.sock.close()
            self._out.clear()
            self._pending = None
            handler = self.handler
            # So that both go as soon as nobody else has them, without the garbage collector.
            del self.handler
            handler.closed(reason)
