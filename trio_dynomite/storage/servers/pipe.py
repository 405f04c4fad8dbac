"""A pipelined connection to a server: requests in, replies out, in the same order. No sockets, no clock.

All that a turn sends leaves in one write, and as many requests may be under way as there is room for their
bytes. A reply is given as the bytes that came, or, if so asked, as the value that hiredis makes of them. When
the connection ends, everybody who waits is told in the same turn: what was asked may have been done, or not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import hiredis
from attrs import define, field

from trio_dynomite.errors import ProtocolError

if TYPE_CHECKING:
    from trio_dynomite.hub.channel import PeerPipe

LOST: Any = object()
"""The answer to a request whose connection ended first: its outcome is unknown."""
OnReply = Callable[[Any], None]
"""Told the bytes of a reply, or its value, or LOST."""
OnReplies = Callable[[Any], None]
"""Told the list of replies to several requests, or LOST."""


class Scanner(Protocol):
    """Cuts what a server sends into replies."""

    def feed(self, data: bytes) -> list[bytes]:
        """The replies that `data` completes. Raises ProtocolError."""


@define(eq=False)
class ServerPipe:
    """One connection to a server."""

    pipe: PeerPipe = field(init=False)
    """Set by whoever opens it."""
    scanner: Scanner
    output_max: int = 256 << 20
    """Unsent bytes above which there is no room for more: whoever can wait had better do so."""
    on_closed: Callable[[str], None] = lambda reason: None
    """Told of the end first, before those who wait."""
    is_closed: bool = False
    answered: int = 0
    """Replies that came."""
    waiting: int = 0
    """Requests that are not answered yet."""
    _heard: int = 0
    _askers: deque[OnReply] = field(factory=deque)
    _values: Any = field(factory=hiredis.Reader)

    def send(self, data: bytes, on_reply: OnReply) -> None:
        """Send one encoded request; its reply is given as bytes."""
        if self.is_closed:
            on_reply(LOST)
            return
        self._askers.append(on_reply)
        self.waiting += 1
        self.pipe.write(data)

    def ask(self, data: bytes, on_value: OnReply) -> None:
        """Send one encoded request; its reply is given as a value, an error as `hiredis.ReplyError`."""
        self.send(data, _Value(self._values, on_value))

    def send_all(self, data: bytes, count: int, on_replies: OnReplies) -> None:
        """Send `count` encoded requests; their replies are given all at once."""
        if self.is_closed:
            on_replies(LOST)
            return
        self._askers.append(_Several(count, on_replies))
        self.waiting += count
        self.pipe.write(data)

    @property
    def unsent(self) -> int:
        """Bytes that the server has not taken yet."""
        return 0 if self.is_closed else self.pipe.unsent

    @property
    def has_room(self) -> bool:
        """May more be sent?"""
        return not self.is_closed and self.pipe.unsent < self.output_max

    @property
    def signs_of_life(self) -> int:
        """A number that grows whenever the server sends, or takes of what it would not take at once."""
        return self._heard + self.pipe.room_made

    def close(self, reason: str = "closed here") -> None:
        """End the connection."""
        self.pipe.close(reason)

    # What the hub tells

    def received(self, data: bytes) -> None:
        """Bytes from the server."""
        self._heard += 1
        try:
            replies = self.scanner.feed(data)
        except ProtocolError as error:
            self.close(str(error))
            return
        askers, at, count = self._askers, 0, len(replies)
        if count > self.waiting:
            self.close(f"the server said what nobody asked for: {replies[-1][:100]!r}")
            return
        self.answered += count
        self.waiting -= count
        while at < count:
            on_reply = askers[0]
            if type(on_reply) is _Several:
                at = on_reply.take(replies, at)
                if on_reply.left:
                    return
                askers.popleft()
                on_reply.on_replies(on_reply.replies)
            else:
                askers.popleft()(replies[at])
                at += 1
            if self.is_closed:
                return

    def drained(self) -> None:
        """Nobody waits for room here: `has_room` is asked."""

    def closed(self, reason: str) -> None:
        """The connection has ended."""
        self.is_closed = True
        self.on_closed(reason)
        waiting = list(self._askers)
        self._askers.clear()
        self.waiting = 0
        for on_reply in waiting:
            on_reply(LOST)


@define(eq=False)
class _Value:
    """Makes a value of a reply."""

    reader: Any
    on_value: OnReply

    def __call__(self, reply: bytes) -> None:
        if reply is LOST:
            self.on_value(LOST)
        else:
            self.reader.feed(reply)
            self.on_value(self.reader.gets())


@define(eq=False)
class _Several:
    """Collects the replies to several requests."""

    left: int
    on_replies: OnReplies
    replies: list[bytes] = field(factory=list)

    def take(self, replies: list[bytes], at: int) -> int:
        """Take those that are its own, from `at` on; up to where."""
        end = min(at + self.left, len(replies))
        self.replies += replies[at:end]
        self.left -= end - at
        return end

    def __call__(self, reply: bytes) -> None:
        """They do not come any more."""
        self.on_replies(LOST)
