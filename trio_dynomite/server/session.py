"""A session: one client's connection, from bytes to replies in the order of the requests.

Most replies are there at once and leave together at the end of the turn. One that must wait for another
node takes a place in the queue, and everything behind it waits for its turn.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.commands.table import TABLE, lookup
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.model import Level
from trio_dynomite.protocol import replies
from trio_dynomite.protocol.requests import RequestReader
from trio_dynomite.server.answers import ANSWERS

if TYPE_CHECKING:
    from trio_dynomite.hub.channel import Pipe
    from trio_dynomite.server.server import Server

QUEUE_MAX = 10_000
"""Replies that a client may wait for; beyond, nothing more is read from it until some have come."""


@define(eq=False)
class Place:
    """A reply's place in a session's queue."""

    session: Session
    reply: bytes | None = None
    is_unheard: bool = False
    """The client does not want it."""

    def done(self, reply: bytes) -> None:
        """The reply has come."""
        self.reply = b"" if self.is_unheard else reply
        self.session.drain()


@define(eq=False)
class Session:
    """One client."""

    server: Server
    pipe: Pipe
    id: int
    address: str
    """host:port of the client."""
    local_address: str
    reader: RequestReader
    created_s: float
    """Monotonic time."""
    read_level: Level
    write_level: Level
    resp: int = 2
    hops: int = 0
    name: bytes = b""
    library: bytes = b""
    library_version: bytes = b""
    levels_chosen: bool = False
    """The client chose its own levels; a change of the defaults does not touch them."""
    is_muted: bool = False
    """CLIENT REPLY OFF."""
    skip_replies: int = 0
    """CLIENT REPLY SKIP: this many replies are not sent."""
    is_closing: bool = False
    last_command: str = "NULL"
    last_active_s: float = 0.0
    commands: int = 0
    _queue: deque[Place] = field(factory=deque)
    _is_reading: bool = False

    def received(self, data: bytes) -> None:
        """Bytes from the client: run every command in them."""
        mistake: ProtocolError | None = None
        try:
            commands = self.reader.feed(data)
        except ProtocolError as error:
            commands, mistake = getattr(error, "commands_before", []), error
        self._is_reading = True
        self._run_all(commands)
        self._is_reading = False
        if self._queue:
            self.drain()
            if len(self._queue) > QUEUE_MAX:
                self.pipe.hold(True)
        if mistake is not None and not self.is_closing:
            self.server.protocol_errors += 1
            self.pipe.write(replies.error(f"ERR Protocol error: {mistake}"))
            self.end()

    def _run_all(self, commands: list[list[bytes]]) -> None:
        self.last_active_s = self.server.engine.mono_s
        self.commands += len(commands)
        self.server.commands += len(commands)
        out: list[bytes] = []
        queue, engine, row_of = self._queue, self.server.engine, TABLE.get
        locate, submit_to = engine.table.locate, engine.submit_to
        for args in commands:
            row = row_of(args[0])
            size = len(args)
            if (
                row is not None
                and row.is_plain
                and (size == row.fixed_arity or size >= row.least_arity)
                and not self.is_quiet
            ):
                reply = submit_to(locate(args[row.first]), row, args, self)
            else:
                reply = self.run(args)
            if reply is None:
                continue
            if queue:
                queue.append(Place(self, reply))
            else:
                out.append(reply)
            if self.is_closing:
                break
        if out:
            self.pipe.write(out[0] if len(out) == 1 else b"".join(out))
        if self.is_closing:
            self.end()

    def run(self, args: list[bytes]) -> bytes | None:
        """Run any command; its reply, or None when a place in the queue was taken for it."""
        try:
            row = lookup(args)
        except CommandError as error:
            return self._unless_muted(replies.error(str(error)))
        if row.spread is Spread.SESSION:
            reply = self._answer(row, args)
        else:
            reply = self.server.engine.submit(row, args, self)
        return self._unless_muted(reply) if self.is_quiet else reply

    @property
    def is_quiet(self) -> bool:
        """Does the client not want every reply?"""
        return self.is_muted or self.skip_replies > 0

    def _answer(self, row: Row, args: list[bytes]) -> bytes | None:
        self.last_command = row.name
        try:
            return ANSWERS[row.name](self, args)
        except CommandError as error:
            return replies.error(str(error))

    def _unless_muted(self, reply: bytes | None) -> bytes | None:
        """CLIENT REPLY OFF and SKIP: the command runs, its reply is an empty one."""
        if self.is_muted or self.skip_replies:
            self.skip_replies = max(0, self.skip_replies - 1)
            if reply is None:
                self._queue[-1].is_unheard = True
                return None
            return b""
        return reply

    def wait(self) -> Place:
        """A reply will come later: its place in the queue."""
        place = Place(self)
        self._queue.append(place)
        return place

    def drain(self) -> None:
        """Send the replies at the head of the queue that have come."""
        if self._is_reading:
            return
        queue = self._queue
        out: list[bytes] = []
        while queue and (reply := queue[0].reply) is not None:
            out.append(reply)
            queue.popleft()
        if out:
            self.pipe.write(b"".join(out))
            if len(queue) + len(out) > QUEUE_MAX >= len(queue):
                self.pipe.hold(False)

    def end(self) -> None:
        """Close the connection once all that was said is sent."""
        self.is_closing = True
        self.pipe.close_when_sent()

    def closed(self, reason: str) -> None:
        """The connection has ended; replies still to come are dropped."""
        self.is_closing = True
        self._queue.clear()
        self.server.forget(self)
