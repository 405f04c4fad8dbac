"""A session: one client's connection, from bytes to replies in the order of the requests.

Most replies are there at once and leave together at the end of the turn. One that must wait for another
node takes a place in the queue, and everything behind it waits for its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field

from trio_dynomite.commands.row import Gather, Row, Spread
from trio_dynomite.commands.table import find, lookup
from trio_dynomite.errors import CommandError, ProtocolError, TooMuchInputError
from trio_dynomite.model import Level
from trio_dynomite.protocol import replies
from trio_dynomite.protocol.requests import Limits, RequestReader
from trio_dynomite.server import guards, permission
from trio_dynomite.server.answers import ANSWERS
from trio_dynomite.server.lua import as_user
from trio_dynomite.server.modes import GATED, MONITORED, QUIET, TRACKING
from trio_dynomite.server.paced import QUEUE_MAX, TURN_BYTES, Paced
from trio_dynomite.server.place import Place
from trio_dynomite.server.pubsub import NONE, Subscriptions
from trio_dynomite.server.quick import QUICK
from trio_dynomite.server.tracking import Tracking
from trio_dynomite.server.transaction import Transaction

if TYPE_CHECKING:
    from trio_dynomite.access.user import User

_LONG = 256
"""Shorter replies are not counted: a turn reads 64 KB of commands, which cannot make too many of them."""


@define(eq=False)
class Session(Paced):
    """One client."""

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
    user: User = field(init=False)
    """Who it is: its permissions count at once when they are changed."""
    name: bytes = b""
    capabilities: bytes = b""
    """Letters of CLIENT CAPA."""
    no_evict: bool = False
    no_touch: bool = False
    library: bytes = b""
    library_version: bytes = b""
    levels_chosen: bool = False
    """The client chose its own levels; a change of the defaults does not touch them."""
    is_muted: bool = False
    """CLIENT REPLY OFF."""
    skip_replies: int = 0
    """CLIENT REPLY SKIP: this many replies are not sent."""
    last_command: str = "NULL"
    last_active_s: float = 0.0
    commands: int = 0
    subscriptions: Subscriptions = NONE
    tracking: Tracking | None = None
    """What CLIENT TRACKING asked for."""
    transaction: Transaction | None = None
    """What it has queued since MULTI."""
    is_executing: bool = False
    """Its command is one of those that EXEC runs, and may not take its time."""
    watched: dict[bytes, int] = field(factory=dict)
    """Key → its version when it was WATCHed."""
    watched_weight: int = 0
    """About the bytes of those keys."""

    new_reader: ClassVar[Callable[[Limits], RequestReader]] = RequestReader
    """Makes what reads its requests."""

    def enter(self, user: User) -> None:
        """From now on it is `user`'s."""
        self.user = user
        self.modes = self.modes & ~GATED if user.is_all else self.modes | GATED

    def received(self, data: bytes) -> None:
        """Bytes from the client: run every command in them."""
        mistake: ProtocolError | None = None
        if self.modes & GATED and permission.leaves_too_much_unread(self):
            self.pipe.close("it has not logged in and does not read its replies")
            return
        try:
            commands = self.reader.feed(data)
        except ProtocolError as error:
            commands, mistake = getattr(error, "commands_before", []), error
        if commands:
            self._run_all(commands, len(data))
        if mistake is None and self.modes & GATED:
            mistake = permission.announces_too_much(self)
        if mistake is not None and not self.is_closing:
            if isinstance(mistake, TooMuchInputError):
                self.server.too_much_input += 1
                self.reader = RequestReader(self.reader.limits)
            else:
                self.server.protocol_errors += 1
            self._last_words = replies.error(f"ERR Protocol error: {mistake}")
            self._end_in_error()

    def _run_all(self, commands: list[list[bytes]], size: int) -> None:
        self.last_active_s = self.server.engine.mono_s
        self.commands += len(commands)
        self.server.commands += len(commands)
        self._run_or_wait(commands, size)

    def _run(self, commands: list[list[bytes]]) -> None:
        out: list[bytes] = []
        server, queue, row_of = self.server, self._queue, QUICK.get
        engine, tallies = server.engine, server.tallies
        locate, submit_to = engine.table.locate, engine.submit_to
        is_special = self.modes or server.modes
        counts: dict[str, int] = {}
        last: Row | None = None
        since = size_out = number = 0
        timed_s, started = tallies.timed_s, perf_counter()
        for number, args in enumerate(commands):
            row = row_of(args[0])
            if (
                row is not None
                and ((size := len(args)) == row.fixed_arity or size >= row.least_arity)
                and not is_special
                and not (row.write and self.pending_reads)
            ):
                if row is not last:
                    if last is not None:
                        counts[last.name] = counts.get(last.name, 0) + number - since
                    last, since = row, number
                reply = submit_to(locate(args[row.first]), row, args, self)
            else:
                if last is not None:
                    counts[last.name] = counts.get(last.name, 0) + number - since
                    last = None
                if (waits_for := self._must_wait_for(args)) is not None:
                    self._put_off(commands[number:], waits_for)
                    break
                reply = self.run(args)
                is_special = self.modes or server.modes
            if reply is None:
                if self._stall is not None or len(queue) > QUEUE_MAX or engine.is_loaded:
                    self._put_off(commands[number + 1 :])
                    break
                continue
            if queue:
                queue.append(Place(self, reply))
            else:
                out.append(reply)
            if len(reply) > _LONG and (size_out := size_out + len(reply)) > TURN_BYTES:
                self._put_off(commands[number + 1 :])
                break
            if self.is_closing:
                break
        if last is not None:
            self.last_command = last.name
        if last is not None and not number:
            seconds = perf_counter() - started
            tallies.single_s[last.name].append(seconds)
            if seconds >= tallies.slow_s:
                tallies.on_slow(self, last.name, args, seconds)
        elif last is not None or counts:
            if last is not None:
                counts[last.name] = counts.get(last.name, 0) + number + 1 - since
            tallies.ran_together(counts, perf_counter() - started - tallies.timed_s + timed_s)
        if out:
            self.pipe.write(out[0] if len(out) == 1 else b"".join(out))
        if self.is_closing:
            self.end()

    def run(self, args: list[bytes]) -> bytes | None:
        """Run any command; its reply, or None when a place in the queue was taken for it."""
        modes = self.modes | self.server.modes
        try:
            row = lookup(args)
        except CommandError as error:
            return self._unless_muted(guards.refuse_malformed(self, args, str(error)))
        if not modes:
            reply = self.execute(row, args)
            # It may have been CLIENT REPLY.
            return self._unless_muted(reply) if self.modes & QUIET else reply
        pushed = self._pushed = []
        reply = guards.stands_in_the_way(self, row, args, modes)
        if reply is None:
            is_late = row.name == "exec" and self.transaction is not None and not self.transaction.is_dirty
            if modes & MONITORED and not is_late:  # EXEC is shown after what it runs
                self.server.monitors.tell(self, row, args)
            reply = self._execute_tracked(row, args) if modes & TRACKING else self.execute(row, args)
        if self.modes & QUIET and row.name not in guards.ALWAYS_HEARD:
            reply = self._unless_muted(reply)
        self._pushed = None
        return self._with_messages(reply, pushed) if pushed else reply

    def execute(self, row: Row, args: list[bytes]) -> bytes | None:
        """Run a command that nothing stands in the way of; count and time it."""
        self.last_command = row.name
        started = perf_counter()
        if row.spread is Spread.SESSION:
            reply = self._answer(row, args)
        else:
            was_apart = self._is_apart
            self._is_apart = was_apart or bool(self.modes & QUIET)
            if self.modes & GATED:
                row, args = as_user(self, row, args)
            reply = self.server.engine.submit(row, args, self)
            self._is_apart = was_apart
        self.server.tallies.ran(self, row.name, args, perf_counter() - started)
        return reply

    def _execute_tracked(self, row: Row, args: list[bytes]) -> bytes | None:
        table = self.server.tracking
        before = table.runs(self, row, args)
        reply = self.execute(row, args)
        table.ran(self, row, args, before)
        return reply

    def _answer(self, row: Row, args: list[bytes]) -> bytes | None:
        if row.handler is not None:
            return self.server.engine.execute(row, args, self.resp)
        try:
            return ANSWERS[row.name](self, args)
        except CommandError as error:
            self.server.tallies.failed(row.name, str(error))
            return replies.error(str(error))

    def _unless_muted(self, reply: bytes | None) -> bytes | None:
        """CLIENT REPLY OFF and SKIP: the command runs, its reply is an empty one."""
        if self.is_muted or self.skip_replies:
            self.skip_replies = max(0, self.skip_replies - 1)
            if not self.is_muted and not self.skip_replies:
                self.modes &= ~QUIET
            if reply is None:
                self._queue[-1].is_unheard = True
                self._queue[-1].batch = None
                return None
            return b""
        return reply

    def _must_wait_for(self, args: list[bytes]) -> Callable[[], object] | None:
        """What must be answered before this command, so that replies are as if commands ran in order."""
        pause = self.server.pause
        if pause.is_on:
            row = find(args)
            # One that will be refused need not wait.
            if row is not None and row.takes(len(args)) and pause.holds(self, row, args):
                held = row
                return lambda: pause.holds(self, held, args)
        if self.remote_writes or self.pending_reads or (self._queue and self.is_fetched_for):
            row = find(args)
            if row is None:
                return None
            writes, spreads = row.write, row.spread is Spread.KEYSPACE
            if row.name == "exec" and self.transaction is not None:
                writes, spreads = self.transaction.writes, self.transaction.spreads
            if spreads and self.is_fetched_for:
                return lambda: self.is_waiting
            if (spreads or row.gather is not Gather.NO) and self.remote_writes:
                return lambda: self.remote_writes
            if writes and self.pending_reads:
                return lambda: self.pending_reads
        return None

    @property
    def is_blocked(self) -> bool:
        """Does its command block, or CLIENT PAUSE hold it back?"""
        blocked = bool(self._queue) and self._queue[-1].is_blocked and self._is_put_off
        return blocked or self in self.server.pause.held

    def _forget(self) -> None:
        self.server.forget(self)
