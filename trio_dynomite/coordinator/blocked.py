"""Blocked commands: BLPOP and its kind, on any node, for keys that any other leads.

The command is tried at the primary of its keys. If there is nothing to take, it waits there (`waiting.py`)
and is tried again when it is called: it runs just as if the client had waited and asked at that moment,
once, and a client that has gone has taken nothing. Keys of several primaries are waited for at each of them
(`Stake`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.row import BLOCKED, Row
from trio_dynomite.commands.row import Gather as How
from trio_dynomite.coordinator.gather import Gather
from trio_dynomite.coordinator.here import when_here
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.coordinator.waiting import Seat
from trio_dynomite.errors import CommandError
from trio_dynomite.model import Level
from trio_dynomite.peers.link import LOST
from trio_dynomite.protocol.replies import NULL_ARRAY, error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Waiter
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.peers.peer import Peer

CROSS_SLOT = error("CROSSSLOT Keys in request don't hash to the same slot")
_MOVES = frozenset(["blmove", "brpoplpush"])
"""Commands that wait for the first of their keys."""
_TYPES = {"bl": "list", "br": "list", "bz": "zset", "xr": "stream"}
"""What the commands with these first letters wait for."""
_SPLIT = frozenset(["blpop", "brpop", "bzpopmin", "bzpopmax"])
"""Commands that are keys and a timeout, so that each primary can be asked for its own keys."""


@define(eq=False)
class Stake:
    """The keys of a blocked command that one route leads, and how it waits for them."""

    route: Route
    args: list[bytes]
    token: int
    """Names it between nodes."""
    number: int = 0
    """Its place in the queue there; 0 before the first attempt."""
    seat: Seat | None = None
    """Where it waits, when that is on this node."""
    peer: Peer | None = None
    """Where it waits or is tried, when that is elsewhere."""
    is_asking: bool = False
    """It is being tried elsewhere."""
    is_called: bool = False
    """It was called while another was being tried."""


@define(eq=False)
class Blocked(LoneCaller):
    """One blocked command of a client of this node; the caller of its attempts, and who waits for them."""

    engine: Engine
    row: Row
    read_level: Level
    write_level: Level
    resp: int
    owner: Caller
    hops: int = 0
    stakes: list[Stake] = field(factory=list)
    place: Waiter | None = None
    """Where the reply goes; None while the command is still being submitted."""
    reply: bytes | None = None
    timed_out: bool = False
    executed: bool = False
    """It was, and waits for acknowledgements: nothing ends it but its own reply."""
    is_trying: bool = False
    """It runs at this moment: what it writes calls those who wait, and must not call itself."""

    @property
    def is_over(self) -> bool:
        """Has it its reply?"""
        return self.reply is not None

    @property
    def is_busy(self) -> bool:
        """Is it being tried, here or elsewhere? Whatever calls it now has to wait."""
        return self.is_trying or any(stake.is_asking for stake in self.stakes)

    def begin(self) -> bytes | None:
        """Try everything in the order of the keys; the reply, or None when it comes later."""
        for stake in self.stakes:
            self.attempt(stake)
        if self.reply is None:
            self.place = self.owner.block()
        return self.reply

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """It was executed here, and waits for acknowledgements."""
        self.executed = True
        self._leave_all()
        return self

    def done(self, reply: bytes) -> None:
        """The reply has come."""
        self.finish(reply)

    def attempt(self, stake: Stake) -> None:
        """Try a stake where its route is led; wait for somebody to lead it if nobody does."""
        if self.is_over or self.executed or not self._is_here(stake):
            return
        if self.is_busy:
            stake.is_called = True
            return
        stake.is_called = False
        if stake.route.is_retired:
            self._stake_again()
            return
        leader = stake.route.leader
        if stake.seat is not None:
            self._called_here(stake)
        elif stake.route.may_block:
            self._attempt_here(stake)
        elif leader is not None and leader.is_open:
            self._attempt_there(stake, leader)
        else:
            self.engine.parking.call(lambda: self.again(stake))

    def _is_here(self, stake: Stake) -> bool:
        """Are its keys here? If not, they are fetched, and it is tried then."""
        if stake.seat is None and not stake.route.may_block:
            return True
        return when_here(self.engine, self.row.keys(stake.args), lambda: self.attempt(stake))

    def again(self, stake: Stake) -> None:
        """Something has changed: try again, unless it waits somewhere already."""
        if stake in self.stakes and stake.seat is None and stake.peer is None:
            self.attempt(stake)

    def _attempt_here(self, stake: Stake) -> None:
        blocking = self.engine.blocking
        reply = self._run(stake)
        if reply is BLOCKED:
            stake.args = blocking.settled(self.row, stake.args)
            stake.number = stake.number or blocking.room.next_number()
            keys = self.row.keys(stake.args)
            call = partial(self._called_here, stake)
            stake.seat = Seat(stake.number, keys, call, self.row.name == "xreadgroup")
            blocking.sit(stake.seat)
            self._answer_calls()
        elif reply is not None:
            self.finish(reply)

    def _run(self, stake: Stake) -> bytes | None:
        self.is_trying = True
        try:
            return self.engine.blocking.run(self.row, stake.args, stake.route, self)
        finally:
            self.is_trying = False

    def _called_here(self, stake: Stake) -> bool:
        if self.is_over or self.executed:
            return True
        if not self._is_here(stake):
            return False
        if self.is_busy:
            stake.is_called = True
        if self.is_busy or not stake.route.may_block:
            return False
        reply = self._run(stake)
        if reply is not None and is_nothing(self.engine, self.row, stake.args, reply):
            self._answer_calls()
            return False
        if reply is not None:
            self.finish(reply)
        return True

    def _attempt_there(self, stake: Stake, leader: Peer) -> None:
        stake.peer, stake.is_asking = leader, True
        levels = [int(self.read_level), int(self.write_level)]
        values = [stake.token, stake.number, *levels, self.resp, stake.args]
        self.engine.blocking.ask(leader, values, lambda value, clock: self._answered(stake, value, clock))

    def _answered(self, stake: Stake, value: Any, clock: int) -> None:
        stake.is_asking = False
        if value is LOST:
            stake.peer = None
            self.finish(error("UNKNOWN a connection ended while the command was tried; it may have happened"))
        elif value is None or value[0] == b"moved":
            stake.peer = None
            self._moved(stake)
        elif value[0] == b"done":
            self._done_there(stake, value[1], clock)
        else:
            stake.number, stake.args = value[1], value[2]
            self._queued(stake)

    def _done_there(self, stake: Stake, reply: bytes, clock: int) -> None:
        """Executed at another node: answered once this node's own copy has it, as any forwarded write."""
        peer, route = stake.peer, stake.route
        stake.peer = None
        self.executed = True
        self._leave_all()
        if not clock or not route.is_replica or peer is None:
            self.finish(reply)
            return
        source = (peer.node.id, route.number)
        engine = self.engine
        engine.arrivals.when_here(source, clock, engine.mono_s, lambda: self.finish(reply))

    def _moved(self, stake: Stake) -> None:
        """Not tried: nobody leads there now."""
        if self.timed_out:
            self.finish(self.null)
        else:
            self.engine.parking.call(lambda: self.again(stake))
            self._answer_calls()

    def _queued(self, stake: Stake) -> None:
        if self.is_over:
            self._leave(stake)
        elif self.timed_out:
            self.finish(self.null)
        elif stake.route.is_retired:
            self.attempt(stake)
        else:
            self._answer_calls()

    def _answer_calls(self) -> None:
        """Try what was called while something else was tried."""
        for stake in self.stakes:
            if stake.is_called:
                self.attempt(stake)

    def expire(self) -> None:
        """The timeout has passed."""
        self.timed_out = True
        if not self.is_over and not self.executed and not any(stake.is_asking for stake in self.stakes):
            self.finish(self.null)

    @property
    def null(self) -> bytes:
        """What it answers when it gets nothing."""
        return NULL_ARRAY[self.resp]

    def finish(self, reply: bytes) -> None:
        """Answer, and wait no more."""
        if self.is_over:
            return
        self.reply = reply
        self._leave_all()
        self.engine.blocking.forget(self)
        if self.place is not None:
            self.place.done(reply)

    def _leave_all(self) -> None:
        for stake in self.stakes:
            self._leave(stake)

    def _leave(self, stake: Stake) -> None:
        blocking = self.engine.blocking
        if stake.seat is not None:
            blocking.room.leave(stake.seat)
            stake.seat = None
        if stake.peer is not None and not stake.is_asking:
            blocking.leave(stake.peer, stake.token)
            stake.peer = None

    def _stake_again(self) -> None:
        """The ring has changed: wait by the new one for what is waited for."""
        self._leave_all()
        waits = [stake.args for stake in self.stakes]
        args = waits[0] if len(waits) == 1 else [waits[0][0], *_keys_of(self.row, waits), waits[0][-1]]
        routes = routes_of(self.engine, self.row, args)
        if len(routes) > 1 and self.row.name not in _SPLIT:
            self.finish(CROSS_SLOT)
            return
        self.stake(args, routes)
        for stake in list(self.stakes):
            self.attempt(stake)

    def stake(self, args: list[bytes], routes: dict[Route, list[bytes]]) -> None:
        """Wait for these keys, each at its route."""
        self.stakes = []
        for route, keys in routes.items():
            part = [args[0], *keys, args[-1]] if len(routes) > 1 else args
            self.stakes.append(Stake(route, part, self.engine.blocking.next_token()))

    def reroute(self) -> None:
        """Who leads may have changed: wait where the primary is now."""
        if self.executed or self.is_over:
            return
        if any(stake.route.is_retired for stake in self.stakes) and not self.is_busy:
            self._stake_again()
            return
        for stake in self.stakes:
            moved_here = stake.seat is not None and not stake.route.is_ready
            moved_there = stake.peer is not None and stake.peer is not stake.route.leader
            if (moved_here or moved_there) and not stake.is_asking:
                self._leave(stake)
                stake.number = 0
                self.attempt(stake)


