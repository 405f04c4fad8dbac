"""The engine: a node's mind, without sockets, tasks or a clock of its own.

The hub (or the simulator) tells it the time, hands it commands and peer frames, and calls `end` when a turn
is over; it answers, or answers later. A request is **routed** to a replica, which **serves** it:

* a write to the key's primary, which executes it once, sends the effect to the other replicas, and answers
  when the level's acknowledgements are in;
* a read to this node's own copy, or the nearest one; at a quorum level it compares digests first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.coordinator import changes, everywhere, scatter, several
from trio_dynomite.coordinator.arrivals import Arrivals
from trio_dynomite.coordinator.batch import Batch, Waiter, nothing_done
from trio_dynomite.coordinator.blocking import Blocking
from trio_dynomite.coordinator.broadcast import Broadcasts
from trio_dynomite.coordinator.common import Common
from trio_dynomite.coordinator.eviction import Eviction
from trio_dynomite.coordinator.forward import Forward
from trio_dynomite.coordinator.full_disk import FullDisk
from trio_dynomite.coordinator.overload import refusal
from trio_dynomite.coordinator.park import Parking
from trio_dynomite.coordinator.quorum import QuorumRead, VerifiedWrite
from trio_dynomite.coordinator.replica import Replica
from trio_dynomite.coordinator.routes import VERIFIED, Route, RouteTable
from trio_dynomite.coordinator.sending import send_batches
from trio_dynomite.coordinator.written import Written
from trio_dynomite.errors import CommandError
from trio_dynomite.model import Level, Node, NodeState
from trio_dynomite.peers.link import Link
from trio_dynomite.protocol import replies
from trio_dynomite.repair.anti_entropy import AntiEntropy
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace

if TYPE_CHECKING:
    from trio_dynomite.peers.acceptor import Acceptor
    from trio_dynomite.peers.roster import Roster

LAPSE_S = 0.2
"""A node that had no turn for so long may have been paused, and looks whether it may still lead."""
LEAP_MS = 50
"""A wall clock that gained so much on the monotonic one leapt, or the machine slept: peers must hear it."""
EXPIRED_A_TICK = 2000
_INTERNAL = replies.error("ERR internal error; the node's log tells more")


class Caller(Protocol):
    """Who asks: a client's session, a peer, or a part of a larger request."""

    @property
    def read_level(self) -> Level:
        """The level of its reads."""

    @property
    def write_level(self) -> Level:
        """The level of its writes."""

    @property
    def resp(self) -> int:
        """The protocol of its replies."""

    @property
    def hops(self) -> int:
        """How many nodes have passed the request on already."""

    @property
    def remote_writes(self) -> Mapping[Route, int]:
        """Routes on which it has writes under way to another node: its reads follow them there."""

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """The reply will come later: whom to tell?

        `away`: the route of a write that another node is to serve; `reading`: that of a read."""

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""

    def block(self) -> Waiter:
        """As `wait`; and nothing more of this caller runs until the reply has come."""

    def note(self, away: Route | None, reading: Route | None, change: int) -> None:
        """A part of it waits for an answer (1), or has it (-1)."""


class Operation(Protocol):
    """Something under way that has a deadline."""

    def expire(self) -> None:
        """The deadline has passed; an operation that is finished ignores it."""


