"""A relay between nodes, for machines that have no network namespaces: what it does not pass on is cut.

Every node listens at an address of its own on the loopback interface and announces another one, at which the
relay listens in its place. A connection is known by the name in its first frame (HELLO), a datagram by the
address from which it came, and is passed on from the announced address of whoever sent it. Bytes of a
connection that are cut wait, as TCP would send them again; datagrams are lost.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable

import trio
from attrs import define, field

from tests.chaos.lab import Cuts, Pair
from trio_dynomite.protocol.frames import FrameReader

PEER_PORT = 7001
_CHUNK = 1 << 16
_NAME = 3
"""The place of a node's name in HELLO."""
_RESET = struct.pack("ii", 1, 0)


@define(eq=False)
class Passage:
    """One connection between two nodes."""

    near: trio.SocketStream
    """To the node that opened it."""
    far: trio.SocketStream
    pair: Pair

    def reset(self) -> None:
        """Break it, both ways."""
        for stream in (self.near, self.far):
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            stream.socket.close()


@define(eq=False)
class RelayLab(Cuts):
    """As `lab.Lab`: hosts 1 to `count`, without anything that only root may do."""

    has_small_disks = False
    can_delay = True
    _delays_s: dict[Pair, float] = field(factory=dict)
    _passages: set[Passage] = field(factory=set)
    _mended: trio.Event = field(factory=trio.Event)
    _sockets: dict[int, trio.socket.SocketType] = field(factory=dict)
    """Of datagrams, by the host for which they are meant."""

    def up(self) -> None:
        """There is nothing to be made before it serves."""

    async def serve(self, nursery: trio.Nursery) -> None:
        """Begin to listen, in the place of every host."""
        for host in range(1, self.count + 1):
            sock = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            await sock.bind((self.announced(host), PEER_PORT))
            self._sockets[host] = sock
        for host in range(1, self.count + 1):
            (listener,) = await trio.open_tcp_listeners(PEER_PORT, host=self.announced(host))
            nursery.start_soon(self._accept, listener, host)
            nursery.start_soon(self._datagrams, host)

    @staticmethod
    def _net() -> str:
        """The part of the loopback network that is this process's own."""
        pid = os.getpid()
        return f"127.{64 + pid % 128}.{pid // 128 % 256}."

    @classmethod
    def address(cls, host: int) -> str:
        """At which a host listens."""
        return f"{cls._net()}{host}"

    @classmethod
    def announced(cls, host: int) -> str:
        """Where other nodes think it is."""
        return f"{cls._net()}{100 + host}"

    @staticmethod
    def prefix(host: int) -> tuple[str, ...]:
        """A command runs as it is."""
        return ()

    # Faults

    async def _cut_one(self, pair: Pair) -> None:
        """Nothing to do: whoever passes something on looks."""

    async def _mend_one(self, pair: Pair) -> None:
        self._changed()

    async def delay(self, pairs: Iterable[Pair], seconds: float) -> None:
        """What the first of each pair sends the second takes so much longer from now on; 0: no longer."""
        for pair in pairs:
            self._delays_s[pair] = seconds

    async def reset(self, host: int, other: int) -> None:
        """Reset (RST) all connections between two hosts."""
        for passage in [one for one in self._passages if set(one.pair) == {host, other}]:
            passage.reset()

    def _changed(self) -> None:
        mended, self._mended = self._mended, trio.Event()
        mended.set()

    async def _until_open(self, pair: Pair) -> None:
        """Wait while `pair` is cut, and as long as it is delayed."""
        await trio.sleep(self._delays_s.get(pair, 0.0))
        while self.is_cut(pair):
            await self._mended.wait()

    # Connections

    async def _accept(self, listener: trio.SocketListener, host: int) -> None:
        async with listener, trio.open_nursery() as nursery:
            while True:
                try:
                    near = await listener.accept()
                except OSError:  # whoever called has gone
                    continue
                nursery.start_soon(self._connection, near, host)

    async def _connection(self, near: trio.SocketStream, host: int) -> None:
        async with near:
            try:
                first = await near.receive_some(_CHUNK)
                caller = _caller(first)
                if caller is None:
                    return
                await self._until_open((caller, host))
                far = await trio.open_tcp_stream(self.address(host), PEER_PORT)
            except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
                return
            await self._pass(Passage(near, far, (caller, host)), first)

    async def _pass(self, passage: Passage, first: bytes) -> None:
        self._passages.add(passage)
        there, back = passage.pair, passage.pair[::-1]
        try:
            async with passage.far, trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, passage.far, passage.near, back, b"", nursery)
                await self._pump(passage.near, passage.far, there, first, nursery)
        finally:
            self._passages.discard(passage)

    async def _pump(
        self,
        source: trio.SocketStream,
        target: trio.SocketStream,
        pair: Pair,
        data: bytes,
        nursery: trio.Nursery,
    ) -> None:
        """Pass on what comes until one end is gone; then both are."""
        try:
            while True:
                if data:
                    await self._until_open(pair)
                    await target.send_all(data)
                data = await source.receive_some(_CHUNK)
                if not data:
                    break
            await self._until_open(pair)
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            pass
        nursery.cancel_scope.cancel()

    # Datagrams

    async def _datagrams(self, host: int) -> None:
        """What is meant for `host`, and comes from another."""
        sock = self._sockets[host]
        senders = {self.address(other): other for other in self._sockets}
        with sock:
            await self._pass_datagrams(sock, senders, host)

    async def _pass_datagrams(self, sock: trio.socket.SocketType, senders: dict[str, int], host: int) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                try:
                    data, (source, _) = await sock.recvfrom(_CHUNK)
                except OSError:  # one that we sent met nobody
                    continue
                sender = senders.get(source)
                if sender is not None and not self.is_cut((sender, host)):
                    nursery.start_soon(self._forward, data, sender, host)

    async def _forward(self, data: bytes, sender: int, host: int) -> None:
        await trio.sleep(self._delays_s.get((sender, host), 0.0))
        try:
            await self._sockets[sender].sendto(data, (self.address(host), PEER_PORT))
        except OSError:
            return  # nobody is there


def _caller(first: bytes) -> int | None:
    """The host that opens a connection, by its HELLO."""
    frames = FrameReader().feed(first)
    if not frames:
        return None
    name = str(frames[0][1][_NAME])
    return int(name.removeprefix("node")) if name.startswith("node") else None
