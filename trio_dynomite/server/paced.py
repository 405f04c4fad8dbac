"""The pace of a client: what was read and may not run yet, and when it may.

Commands wait while something stands in their way, while too many replies are under way, or while the client
does not read. Nothing more is read from the client meanwhile, or little, so that it takes no memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.server.outbox import Outbox
from trio_dynomite.server.place import Place

QUEUE_MAX = 2_000
"""Replies that a client may wait for; beyond, its next commands wait until some have come."""
TURN_BYTES = 1 << 20
"""Bytes of replies after which a client's next commands wait for the next turn, so that others get theirs."""
BACKLOG_BYTES = 1 << 20
"""Bytes that are read of a client whose commands wait for a reply that may take for ever."""


@define(eq=False)
class Paced(Outbox):
    """A session that runs commands when it may. Each protocol says what a command is, and runs it."""

    _backlog: list[Any] = field(factory=list, init=False)
    """Commands that wait."""
    backlog_bytes: int = field(default=0, init=False)
    """About how many bytes were read and are not run yet."""
    _last_words: bytes | None = field(default=None, init=False)
    """What to end with, once what came before is run and answered."""
    _is_put_off: bool = field(default=False, init=False)
    _waits_for: Callable[[], object] | None = field(default=None, init=False)
    """What was put off waits while this gives something true."""
    _stall: Place | None = field(default=None, init=False)
    """Nothing more is run until this has its reply."""

    def _run(self, commands: list[Any]) -> None:
        """Run commands in their order, as far as they may."""
        raise NotImplementedError

    def _forget(self) -> None:
        """The connection has ended: leave no trace."""
        raise NotImplementedError

    def _run_or_wait(self, commands: list[Any], size: int) -> None:
        """Run commands that were read, or let them wait behind others."""
        if not self._is_put_off:
            self._run(commands)
            return
        self._backlog += commands
        self.backlog_bytes += size
        if self.backlog_bytes > BACKLOG_BYTES:
            self.pipe.hold(True)

    def _put_off(self, commands: list[Any], waits_for: Callable[[], object] | None = None) -> None:
        """Run these later. Nothing more is read until then, or little when it may take long."""
        stall, self._stall = self._stall, None
        if stall is not None:
            waits_for = lambda: stall.reply is None  # noqa: E731 - a condition, not a function of its own
        self._backlog, self.backlog_bytes = commands, 0
        self._is_put_off = True
        self._waits_for = waits_for
        if stall is None and not self.server.pause.is_on:
            self.pipe.hold(True)
        self.server.engine.soon(self.go_on)

    def go_on(self) -> None:
        """Run what was put off, if nothing stands in its way any more."""
        is_full = len(self._queue) > QUEUE_MAX or self.pipe.unsent > self.server.settings.limits.client_output
        is_full |= bool(self._queue) and self.server.engine.is_loaded
        waits = self._waits_for is not None and self._waits_for()
        if not self._is_put_off or self.is_closing or is_full or waits:
            return
        commands, self._backlog = self._backlog, []
        self._is_put_off = False
        self._waits_for = None
        self.pipe.hold(False)
        if commands:
            self._run(commands)
        self._end_in_error()

    def drained(self) -> None:
        """The client has read what was too much."""
        self.go_on()

    def stall(self) -> Place:
        """A reply will come later, and nothing more is run before."""
        place = self._stall = self.wait()
        return place

    def block(self) -> Place:
        """Likewise, for the reply of a command that may take for ever: messages do not wait behind it."""
        place = self.stall()
        place.is_blocked = True
        return place

    def take_back(self) -> Place:
        """Take the last place out of the queue, and do not wait for it."""
        self._stall = None
        return super().take_back()

    def drain(self) -> None:
        """Send the replies at the head of the queue that have come."""
        super().drain()
        if self.is_closing:
            self.end()
        elif self._is_put_off:
            self.go_on()

    def _end_in_error(self) -> None:
        """After something malformed: what came before it is run and answered first."""
        if self._is_put_off or self._last_words is None:
            return
        if self._queue:
            self._queue.append(Place(self, self._last_words))
        else:
            self.pipe.write(self._last_words)
        self._last_words = None
        self.end()

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
        self._backlog.clear()
        self._stall = self._waits_for = None
        self._forget()