def is_nothing(engine: Engine, row: Row, args: list[bytes], reply: bytes) -> bool:
    """Is there still nothing for a command that waits? What it waits for may be of another type by now."""
    if reply is BLOCKED or row.name == "xreadgroup" or not reply.startswith(b"-WRONGTYPE"):
        return reply is BLOCKED  # a reader of a group hears that its stream has gone, however it went
    keys = row.keys(args)[:1] if row.name in _MOVES else row.keys(args)
    wanted = _TYPES[row.name[:2]]
    return any(engine.keyspace.kind(key) not in (None, wanted) for key in keys)


def routes_of(engine: Engine, row: Row, args: list[bytes]) -> dict[Route, list[bytes]]:
    """The routes of a command's keys, and the keys of each."""
    routes: dict[Route, list[bytes]] = {}
    for key in row.keys(args):
        routes.setdefault(engine.table.of_key(key), []).append(key)
    return routes


def _keys_of(row: Row, waits: list[list[bytes]]) -> list[bytes]:
    return [key for args in waits for key in row.keys(args)]


def submit(engine: Engine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Run a blocking command, and wait if there is nothing for it."""
    assert row.blocking is not None
    routes = routes_of(engine, row, args)
    if not routes:
        return engine.execute(row, args, caller.resp)
    try:
        timeout_s = row.blocking(args)
    except CommandError:
        timeout_s = -1  # the handler refuses it, unless something else is wrong first
    if len(routes) > 1 and row.name not in _SPLIT:
        waits = timeout_s >= 0 or row.gather is How.NO
        return CROSS_SLOT if waits else Gather.start(engine, row, args, caller)
    if timeout_s < 0:
        return engine.submit_to(next(iter(routes)), row, args, caller)
    blocked = Blocked(engine, row, caller.read_level, caller.write_level, caller.resp, caller)
    blocked.stake(args, routes)
    return engine.blocking.start(blocked, timeout_s)
