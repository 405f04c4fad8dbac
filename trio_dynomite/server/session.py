"""A session: one client's connection, from bytes to replies in the order of the requests.

Most replies are there at once and leave together at the end of the turn. One that must wait for another
node takes a place in the queue, and everything behind it waits for its turn.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.commands.table import TABLE, find, lookup
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.model import Level
from trio_dynomite.protocol import replies
from trio_dynomite.protocol.requests import RequestReader
from trio_dynomite.server.answers import ANSWERS

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Batch
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.hub.channel import Pipe
    from trio_dynomite.server.server import Server

QUEUE_MAX = 2_000
"""Replies that a client may wait for; beyond, its next commands wait until some have come."""
TURN_BYTES = 1 << 20
"""Bytes of replies after which a client's next commands wait for the next turn, so that others get theirs."""
_LONG = 256
"""Shorter replies are not counted: a turn reads 64 KB of commands, which cannot make too many of them."""


@define(eq=False)
class Place:
    """A place in a session's queue: for one reply, or for a run of writes that one batch will answer."""

    session: Session
    reply: bytes | None = None
    """What to send, once it is known."""
    is_unheard: bool = False
    """The client does not want it."""
    away: Route | None = None
    """The route of a write that another node is to serve."""
    reading: Route | None = None
    """The route of a read."""
    batch: Batch | None = None
    need: int = 0
    promised: list[bytes] = field(factory=list)
    """The replies of the run, to be sent when the batch says so."""

    def done(self, reply: bytes) -> None:
        """The reply has come; of a run it is the first one's, or an error that is everyone's."""
        promised = self.promised
        if promised:
            reply = b"".join(promised) if reply is promised[0] else reply * len(promised)
        self.reply = b"" if self.is_unheard else reply
        if self.away is not None or self.reading is not None:
            self.session.note(self.away, self.reading, -1)
        self.session.touch()


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
    remote_writes: dict[Route, int] = field(factory=dict)
    """Routes on which writes of this client are under way to another node: reads follow them there."""
    pending_reads: dict[Route, int] = field(factory=dict)
    """Routes on which reads are unanswered: a later write waits, so that they cannot see it."""
    _queue: deque[Place] = field(factory=deque)
    _backlog: list[list[bytes]] = field(factory=list)
    """Commands that wait until every write is answered."""
    _last_words: bytes = b""
    """The protocol error to end with."""
    _is_put_off: bool = False
    _until_answered: dict[Route, int] | None = None
    """What was put off waits until this is empty."""
    _is_touched: bool = False
    _is_apart: bool = False
    """The reply of the command that runs must have a place of its own."""

    def received(self, data: bytes) -> None:
        """Bytes from the client: run every command in them."""
        mistake: ProtocolError | None = None
        try:
            commands = self.reader.feed(data)
        except ProtocolError as error:
            commands, mistake = getattr(error, "commands_before", []), error
        self._run_all(commands)
        if mistake is not None and not self.is_closing:
            self.server.protocol_errors += 1
            self._last_words = replies.error(f"ERR Protocol error: {mistake}")
            self._end_in_error()

    def _end_in_error(self) -> None:
        """After a malformed frame: what came before it is run and answered first."""
        if self._is_put_off or not self._last_words:
            return
        if self._queue:
            self._queue.append(Place(self, self._last_words))
        else:
            self.pipe.write(self._last_words)
        self._last_words = b""
        self.end()

    def _run_all(self, commands: list[list[bytes]]) -> None:
        self.last_active_s = self.server.engine.mono_s
        self.commands += len(commands)
        self.server.commands += len(commands)
        if self._is_put_off:
            self._backlog += commands
            return
        self._run(commands)

    def _run(self, commands: list[list[bytes]]) -> None:
        out: list[bytes] = []
        queue, engine, row_of = self._queue, self.server.engine, TABLE.get
        locate, submit_to, is_quiet = engine.table.locate, engine.submit_to, self.is_quiet
        size_out = 0
        for number, args in enumerate(commands):
            row = row_of(args[0])
            size = len(args)
            if (
                row is not None
                and row.is_plain
                and (size == row.fixed_arity or size >= row.least_arity)
                and not is_quiet
                and not (row.write and self.pending_reads)
            ):
                reply = submit_to(locate(args[row.first]), row, args, self)
            elif (pending := self._must_wait_for(args)) is not None:
                self._put_off(commands[number:], pending)
                break
            else:
                reply = self.run(args)
                is_quiet = self.is_quiet
            if reply is None:
                if len(queue) > QUEUE_MAX:
                    self._put_off(commands[number + 1 :])
                    break
                continue
            if queue:
                queue.append(Place(self, reply))
            else:
                out.append(reply)
            if len(reply) > _LONG:
                size_out += len(reply)
                if size_out > TURN_BYTES:
                    self._put_off(commands[number + 1 :])
                    break
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
            self._is_apart = self.is_quiet
            reply = self.server.engine.submit(row, args, self)
        return self._unless_muted(reply) if self.is_quiet else reply

    @property
    def is_quiet(self) -> bool:
        """Does the client not want every reply?"""
        return self.is_muted or self.skip_replies > 0

    def _answer(self, row: Row, args: list[bytes]) -> bytes | None:
        self.last_command = row.name
        if row.handler is not None:
            return self.server.engine.execute(row, args, self.resp)
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
                self._queue[-1].batch = None
                return None
            return b""
        return reply

    def _must_wait_for(self, args: list[bytes]) -> dict[Route, int] | None:
        """What must be answered before this command, so that replies are as if commands ran in order."""
        if self.remote_writes or self.pending_reads:
            row = find(args)
            if row is not None and row.spread is Spread.KEYSPACE and self.remote_writes:
                return self.remote_writes
            if row is not None and row.write and self.pending_reads:
                return self.pending_reads
        return None

    def _put_off(self, commands: list[list[bytes]], until_answered: dict[Route, int] | None = None) -> None:
        """Run these later, and read nothing more until then."""
        self._backlog = commands
        self._is_put_off = True
        self._until_answered = until_answered
        self.pipe.hold(True)
        self.server.engine.soon(self.go_on)

    def go_on(self) -> None:
        """Run what was put off, if nothing stands in its way any more."""
        is_full = len(self._queue) > QUEUE_MAX or self.pipe.unsent > self.server.settings.limits.client_output
        waits = bool(self._until_answered)
        if not self._is_put_off or self.is_closing or is_full or waits:
            return
        commands, self._backlog = self._backlog, []
        self._is_put_off = False
        self.pipe.hold(False)
        self._run(commands)
        self._end_in_error()

    def drained(self) -> None:
        """The client has read what was too much."""
        self.go_on()

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Place:
        """A reply will come later: its place in the queue, and what it is the reply to."""
        place = Place(self, away=away, reading=reading)
        self.note(away, reading, 1)
        self._queue.append(place)
        return place

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""
        queue = self._queue
        if queue:
            last = queue[-1]
            if last.batch is batch and last.need == need and not self._is_apart:
                last.promised.append(reply)
                return
        place = Place(self, batch=batch, need=need, promised=[reply])
        queue.append(place)
        batch.waiting.append((need, place, reply))

    def note(self, away: Route | None, reading: Route | None, change: int) -> None:
        """A write goes to another node, or a read to several (1), or it was answered (-1)."""
        if away is not None:
            _count(self.remote_writes, away, change)
        if reading is not None:
            _count(self.pending_reads, reading, change)

    def touch(self) -> None:
        """A reply has come: see at the end of the turn what can be sent."""
        if not self._is_touched:
            self._is_touched = True
            self.server.touched.append(self)

    def drain(self) -> None:
        """Send the replies at the head of the queue that have come."""
        self._is_touched = False
        queue = self._queue
        out: list[bytes] = []
        while queue and (reply := queue[0].reply) is not None:
            out.append(reply)
            queue.popleft()
        if out:
            self.pipe.write(b"".join(out))
        if self.is_closing:
            self.end()
        elif self._is_put_off:
            self.go_on()

    def end(self) -> None:
        """Close the connection once all replies have come and are sent; run nothing more."""
        self.is_closing = True
        self._backlog.clear()
        if self._queue:
            self.pipe.hold(True)
        else:
            self.pipe.close_when_sent()

    def closed(self, reason: str) -> None:
        """The connection has ended; replies still to come are dropped."""
        self.is_closing = True
        self._queue.clear()
        self.server.forget(self)


def _count(counts: dict[Route, int], route: Route, change: int) -> None:
    left = counts.get(route, 0) + change
    if left:
        counts[route] = left
    else:
        del counts[route]
