"""A task that keeps one connection to a server: it connects, and again with back-off whenever that ends.

The engine above hears of two things, both inside a turn of the hub: `on_up` with a pipe that may be used, and
`on_down` with the reason, before those who wait on the pipe are told that their outcome is unknown. A server
that is silent while something is asked of it, or too slow for what waits for it, is given up like one that
hung up; one that is asked nothing is pinged. How to connect is handed in: nothing here knows of sockets.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import trio
from attrs import define, field

from trio_dynomite.storage.servers.handshake import Greeted, Handshake, Step
from trio_dynomite.storage.servers.pipe import Scanner, ServerPipe

if TYPE_CHECKING:
    from trio_dynomite.hub.channel import Handler, PeerPipe

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0
_STRANGE = (
    "the server sent",
    "the server was silent",
    "closed by the other side",
    "connection lost",
    "Connection reset",
)
"""How the reasons begin for which a connection ends at first when there is another kind of server."""
_LOOKS = 4
"""How often a silence is looked at before it is too long."""


class Line(Protocol):
    """A connection that nobody serves yet."""

    def open(self, handler: Handler) -> PeerPipe:
        """Serve it in the hub: `handler` gets its bytes from now on."""


class Dial(Protocol):
    """Makes a connection."""

    def __call__(self) -> Awaitable[Line]:
        """Connect. Raises OSError."""


@define(eq=False, kw_only=True)
class Connection:
    """Keeps one server connected."""

    address: str
    """Of the server, in the log."""
    dial: Dial
    turn: Callable[[Callable[[], None]], object]
    """Does something within a turn of the hub."""
    new_scanner: Callable[[], Scanner]
    steps: Callable[[Greeted], Iterable[Step]]
    """What is said first; the steps fill in what they learn."""
    ping: bytes
    """A request that anything alive answers at once."""
    on_up: Callable[[ServerPipe], None]
    on_down: Callable[[str], None]
    log: Callable[..., None]
    connect_timeout_s: float
    silent_after_s: float
    """How long the server may owe an answer without a sign of life."""
    output_max: int
    advice: str = ""
    """What to look at when it does not speak as it should."""
    pipe: ServerPipe | None = None
    """While it is up."""
    greeted: Greeted = field(factory=Greeted)
    """What the server told of itself when it was last up."""
    mistake: str = "not connected yet"
    """Why it is not up."""
    times_up: int = 0
    wake: trio.Event = field(factory=trio.Event)
    """Set when there is a reason to connect at once: the server is back."""
    _is_up: trio.Event = field(factory=trio.Event)
    _backoff_s: float = BACKOFF_FIRST_S

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Connect, again and again, until cancelled. Started as soon as it tries."""
        task_status.started()
        while True:
            try:
                with trio.fail_after(self.connect_timeout_s):
                    line = await self.dial()
            except trio.TooSlowError:
                self._note("connecting timed out")
            except OSError as error:
                self._note(error.strerror or str(error))
            else:
                await self._serve(line)
            await self._pause()

    async def wait_up(self) -> None:
        """Wait until the server is connected, for the first time or again."""
        await self._is_up.wait()

    async def _serve(self, line: Line) -> None:
        ended = trio.Event()
        pipe = ServerPipe(self.new_scanner(), self.output_max)
        greeted = Greeted()

        def end(reason: str) -> None:
            ended.set()
            self._down(reason)

        def greet() -> None:
            pipe.on_closed = end
            pipe.pipe = line.open(pipe)
            handshake = Handshake(self.steps(greeted), lambda mistake: self._welcomed(pipe, greeted, mistake))
            handshake.start(pipe)

        self.turn(greet)
        try:
            await self._watch(pipe, ended)
        finally:
            self.turn(lambda: pipe.close("the node stops"))

    def _welcomed(self, pipe: ServerPipe, greeted: Greeted, mistake: str) -> None:
        if mistake:
            pipe.close(f"the server {mistake}")
            return
        self.pipe, self.greeted, self.mistake = pipe, greeted, ""
        self.times_up += 1
        self._backoff_s = BACKOFF_FIRST_S
        self._is_up.set()
        self.log("storage server connected", address=self.address, kind=greeted.kind)
        self.on_up(pipe)

    def _down(self, reason: str) -> None:
        was_up, self.pipe = self.pipe is not None, None
        if was_up:
            self._is_up = trio.Event()
        is_strange = not was_up and self.advice and reason.startswith(_STRANGE)
        self._note(f"{reason}; {self.advice}" if is_strange else reason)
        if was_up:
            self.on_down(reason)

    def _note(self, reason: str) -> None:
        """Log why it is not up, once as long as it is the same."""
        if reason != self.mistake:
            told = "no clients are served until it is; it is tried again and again"
            self.log("storage server not connected", address=self.address, reason=reason, told=told)
        self.mistake = reason

    async def _watch(self, pipe: ServerPipe, ended: trio.Event) -> None:
        """Wait until the connection ends; end it when the server is silent for too long."""
        alive_s, signs = trio.current_time(), pipe.signs_of_life
        roomy_s = alive_s
        while not ended.is_set():
            with trio.move_on_after(self.silent_after_s / _LOOKS):
                await ended.wait()
                return
            now_s = trio.current_time()
            if not pipe.waiting or pipe.signs_of_life != signs:
                alive_s, signs = now_s, pipe.signs_of_life
            if pipe.has_room:
                roomy_s = now_s
            elif now_s - roomy_s >= self.silent_after_s:
                self.turn(lambda: pipe.close(f"the server is too slow: {pipe.unsent} bytes wait for it"))
                return
            if not pipe.waiting:
                self.turn(lambda: pipe.send(self.ping, lambda reply: None))
            elif now_s - alive_s >= self.silent_after_s:
                self.turn(lambda: pipe.close(f"the server was silent for {self.silent_after_s:g} s"))

    async def _pause(self) -> None:
        self.wake = trio.Event()
        with trio.move_on_after(self._backoff_s * random.uniform(0.5, 1.0)):
            await self.wake.wait()
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_MAX_S)
