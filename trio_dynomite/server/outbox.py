"""An outbox: what a client is sent, in order: replies as the requests came, and messages nobody asked for.

Replies that must wait for another node take a place in the queue, and everything behind waits for its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.server.place import Place

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Batch
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.hub.channel import Pipe
    from trio_dynomite.server.server import Server


@define(eq=False)
class Outbox:
    """The outgoing half of a session."""

    server: Server
    pipe: Pipe
    modes: int = field(default=0, init=False)
    """What takes its commands off the short way (`modes`)."""
    is_closing: bool = field(default=False, init=False)
    too_slow_since_s: float = field(default=0.0, init=False)
    """Since when more messages than the soft limit wait to be read; 0: they do not."""
    remote_writes: dict[Route, int] = field(factory=dict, init=False)
    """Routes on which writes of this client are under way to another node: reads follow them there."""
    pending_reads: dict[Route, int] = field(factory=dict, init=False)
    """Routes on which reads are unanswered: a later write waits, so that they cannot see it."""
    _queue: deque[Place] = field(factory=deque, init=False)
    _is_touched: bool = field(default=False, init=False)
    _is_apart: bool = field(default=False, init=False)
    """The reply of the command that runs must have a place of its own."""
    _pushed: list[bytes] | None = field(default=None, init=False)
    """Messages to this client from the command that it runs: they follow its reply."""
    _queued_pushes: int = field(default=0, init=False)
    """Bytes of messages in the queue, until it is empty again."""

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Place:
        """A reply will come later: its place in the queue, and what it is the reply to."""
        place = Place(self, away=away, reading=reading)
        self.note(away, reading, 1)
        self._queue.append(place)
        return place

    def apart(self, submit: Callable[[], bytes | None]) -> bytes | None:
        """Do what `submit` does; a reply that comes later has a place of its own, at the end of the queue."""
        was, self._is_apart = self._is_apart, True
        reply = submit()
        self._is_apart = was
        return reply

    def take_back(self) -> Place:
        """Take the last place out of the queue: its reply is not the client's."""
        return self._queue.pop()

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

    @property
    def is_fetched_for(self) -> bool:
        """May its requests wait for records that are fetched? Then one on all keys waits for all of them."""
        return self.server.engine.keyspace.store.capabilities.is_remote

    @property
    def is_waiting(self) -> bool:
        """Is a reply still to come?"""
        return any(place.reply is None for place in self._queue)

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
        if not queue:
            self._queued_pushes = 0
        if out:
            self.pipe.write(b"".join(out))

    def push(self, data: bytes) -> None:
        """Send a message that answers nothing: of a channel, of a key that changed. It keeps its order
        among the replies, but for that of a command that blocks. Who does not read is disconnected."""
        if self._pushed is not None:
            self._pushed.append(data)
        elif not self.is_closing:
            queue = self._queue
            if not queue or (len(queue) == 1 and queue[0].blocks):
                self.pipe.write(data)
            else:
                self._queue_message(data)
            self.server.check_output(self, self.pipe.unsent + self._queued_pushes)

    def _queue_message(self, data: bytes) -> None:
        queue = self._queue
        self._queued_pushes += len(data)
        queue.insert(len(queue) - queue[-1].blocks, Place(self, data))

    def _with_messages(self, reply: bytes | None, pushed: list[bytes]) -> bytes | None:
        """A reply and the messages that the same command brought to this client."""
        if reply is None:
            self._queue_message(b"".join(pushed))
            return None
        return b"".join([reply, *pushed])


def _count(counts: dict[Route, int], route: Route, change: int) -> None:
    left = counts.get(route, 0) + change
    if left:
        counts[route] = left
    else:
        del counts[route]
