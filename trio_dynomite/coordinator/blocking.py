"""Blocking between nodes: all blocked commands of this node's clients, and those of others that wait here.

Three things are told: `block` tries a command and, when there is nothing, waits; `ready` calls who waits;
`leave` gives the place up. A place is lost with the connection on which it was asked for, whose other end
then waits elsewhere. The calls go by another connection, ours to that node: while there is none, others are
called, and when there is one again, everybody is who was passed over.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import BLOCKED, Row
from trio_dynomite.commands.stream_reads import settle
from trio_dynomite.commands.table import find
from trio_dynomite.coordinator.blocked import Blocked, is_nothing
from trio_dynomite.coordinator.broadcast import TELL_HOPS
from trio_dynomite.coordinator.forward import HOPS_MAX
from trio_dynomite.coordinator.here import when_here
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.coordinator.waiting import HOLD_S, Seat, WaitingRoom
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error, is_error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Waiter
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.peers.acceptor import Acceptor
    from trio_dynomite.peers.peer import Peer

BLOCK, READY, LEAVE = b"block", b"ready", b"leave"
_UNBLOCKED = error("UNBLOCKED client unblocked via CLIENT UNBLOCK")


@define(eq=False)
class RemoteAttempt(LoneCaller):
    """A blocked command of another node's client that is tried here."""

    read_level: Level
    write_level: Level
    resp: int
    answer: Callable[[Any], None]
    hops: int = HOPS_MAX

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """It was executed, and waits for acknowledgements."""
        return self

    def done(self, reply: Any) -> None:
        """The reply; None: this node does not lead the keys any more."""
        self.answer([b"moved"] if reply is None else [b"done", reply])


