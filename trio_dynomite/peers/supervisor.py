"""A task per peer: it owns the connection's life, and the scope in which everything with that peer lives.

Connect, hand the socket to the hub, wait until the link ends, and again with back-off and jitter. The roster
decides; when it declares the peer down it cancels the scope: the link closes in that turn, what was in
flight is resolved, what was owed becomes hints. The next round opens a new scope.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.connecting import connect
from trio_dynomite.hub.hub import Hub
from trio_dynomite.peers.link import Link
from trio_dynomite.peers.peer import Peer
from trio_dynomite.peers.roster import Roster

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0


@define(eq=False)
class Supervisor:
    """Keeps one peer connected."""

    hub: Hub
    roster: Roster
    peer: Peer
    connect_timeout_s: float
    wake: trio.Event = field(factory=trio.Event)
    """Set when there is a reason to connect at once: the peer has called us."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """The link, and all that depends on it."""
    _whole: trio.CancelScope = field(factory=trio.CancelScope)
    _backoff_s: float = BACKOFF_FIRST_S

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Connect, again and again, until cancelled, or the peer is none any more."""
        task_status.started()
        with self._whole:
            while True:
                with trio.CancelScope() as self.scope:
                    await self._once()
                await self._pause()

    def stop(self) -> None:
        """The peer was forgotten."""
        self._whole.cancel()

    async def _once(self) -> None:
        try:
            with trio.fail_after(self.connect_timeout_s):
                sock = await connect(self.peer.node.host, self.peer.node.peer_port)
        except trio.TooSlowError:
            self._turn(lambda: self.roster.connect_failed(self.peer, "connecting timed out", refused=False))
            return
        except OSError as error:
            reason, refused = error.strerror or str(error), isinstance(error, ConnectionRefusedError)
            self._turn(lambda: self.roster.connect_failed(self.peer, reason, refused=refused))
            return
        await self._serve(sock)

    async def _serve(self, sock: socket.socket) -> None:
        ended = trio.Event()
        channel = Channel(self.hub, sock, output_max=2 * self.roster.settings.peer_output_max)
        opened: list[Link] = []

        def open_link() -> None:
            link = self.roster.open_link(self.peer, channel)
            link.on_closed = ended.set
            channel.open(link)
            opened.append(link)

        self._turn(open_link)
        try:
            await ended.wait()
        finally:
            self._turn(lambda: opened[0].close("the peer's scope was cancelled"))
        if opened[0].was_welcome:
            self._backoff_s = BACKOFF_FIRST_S

    def _turn(self, act: Callable[[], None]) -> None:
        self.hub.turn(act)

    async def _pause(self) -> None:
        self.wake = trio.Event()
        with trio.move_on_after(self._backoff_s * random.uniform(0.5, 1.0)):
            await self.wake.wait()
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_MAX_S)
