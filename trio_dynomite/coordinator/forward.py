"""Forward: a request that another node must serve.

A write goes to the key's primary, a read to the nearest replica that serves. What was never sent, or came
back undone, is tried elsewhere until the deadline. A read that was sent is too. A write that was sent and not
answered is reported as *outcome unknown*, never silently repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.batch import Waiter, nothing_done
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.model import Level
from trio_dynomite.peers.link import LOST
from trio_dynomite.peers.peer import Liveness, Peer
from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route

HOPS_MAX = 2
"""A coordinator may pass a request to a node that knows the primary better, and that one on; no further."""


@define(eq=False)
class Forward(LoneCaller):
    """One forwarded request; the caller too, when it comes back to be served here."""

    engine: Engine
    route: Route
    row: Row
    args: list[bytes]
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    size: int
    """Bytes of the request."""
    waiter: Waiter | None = None
    tried: list[Peer] = field(factory=list)
    is_over: bool = False

    @classmethod
    def start(cls, engine: Engine, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Send the request on, park it, or say at once why neither helps."""
        if caller.hops >= HOPS_MAX:
            return refuse_here(caller)
        follows = route in caller.remote_writes
        target = _leader(route) if row.write or follows else _reader(route, engine.node.rack, [])
        if target is None:
            return _park_or_refuse(engine, route, row, args, caller)
        levels, size = (caller.read_level, caller.write_level), sum(map(len, args))
        forward = cls(engine, route, row, args, *levels, caller.resp, caller.hops, size)
        forward.waiter = caller.wait(*(route, None) if row.write else (None, route))
        engine.in_flight += 1
        engine.waiting_bytes += size
        engine.watch(forward)
        forward._send(target)
        return None

    def _send(self, target: Peer) -> None:
        self.tried.append(target)
        self.engine.forwarded += 1
        fields = [int(self.read_level), int(self.write_level), self.resp, self.hops + 1, self.args]
        assert target.link is not None
        target.link.run(fields, self._answered)

    def _answered(self, reply: Any, clock: int = 0) -> None:
        if self.is_over:
            return
        if reply is LOST and self.row.write:
            self._finish(
                error(f"UNKNOWN the connection to {self.tried[-1].name} ended; the write may have happened")
            )
        elif reply is LOST or reply is None:
            self._try_again()
        elif clock and self.route.is_replica:
            source = (self.tried[-1].node.id, self.route.number)
            self.engine.arrivals.when_here(source, clock, self.engine.mono_s, lambda: self._finish(reply))
        else:
            self._finish(reply)

    def _try_again(self) -> None:
        target = None if self.row.write else _reader(self.route, self.engine.node.rack, self.tried)
        if target is not None:
            self._send(target)
            return
        self._end()
        self.tried.clear()
        self.engine.parking.add(self.route, self.row, self.args, self)

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        assert self.waiter is not None
        return self.waiter

    def expire(self) -> None:
        """The deadline has passed."""
        if self.is_over:
            return
        if not self.row.write:
            self._finish(error("TIMEOUT no replica answered in time"))
        else:
            self._finish(error(f"UNKNOWN {self.tried[-1].name} did not answer in time; the write may happen"))

    def _finish(self, reply: bytes) -> None:
        if self.is_over:
            return
        self._end()
        self.wait().done(reply)
        self.args = []  # its deadline keeps this object for a while

    def _end(self) -> None:
        self.is_over = True
        self.engine.in_flight -= 1
        self.engine.waiting_bytes -= self.size


def refuse_here(caller: Caller) -> bytes | None:
    """Tell the node that passed the request on that nothing was done here."""
    caller.wait().done(None)  # type: ignore[arg-type]
    return None


def _leader(route: Route) -> Peer | None:
    leader = route.leader
    return leader if leader is not None and leader.is_open else None


def _reader(route: Route, rack: str, tried: list[Peer]) -> Peer | None:
    """The nearest replica that serves: our own rack's first, then in the route's order."""
    ready = [peer for peer in route.readers() if peer not in tried]
    return min(ready, key=lambda peer: peer.node.rack != rack, default=None)


def _park_or_refuse(
    engine: Engine, route: Route, row: Row, args: list[bytes], caller: Caller
) -> bytes | None:
    """Wait when somebody may be back in a moment, or this node has yet to become ready."""
    in_limbo = any(peer.liveness is Liveness.LIMBO or peer.is_open for peer in route.copies)
    if route.leads or in_limbo or (route.is_replica and not route.serves) or route.is_retired:
        engine.parking.add(route, row, args, caller)
        return None
    engine.refused += 1
    if row.write:
        return nothing_done(route.write_shortfall[caller.write_level] or "no replica can lead")
    return error(f"NOREPLICAS {route.read_shortfall[caller.read_level] or 'no replica can answer'}")
