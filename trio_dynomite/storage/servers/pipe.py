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
    _heard: int = 0
    _waiting: deque[OnReply] = field(factory=deque)
    _values: Any = field(factory=hiredis.Reader)

    def send(self, data: bytes, on_reply: OnReply) -> None:
        """Send one encoded request; its reply is given as bytes."""
        if self.is_closed:
            on_reply(LOST)
            return
        self._waiting.append(on_reply)
        self.pipe.write(data)

    def ask(self, data: bytes, on_value: OnReply) -> None:
        """Send one encoded request; its reply is given as a value, an error as `hiredis.ReplyError`."""
        self.send(data, _Value(self._values, on_value))

    def send_all(self, data: bytes, count: int, on_replies: OnReplies) -> None:
        """Send `count` encoded requests; their replies are given all at once."""
        if self.is_closed:
            on_replies(LOST)
            return
        self._waiting.extend([_Several(count, on_replies).add] * count)
        self.pipe.write(data)

    @property
    def waiting(self) -> int:
        """How many requests are not answered yet."""
        return len(self._waiting)

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
        if len(replies) > len(self._waiting):
            self.close(f"the server said what nobody asked for: {replies[-1][:100]!r}")
            return
        self.answered += len(replies)
        next_waiting = self._waiting.popleft
        for reply in replies:
            next_waiting()(reply)
            if self.is_closed:
                return

    def drained(self) -> None:
        """Nobody waits for room here: `has_room` is asked."""

    def closed(self, reason: str) -> None:
        """The connection has ended."""
        self.is_closed = True
        self.on_closed(reason)
        waiting = list(self._waiting)
        self._waiting.clear()
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

    count: int
    on_replies: OnReplies
    replies: list[bytes] = field(factory=list)
    is_told: bool = False

    def add(self, reply: bytes) -> None:
        """The next one."""
        if reply is LOST:
            if not self.is_told:
                self.is_told = True
                self.on_replies(LOST)
            return
        self.replies.append(reply)
        if len(self.replies) == self.count:
            self.is_told = True
            self.on_replies(self.replies)