@define(eq=False)
class Blocking:
    """All that blocks at one node."""

    engine: Engine
    room: WaitingRoom = field(factory=WaitingRoom)
    blocked: dict[Caller, Blocked] = field(factory=dict)
    """By who gave it."""
    _tokens: int = 0
    _deadlines: list[tuple[float, int, Blocked]] = field(factory=list)
    _guests: dict[tuple[Acceptor, int], Seat] = field(factory=dict)
    """(connection, token) → where another node's client waits here."""

    def __attrs_post_init__(self) -> None:
        broadcasts = self.engine.broadcasts
        broadcasts.late[BLOCK] = self._on_block
        broadcasts.late[READY] = self._on_ready
        broadcasts.late[LEAVE] = self._on_leave

    @property
    def is_quiet(self) -> bool:
        """Does nobody wait here?"""
        return not self.room.queues

    def next_token(self) -> int:
        """A name for a stake."""
        self._tokens += 1
        return self._tokens

    def sit(self, seat: Seat) -> None:
        """Somebody waits at this node: writes are noticed from now on."""
        self.room.sit(seat)
        self.engine.written.listen()

    def run(self, row: Row, args: list[bytes], route: Route, caller: Caller) -> bytes | None:
        """Try a command on the primary, which this node is; BLOCKED when there is nothing for it."""
        keyspace = self.engine.keyspace
        keyspace.may_block = True
        try:
            if row.write or not caller.read_level:
                return self.engine.submit_to(route, row, args, caller)
            reply = self.engine.execute(row, args, caller.resp)
        finally:
            keyspace.may_block = False
        if reply is BLOCKED or is_error(reply):
            return reply
        # There is something to read: a quorum must stand for it, as for any other read.
        return self.engine.submit_to(route, row, args, caller)

    def settled(self, row: Row, args: list[bytes]) -> list[bytes]:
        """The arguments with which to try again: what means "from now on" means this moment."""
        return settle(self.engine.keyspace, args) if row.name == "xread" else args

    # This node's clients

    def start(self, blocked: Blocked, timeout_s: float) -> bytes | None:
        """Try a command; the reply, or None when it comes later, at the timeout at the latest (0: never)."""
        self.blocked[blocked.owner] = blocked
        reply = blocked.begin()
        if reply is None and timeout_s:
            entry = (self.engine.mono_s + timeout_s, self.next_token(), blocked)
            heapq.heappush(self._deadlines, entry)
        return reply

    def forget(self, blocked: Blocked) -> None:
        """It has its reply."""
        if self.blocked.get(blocked.owner) is blocked:
            del self.blocked[blocked.owner]

    def gone(self, owner: Caller) -> None:
        """A client has gone: it waits no more."""
        blocked = self.blocked.get(owner)
        if blocked is not None:
            blocked.place = None
            blocked.finish(b"")

    def unblock(self, owner: Caller, *, as_error: bool) -> bool:
        """End a client's wait as if it had timed out, or in error; did it wait?"""
        blocked = self.blocked.get(owner)
        if blocked is None or blocked.place is None or blocked.executed:
            return False
        blocked.finish(_UNBLOCKED if as_error else blocked.null)
        return True

    def tick(self) -> None:
        """Timeouts, and those who were called and did not come."""
        now = self.engine.mono_s
        while self._deadlines and self._deadlines[0][0] <= now:
            heapq.heappop(self._deadlines)[2].expire()
        for seat in list(self._guests.values()):
            if 0 < seat.held_until_s <= now:
                seat.held_until_s = 0.0  # it has its place still, and may come late
                self._call_next(seat)

    def reroute(self) -> None:
        """Who leads may have changed."""
        for blocked in list(self.blocked.values()):
            blocked.reroute()

    def ask(self, peer: Peer, values: list[Any], answer: Callable[[Any, int], None]) -> None:
        """Try a command at another node."""
        assert peer.link is not None
        peer.link.run([0, 0, 2, TELL_HOPS, [BLOCK, values]], lambda value, clock=0: answer(value, clock))

    def leave(self, peer: Peer, token: int) -> None:
        """Give up a place at another node."""
        if peer.is_open:
            self.engine.broadcasts.tell(peer, LEAVE, [token], lambda answer: None)

    def _on_ready(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        answer(1)
        peer = acceptor.peer
        assert peer is not None
        for blocked in list(self.blocked.values()):
            for stake in blocked.stakes:
                if stake.token == values[0] and stake.peer is peer:
                    blocked.attempt(stake)
                    return
        self.leave(peer, values[0])

    # What waits here for others

    def _on_block(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        token, number, read_level, write_level, resp, args = values
        row = find(args)
        assert row is not None
        keys = row.keys(args)
        if acceptor.is_closed or not when_here(
            self.engine, keys, lambda: self._on_block(acceptor, values, answer)
        ):
            return
        route = self.engine.table.of_key(keys[0])
        was_held = self._vacate(acceptor, token)
        if not route.may_block:
            answer([b"moved"])
            return
        attempt = RemoteAttempt(Level(read_level), Level(write_level), resp, answer)
        reply = self.run(row, args, route, attempt)
        if reply is BLOCKED or (number and reply is not None and is_nothing(self.engine, row, args, reply)):
            number = number or self.room.next_number()
            seat = Seat(number, keys, partial(self._call, acceptor, token), row.name == "xreadgroup")
            self._guests[acceptor, token] = seat
            self.sit(seat)
            answer([b"queued", seat.number, self.settled(row, args)])
        elif reply is not None:
            answer([b"done", reply])
        if was_held is not None:
            self._call_next(was_held)

    def _call_next(self, held: Seat) -> None:
        """The keys of one who was called are free again: those behind are called if anything is left."""
        if not when_here(self.engine, held.keys, lambda: self._call_next(held)):
            return
        kind = self.engine.keyspace.kind
        left = [key for key in held.keys if kind(key) is not None]
        if left:
            self.engine.soon(partial(self.engine.written.call_again, left, held.number))

    def _call(self, acceptor: Acceptor, token: int) -> bool:
        peer = acceptor.peer
        assert peer is not None
        if peer.is_open:
            self._guests[acceptor, token].held_until_s = self.engine.mono_s + HOLD_S
            self.engine.broadcasts.tell(peer, READY, [token], lambda answer: None)
        return False

    def _on_leave(self, acceptor: Acceptor, values: list[Any], answer: Callable[[Any], None]) -> None:
        answer(1)
        self._drop(acceptor, values[0])

    def _drop(self, acceptor: Acceptor, token: int) -> None:
        seat = self._vacate(acceptor, token)
        if seat is not None:
            self._call_next(seat)

    def _vacate(self, acceptor: Acceptor, token: int) -> Seat | None:
        seat = self._guests.pop((acceptor, token), None)
        if seat is not None:
            self.room.leave(seat)
        return seat

    def connection_gone(self, acceptor: Acceptor) -> None:
        """A peer's connection to us has ended: its clients wait here no more, as it will notice."""
        for where, token in list(self._guests):
            if where is acceptor:
                self._drop(acceptor, token)

    def peer_back(self, peer: Peer) -> None:
        """Our connection to a peer is open again: call those of its clients who were passed over."""
        for (acceptor, _), seat in list(self._guests.items()):
            if acceptor.peer is peer:
                seat.held_until_s = 0.0
                self.engine.soon(partial(self.engine.written.call_again, seat.keys, 0))

    def peer_gone(self, peer: Peer) -> None:
        """Our connection to a peer has ended: our clients wait there no more."""
        for blocked in list(self.blocked.values()):
            for stake in blocked.stakes:
                if stake.peer is peer and not stake.is_asking:
                    stake.peer = None
                    self.engine.parking.call(partial(blocked.again, stake))

    def wake(self, keys: list[bytes], after: int = 0) -> None:
        """These keys were written, or are free again: call who waits for them, behind the number `after`."""
        keyspace, now_s = self.engine.keyspace, self.engine.mono_s
        for key in keys:
            again = partial(self.engine.written.call_again, [key], after)
            if key in self.room.queues and when_here(self.engine, [key], again):
                self.room.written(key, now_s, lambda key: keyspace.kind(key) is not None, after)
