"""The hub: one task, one epoll set, all hot sockets. It owns bytes, and knows nothing of what they mean.

It parks in Trio on the file descriptor of ONE epoll set that holds every hot socket. When that is readable
it runs a **turn**: read every ready socket, let its handler act at once, then flush every touched channel
with one write. Nothing in a turn awaits, so a turn is atomic, needs no locks and allocates no task.
"""

import select
import time
from collections.abc import Callable
from typing import Protocol

import trio
from attrs import define, field


class Ready(Protocol):
    """A socket in the set."""

    fd: int

    def on_ready(self, event: int) -> None:
        """The socket is ready for `event`, a mask of epoll's."""

    def close(self, reason: str = "") -> None:
        """Close it."""


class Flushable(Protocol):
    """Something with unflushed bytes."""

    def flush(self) -> None:
        """Send them."""


READ = select.EPOLLIN | select.EPOLLRDHUP
WRITE = select.EPOLLOUT
_STAY_S = 0.01
_LINGER_S = 0.001


@define(eq=False)
class Hub:
    """The readiness set and its turns."""

    begin: Callable[[], None]
    """Called as a turn begins: read the clock."""
    end: Callable[[], None]
    """Called as a turn ends, before channels are flushed: send what the turn collected."""
    has_more: Callable[[], bool] = lambda: False
    """Is there work for another turn at once, whatever the sockets say?"""
    on_error: Callable[[Exception], None] = lambda error: None
    """Told of an exception from a socket's handler; that socket is closed, the turn goes on."""
    turns: int = 0
    turn_ms_max: float = 0.0
    """The longest turn so far."""
    _epoll: select.epoll = field(factory=select.epoll)
    _channels: dict[int, Ready] = field(factory=dict)
    touched: list[Flushable] = field(factory=list)
    """Channels with unflushed bytes."""

    def add(self, channel: Ready) -> None:
        """Watch a channel's socket from now on."""
        self._channels[channel.fd] = channel
        self._epoll.register(channel.fd, READ)

    def watch(self, channel: Ready, *, read: bool, write: bool) -> None:
        """Say what a channel waits for."""
        if channel.fd in self._channels:
            self._epoll.modify(channel.fd, (READ if read else 0) | (WRITE if write else 0))

    def remove(self, channel: Ready) -> None:
        """Forget a channel."""
        if self._channels.pop(channel.fd, None) is not None:
            self._epoll.unregister(channel.fd)

    def turn(self, act: Callable[[], None] | None = None, wait_s: float = 0) -> bool:
        """One turn; `act` is something a task wants done inside it. Was there anything to read?

        `wait_s` is how long to wait for a first event: a millisecond at most, for every task waits along."""
        events = self._epoll.poll(wait_s, 1024)
        if not events and act is None and not self.has_more():
            return False
        started = time.perf_counter()
        self.begin()
        channels = self._channels
        for fd, event in events:
            channel = channels.get(fd)
            if channel is not None:
                try:
                    channel.on_ready(event)
                except Exception as error:
                    self.on_error(error)
                    channel.close("internal error")
        if act is not None:
            act()
        self.end()
        self._flush()
        self.turns += 1
        self.turn_ms_max = max(self.turn_ms_max, (time.perf_counter() - started) * 1000)
        return bool(events)

    def _flush(self) -> None:
        touched = self.touched
        while touched:
            self.touched = []
            for channel in touched:
                channel.flush()
            # A flush that fails closes a channel, and that may give others something to say.
            self.end()
            touched = self.touched

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Turn after turn, for ever."""
        task_status.started()
        fd = self._epoll.fileno()
        while True:
            if self.has_more():
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(fd)
            # Going back to Trio for every turn costs more than a turn: stay while requests keep coming,
            # sleeping in the kernel for moments, and give the other tasks their chance now and then.
            until = time.perf_counter() + _STAY_S
            while self.turn(wait_s=_LINGER_S) and time.perf_counter() < until:
                pass

    def close(self) -> None:
        """Close every channel and the set."""
        for channel in list(self._channels.values()):
            channel.close()
        self._epoll.close()