@define(eq=False, repr=False)
class Engine:
    """One node's coordinator and replica."""

    node: Node
    keyspace: StoreKeyspace
    table: RouteTable
    request_timeout_s: float
    in_flight_max: int
    waiting_bytes_max: int
    """Bytes of requests that wait for somebody else, and of replies that wait for a quorum."""
    log: Callable[..., None]
    state: NodeState = NodeState.INIT
    now_ms: int = 0
    mono_s: float = 0.0
    roster: Roster = field(init=False)
    parking: Parking = field(init=False)
    on_state: Callable[[NodeState], None] = lambda state: None
    replica: Replica = field(init=False)
    broadcasts: Broadcasts = field(init=False)
    blocking: Blocking = field(init=False)
    written: Written = field(init=False)
    common: Common = field(init=False)
    eviction: Eviction = field(init=False)
    repair: AntiEntropy = field(init=False)
    disk: FullDisk = field(init=False)
    is_warm: bool = False
    """This node knows all that was known of its part of the ring when that became its part."""
    is_limited: bool = False
    """`maxmemory` is set, or the disk is full: `disk` is asked before writes."""
    arrivals: Arrivals = field(factory=Arrivals)
    view_number: int = 1
    """Grows whenever somebody else leads a route in this node's view; 0 is nobody's."""
    leaders: list[str] = field(factory=list)
    """Who leads each route in this node's view."""
    in_flight: int = 0
    """Requests that wait for somebody else."""
    waiting_bytes: int = 0
    """Their bytes."""
    refused: int = 0
    internal_errors: int = 0
    forwarded: int = 0
    read_repairs: int = 0
    gaps_filled: int = 0
    expired_keys: int = 0
    """Found on this node's own copy."""
    expires_actively: bool = True
    """Keys that have expired are swept; tests may turn it off."""
    dirty: list[Route] = field(factory=list)
    """Routes with effects to send at the end of the turn."""
    running: Route | None = None
    """The route of the command on several keys that runs now: a script may touch no other."""
    on_failed: Callable[[Row, str], None] = lambda row, text: None
    """Told of every command that ran here and was refused, and the words of the refusal."""
    _links: list[Link] = field(factory=list)
    _acceptors: list[Acceptor] = field(factory=list)
    _deadlines: deque[tuple[float, Operation]] = field(factory=deque)
    _soon: deque[Callable[[], None]] = field(factory=deque)

    def __attrs_post_init__(self) -> None:
        self.parking = Parking(self)
        self.replica = Replica(self)
        self.broadcasts = Broadcasts(self)
        self.blocking = Blocking(self)
        self.written = Written(self)
        self.common = Common(self)
        self.eviction = Eviction(self)
        self.repair = AntiEntropy(self)
        self.disk = FullDisk(self)
        self.keyspace.store.on_expired = self._expired

    # Turns

    def begin(self, now_ms: int, mono_s: float) -> None:
        """A turn begins at this wall-clock and monotonic time."""
        lapse_s = mono_s - self.mono_s
        leap_ms = now_ms - self.now_ms - lapse_s * 1000
        self.now_ms, self.mono_s = now_ms, mono_s
        if leap_ms > LEAP_MS:
            self.roster.clock_leapt()
        elif lapse_s > LAPSE_S:
            self.roster.check_vouchers()
        self.roster.wind_clock()
        for _ in range(len(self._soon)):
            self._soon.popleft()()

    def end(self) -> None:
        """The turn is over: send what it collected."""
        if self.keyspace.store.written is not None:
            self.written.end_turn()
        self.keyspace.store.commit()
        dirty, self.dirty = self.dirty, []
        for route in dirty:
            if route.holds_back(self.mono_s):
                self.dirty.append(route)
            else:
                send_batches(self, route)
        links, self._links = self._links, []
        for link in links:
            link.flush()
        acceptors, self._acceptors = self._acceptors, []
        for acceptor in acceptors:
            acceptor.flush()

    def send_batches(self) -> None:
        """Send the batches that are held back, too."""
        dirty, self.dirty = self.dirty, []
        for route in dirty:
            send_batches(self, route)

    @property
    def has_more(self) -> bool:
        """Is there work for another turn at once?"""
        return bool(self._soon)

    def soon(self, act: Callable[[], None]) -> None:
        """Do this in the next turn: long work goes in slices."""
        self._soon.append(act)

    def tick(self) -> None:
        """Called a few times a second, inside a turn."""
        deadlines, now = self._deadlines, self.mono_s
        while deadlines and deadlines[0][0] <= now:
            deadlines.popleft()[1].expire()
        if self.expires_actively and self.roster.has_served:
            self.expire_keys(EXPIRED_A_TICK)
        self.disk.tick()
        self.eviction.tick()
        self.roster.tick()
        self.repair.tick()
        self.parking.retry()
        self.arrivals.expire(self.mono_s)
        self.blocking.tick()

    def expire_keys(self, limit: int) -> None:
        """Strip what has expired, some of it."""
        expire(self.keyspace.store, self.keyspace.now_ms, limit)

    def watch(self, operation: Operation) -> None:
        """Tell `operation` when the request timeout from now has passed."""
        self._deadlines.append((self.mono_s + self.request_timeout_s, operation))

    # Commands

    def submit(self, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Route one command whose arity is right; the reply, or None when it comes later."""
        if row.is_plain:
            return self.submit_to(self.table.of_key(args[row.first]), row, args, caller)
        if row.spread is Spread.KEY:
            return several.submit(self, row, args, caller)
        if row.spread is Spread.KEYSPACE:
            return everywhere.submit(self, row, args, caller)
        return scatter.submit(self, row, args, caller)

    def submit_to(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Route a command whose keys all belong to `route`."""
        if row.write:
            if route.is_ready:
                if self.is_limited and (refusal := self.disk.refusal(row, args)) is not None:
                    return refusal
                need = route.acks[caller.write_level]
                if need < 0:
                    return self._write_rarely(route, row, args, caller, need)
                batch, keyspace = route.batch, self.keyspace
                if route.is_alone:
                    keyspace.effects = None
                else:
                    keyspace.effects = effects = batch.effects
                    if not effects:
                        self.dirty.append(route)
                keyspace.resp = caller.resp
                try:
                    reply = row.handler(keyspace, args)  # type: ignore[misc]
                except Exception as error:
                    reply = self._failed(row, error)
                if keyspace.store.written:
                    self.written.notice()
                if need == 0 or not batch.effects or not reply:
                    return reply
                caller.wait_for(batch, need, reply)
                return None
        elif route.serves and not (caller.remote_writes and route in caller.remote_writes):
            if not caller.read_level:
                keyspace = self.keyspace
                keyspace.resp = caller.resp
                try:
                    return row.handler(keyspace, args)  # type: ignore[misc]
                except Exception as error:
                    return self._failed(row, error)
            return self._quorum_read(route, row, args, caller)
        return self.elsewhere(route, row, args, caller)

    def _expired(self, event: str, key: bytes) -> None:
        """A key or a field was found to have expired: its primary tells who listens."""
        self.expired_keys += event == "expired"
        if self.keyspace.wants_events and self.table.of_key(key).leads:
            self.keyspace.event(event, key)

    def execute(self, row: Row, args: list[bytes], resp: int) -> bytes:
        """Run a command on this node's own copy, here and now."""
        keyspace = self.keyspace
        keyspace.resp = resp
        try:
            return row.handler(keyspace, args)  # type: ignore[misc]
        except Exception as error:
            return self._failed(row, error)

    def _failed(self, row: Row, error: Exception) -> bytes:
        """The reply to a command that was refused, or that ran into a mistake of ours."""
        if isinstance(error, CommandError):
            self.on_failed(row, str(error))
            return replies.error(str(error))
        self.internal_errors += 1
        self.log("command.failed", command=row.name, error=repr(error))
        return _INTERNAL

    # Writes: this node is the primary

    def write_into(self, batch: Batch, route: Route, row: Row, args: list[bytes], resp: int) -> bytes:
        """Execute a write; its effects go into `batch`, which leaves at the end of the turn."""
        if not batch.effects:
            self.dirty.append(route)
        self.keyspace.effects = None if route.is_alone else batch.effects
        return self.execute(row, args, resp)

    def _write_rarely(
        self, route: Route, row: Row, args: list[bytes], caller: Caller, need: int
    ) -> bytes | None:
        reason = route.write_shortfall[caller.write_level]
        if need != VERIFIED or reason is not None:
            if route.is_changing:
                return self.parking.until_agreed(route, row, args, caller)
            self.refused += 1
            return nothing_done(reason or "the level cannot be reached")
        if (full := self.over_limit()) is not None:
            return full
        return VerifiedWrite.start(self, route, row, args, caller)

    def can_verify(self, route: Route, level: Level) -> bool:
        """Do enough replicas serve reads to compare a write with?"""
        return route.read_shortfall[level] is None

    # Reads, and requests for others

    def _quorum_read(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        reason = route.read_shortfall[caller.read_level]
        if reason is not None:
            if route.is_changing and not self.keyspace.may_block:
                return self.parking.until_agreed(route, row, args, caller)
            self.refused += 1
            return replies.error(f"NOREPLICAS {reason}")
        return self.over_limit() or QuorumRead.start(self, route, row, args, caller)

    def elsewhere(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Have another node serve a request, or wait until somebody can."""
        return self.over_limit() or Forward.start(self, route, row, args, caller)

    @property
    def is_loaded(self) -> bool:
        """Do requests and replies that wait take so much that clients who have some under way should wait?"""
        return self.waiting_bytes > self.waiting_bytes_max >> 1

    def over_limit(self) -> bytes | None:
        """The refusal of one request too many; None when there is room."""
        return refusal(self)

    # Changes

    def set_state(self, state: NodeState) -> None:
        """This node is now in `state`; peers hear of it before anything else from it."""
        if state is not self.state:
            self.state = state
            self.log("node.state", state=state.name)
            self.routes_changed()
            self.roster.state_changed()
            self.on_state(state)

    def self_report(self) -> tuple[int, int, int, int, bool]:
        """What every sign of life tells: state, clock, number of the view of who leads, ring, warmth."""
        return int(self.state), self.now_ms, self.view_number, self.table.view.ring, self.is_warm

    def opinion(self) -> tuple[int, list[str], int]:
        """Number of the view, who leads each route in it, and the ring whose routes these are."""
        return self.view_number, self.leaders, self.table.view.ring

    def routes_changed(self) -> None:
        """A peer came, went or changed its state: work the routes out anew."""
        changes.routes_changed(self)

    def synced(self) -> None:
        """This node has learned what a peer knows."""
        changes.synced(self)

    def touch_link(self, link: Link) -> None:
        """`link` has something to send at the end of the turn."""
        self._links.append(link)

    def touch_acceptor(self, acceptor: Acceptor) -> None:
        """`acceptor` has something to send at the end of the turn."""
        self._acceptors.append(acceptor)
