"""The task of gossip: one socket for datagrams, beside the peer port's TCP, and the clock.

What the machine (`gossip.py`) wants sent is sent at once or dropped, as the network might drop it. Host
names are looked up by a task of their own, which may take its time: until a name is known, what goes there
is dropped, and afterwards the known address is used while it is looked up again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.errors import DynomiteError
from trio_dynomite.membership.events import Event
from trio_dynomite.membership.gossip import Gossip

TICK_S = 0.025
"""Between two looks at the clock while something is under way."""
IDLE_S = 0.15
"""The same, at most, while nothing is."""
LOOKUP_AGAIN_S = 10.0
HOSTS_MAX = 16_384
"""Hosts whose addresses are remembered."""
_DATAGRAM_MAX = 65_535


@define(eq=False)
class GossipTask:
    """Gossip of one node in the real world."""

    gossip: Gossip
    host: str
    """Where to listen."""
    port: int
    clock: Callable[[], float]
    on_events: Callable[[list[Event]], None]
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Cancel it to end gossip alone; the node goes on without."""
    unsent: int = 0
    """Datagrams that the system did not take, or whose host is not known yet."""
    _sock: socket.socket | None = None
    _hosts: dict[str, tuple[str | None, float]] = field(factory=dict)
    """Host → its address, and when to look it up again."""
    _wanted: dict[str, None] = field(factory=dict)
    """Hosts that have to be looked up."""
    _wake: trio.Event = field(factory=trio.Event)
    _nap: trio.CancelScope = field(factory=trio.CancelScope)
    """The time until the next tick."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Gossip until cancelled. Raises DynomiteError when the address cannot be had."""
        self._sock = sock = _bind(self.host, self.port)
        try:
            with self.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._receive, trio.socket.from_stdlib_socket(sock))
                    nursery.start_soon(self._look_up)
                    task_status.started()
                    while True:
                        await self._tick()
        finally:
            sock.close()
            self._sock = None

    async def _tick(self) -> None:
        self.gossip.tick(self.clock())
        self.flush()
        wait_s = max(TICK_S, min(IDLE_S, self.gossip.quiet_s))
        with trio.CancelScope(deadline=trio.current_time() + wait_s) as self._nap:
            await trio.sleep_forever()

    def leave(self) -> None:
        """This node stops: say so."""
        self.gossip.leave(self.clock())
        self.flush()

    def flush(self) -> None:
        """Send what the machine wants sent, and report what happened."""
        for (host, port), data in self.gossip.take_datagrams():
            self._send(host, port, data)
        events = self.gossip.take_events()
        if events:
            self.on_events(events)

    async def _receive(self, sock: trio.socket.SocketType) -> None:
        while True:
            try:
                data, source = await sock.recvfrom(_DATAGRAM_MAX)
            except OSError:  # what a datagram of ours met on its way, on some systems
                await trio.sleep(TICK_S)
                continue
            self.gossip.receive(data, (source[0], source[1]), self.clock())
            self.flush()
            if not self.gossip.quiet_s:
                self._nap.deadline = min(self._nap.deadline, trio.current_time() + TICK_S)

    # Sending

    def _send(self, host: str, port: int, data: bytes) -> None:
        address = None if self._sock is None else self._address(host)
        if address is None or self._sock is None:
            self.unsent += 1
            return
        try:
            self._sock.sendto(data, (address, port))
        except OSError:
            self.unsent += 1

    def _address(self, host: str) -> str | None:
        """The host's address, as far as it is known."""
        known = self._hosts.get(host)
        if known is None:
            known = self._hosts[host] = (self._numeric(host), float("inf"))
            if known[0] is None:
                known = self._hosts[host] = (None, 0.0)
            if len(self._hosts) > HOSTS_MAX:
                del self._hosts[next(iter(self._hosts))]
        address, again_s = known
        if self.clock() >= again_s and len(self._wanted) < HOSTS_MAX:
            self._wanted[host] = None
            self._wake.set()
        return address

    def _numeric(self, host: str) -> str | None:
        """The address that `host` is, as this socket writes it; None when it is a name."""
        try:
            return str(socket.getaddrinfo(host, self.port, **self._wish(socket.AI_NUMERICHOST))[0][4][0])
        except OSError:
            return None

    def _wish(self, flags: int = 0) -> dict[str, int]:
        """What addresses are looked for: those that our socket can send to."""
        assert self._sock is not None
        mapped = socket.AI_V4MAPPED if self._sock.family == socket.AF_INET6 else 0
        return {"family": self._sock.family, "type": socket.SOCK_DGRAM, "flags": flags | mapped}

    async def _look_up(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._wanted:
                host = next(iter(self._wanted))
                await self._look_up_one(host)
                del self._wanted[host]

    async def _look_up_one(self, host: str) -> None:
        address = self._hosts.get(host, (None, 0.0))[0]
        try:
            found = await trio.socket.getaddrinfo(host, self.port, **self._wish())
        except (OSError, UnicodeError):
            again_s = self.clock() + 1.0
        else:
            address, again_s = str(found[0][4][0]), self.clock() + LOOKUP_AGAIN_S
        self._hosts[host] = address, again_s


def _bind(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
        sock = socket.socket(found[0], found[1], found[2])
        try:
            sock.bind(found[4])
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise DynomiteError(
            f"cannot listen for gossip on {host}:{port} (UDP): {error.strerror or error};"
            " is another program using it?"
        ) from error
    return sock
