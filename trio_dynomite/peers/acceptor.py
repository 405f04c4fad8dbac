"""The answering end of a peer's connection: join its effects, serve its commands, tell what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.commands.refusals import quoted
from trio_dynomite.commands.table import find
from trio_dynomite.coordinator.broadcast import TELL_HOPS
from trio_dynomite.coordinator.here import when_open
from trio_dynomite.coordinator.internal import INTERNAL
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.coordinator.survey import perform
from trio_dynomite.coordinator.walk import SURVEY_HOPS
from trio_dynomite.data.effect import FIELDS, RECORD
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.errors import ProtocolError
from trio_dynomite.model import Level
from trio_dynomite.peers.line import FrameLine, line_of
from trio_dynomite.protocol.frames import FRAME_MAX, HELLO_MAX, FrameReader, Kind, encode
from trio_dynomite.protocol.replies import error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.hub.channel import Pipe
    from trio_dynomite.peers.peer import Peer


_EFFECTS, _RELAY = int(Kind.EFFECTS), int(Kind.RELAY)
_MISTAKES = (ProtocolError, LookupError, TypeError, ValueError, OverflowError)
_OVERLOADED = error(
    "OVERLOADED more replies wait for the node that you are connected to than it takes (limits.peer_output);"
    " nothing was done, try again"
)


@define(eq=False)
class RemoteCall(LoneCaller):
    """A command that a peer asked us to serve; the caller of it and who waits for it."""

    acceptor: Acceptor
    number: int
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    """How many nodes have passed it on."""
    clock: int = 0
    """Of the newest effect that it made here; 0 when it made none."""

    def wait(self, away: Route | None = None, reading: Route | None = None) -> RemoteCall:
        """Who is told the reply."""
        return self

    def ran(self, clock: int) -> None:
        """The node that asked waits for this effect before it answers."""
        self.clock = clock

    def done(self, reply: Any) -> None:
        """The reply; None: not served here and nothing done."""
        self.acceptor.result(self.number, reply, self.clock)


@define(eq=False)
class Acceptor:
    """One peer's connection to us."""

    engine: Engine
    pipe: Pipe
    peer: Peer | None = None
    """Who opened it, once it said so."""
    is_closed: bool = False
    pinged_s: float = 0.0
    """Monotonic time of its last ping."""
    _reader: FrameReader = field(factory=lambda: FrameReader(HELLO_MAX))
    _frames: int = 0
    """EFFECTS and RELAY frames that came."""
    _acked: int = 0
    _gaps: set[bytes] = field(factory=set)
    """Keys whose records we asked for; nothing is acknowledged until they are here."""
    _doubted: list[int] = field(factory=list)
    """Frames of a primary that was not one in our view, since the last acknowledgement."""
    _results: list[Any] = field(factory=list)
    _line: FrameLine | None = field(init=False)
    """Where frames wait, if storage is on a server."""
    _result_bytes: int = 0
    """Of `_results`, and when a frame of requests came also of what the peer had not taken yet."""

    def __attrs_post_init__(self) -> None:
        self._line = line_of(self.engine, self.pipe, self._handle_late)

    def received(self, data: bytes) -> None:
        """Bytes from the peer."""
        if self.engine.keyspace.store.is_behind and not self.engine.disk.takes(len(data)):
            self._end(Kind.GOODBYE, "my disk is full, and I hold all that I may until there is room")
            return
        try:
            for kind, fields in self._reader.feed(data):
                if self.peer is None and kind not in (Kind.HELLO, Kind.MEMBERS):
                    raise ProtocolError("the first frame must be HELLO")
                if self.is_closed:
                    return
                if self._line is None:
                    self._handle(kind, fields)
                else:
                    self._line.take(kind, fields)
        except _MISTAKES as mistake:
            self._broke(mistake)

    def _handle_late(self, kind: int, fields: list[Any]) -> None:
        """A frame that had to wait."""
        try:
            if not self.is_closed:
                self._handle(kind, fields)
        except _MISTAKES as mistake:
            self._broke(mistake)

    def _broke(self, mistake: Exception) -> None:
        self.engine.log("peer.protocol_error", peer=self.name, error=repr(mistake))
        self._end(Kind.GOODBYE, f"you broke the peer protocol: {mistake!r}")

    @property
    def name(self) -> str:
        """The peer's name, or a question mark before it told."""
        return self.peer.name if self.peer else "?"

    def _handle(self, kind: int, fields: list[Any]) -> None:
        if kind == _EFFECTS or kind == _RELAY:  # noqa: SIM109 - on the hot path
            self._on_effects(fields[0], fields[1], fields[-1], relay=kind == _RELAY)
        elif kind == Kind.RUN:
            self._result_bytes += self.pipe.unsent
            for number, read, write, resp, hops, args in fields[0]:
                self._on_run(RemoteCall(self, number, Level(read), Level(write), resp, hops), args)
        elif kind == Kind.DIGEST:
            self.pipe.write(encode(Kind.DIGESTS, [self.engine.replica.digest_of(keys) for keys in fields[0]]))
        elif kind == Kind.FETCH:
            self.pipe.write(encode(Kind.RECORDS, fields[0], self.engine.replica.records_of(fields[1])))
        elif kind == Kind.SYNC:
            self._on_sync(*fields)
        elif kind == Kind.PING:
            self._on_ping(fields)
        elif kind == Kind.HELLO:
            self._on_hello(fields)
        elif kind == Kind.MEMBERS:
            self._on_members(fields)
        elif kind == Kind.GOODBYE:
            self.pipe.close(f"{self.name} said: {fields[0]}")

    def _on_sync(self, number: int, slots: list[int], digests: list[int]) -> None:
        replica = self.engine.replica
        differ = replica.first_that_differ(slots, digests)
        if not when_open(self.engine, differ, lambda: self._tell_slots(number, slots, digests)):
            return
        self._tell_slots(number, slots, digests)

    def _tell_slots(self, number: int, slots: list[int], digests: list[int]) -> None:
        told = self.engine.replica.slots_that_differ(slots, digests)
        if self.is_closed:
            return
        if slots and not told[0]:  # others have come to differ meanwhile
            self._on_sync(number, slots, digests)
        else:
            self.pipe.write(encode(Kind.SLOTS, number, *told))

    def _on_effects(self, origin: int, effects: list[Any], token: int, *, relay: bool) -> None:
        self._frames += 1
        if token and token != self.engine.view_number and not self._is_counted(token, effects):
            self._doubted.append(self._frames)
        gaps = self.engine.replica.join_effects(origin, effects, relay=relay)
        if token and effects:
            # A primary's own effects, in the order in which it made them.
            number = self.engine.replica.route_of_effects(effects).number
            self.engine.arrivals.note((origin, number), effects[-3])
        if self._gaps:
            self._gaps.difference_update(_told(effects))
        if gaps:
            missing = list(dict.fromkeys(gaps))
            self._gaps.update(missing)
            self.pipe.write(encode(Kind.GAP, missing))
        self.engine.touch_acceptor(self)

    def _is_counted(self, token: int, effects: list[Any]) -> bool:
        """Does the sender act as primary with our word, though our view has changed since we gave it?

        It does if nobody else has led these keys since. Or it is a last write of the primary whose place we
        take: we lead now, and do not act yet: we shall know the write when we do, so it may count."""
        number = self.engine.view_number
        if not effects or token > number:
            return False
        route = self.engine.replica.route_of_effects(effects)
        if not route.leads:
            return route.led_since <= token
        return token == number - 1 and not route.is_ready

    def _on_run(self, call: RemoteCall, args: list[Any]) -> None:
        assert self.peer is not None
        if call.hops == SURVEY_HOPS:
            perform(self.engine, args, call.done)
            return
        clock = self.engine.keyspace.clock
        before = clock.last
        if call.hops == TELL_HOPS:
            self._on_told(call, args)
            return
        row = INTERNAL.get(args[0]) or find(args)
        if row is None:
            call.done(error(f"ERR unknown command '{quoted(args[0])}' on {self.engine.node.name}"))
            return
        if self._result_bytes > self.engine.roster.settings.peer_output_max:
            self.engine.refused += 1
            call.done(_OVERLOADED)
            return
        reply = self.engine.submit(row, args, call)
        if clock.last != before:
            call.clock = clock.last >> NODE_BITS
        if reply is not None:
            call.done(reply)

    def _on_told(self, call: RemoteCall, told: list[Any]) -> None:
        """Something told: it may make effects, and is answered at once or later, as a command is."""
        assert self.peer is not None
        clock = self.engine.keyspace.clock
        before, is_now = clock.last, True

        def answer(value: Any) -> None:
            if is_now and clock.last != before:
                call.clock = clock.last >> NODE_BITS
            call.done(value)

        self.engine.broadcasts.hear(self, told, answer)
        is_now = False
        if clock.last != before:
            call.clock = clock.last >> NODE_BITS

    def _on_ping(self, fields: list[Any]) -> None:
        assert self.peer is not None
        self.pinged_s = self.engine.mono_s
        self.engine.roster.peer_said(self.peer, *fields)
        self.pipe.write(encode(Kind.PONG, *self.engine.self_report()))

    def _on_hello(self, fields: list[Any]) -> None:
        protocol, cluster, fingerprint, name, datacenter, rack, *report = fields[:11]
        roster = self.engine.roster
        who = (protocol, cluster, fingerprint)
        reason = roster.members.why_foreign(*who) or roster.members.introduce(fields[11:12])
        reason = reason or roster.members.why_refuse(name, datacenter, rack)
        if reason is not None:
            self._refuse(name, reason)
            return
        self.peer = roster.peers[name]
        roster.introduced(self)
        self._reader.frame_max = FRAME_MAX
        self.pipe.write(encode(Kind.WELCOME, self.engine.node.name, *self.engine.self_report()))
        roster.peer_said(self.peer, *report)
        roster.peer_called(self.peer)

    def _on_members(self, fields: list[Any]) -> None:
        """Somebody asks who we all are, and says who it is."""
        protocol, cluster, fingerprint, told = fields[:4]
        roster = self.engine.roster
        reason = roster.members.why_foreign(protocol, cluster, fingerprint) or roster.members.introduce(
            told, asks=True
        )
        if reason is not None:
            self._refuse("?", reason)
            return
        self.pipe.write(encode(Kind.MEMBERS, self.engine.node.name, roster.members.packed()))
        self.pipe.close_when_sent()

    def _refuse(self, name: str, reason: str) -> None:
        self.engine.log("peer.refused", peer=name, reason=reason)
        self._end(Kind.REFUSE, reason)

    def tell_report(self) -> None:
        """The ring has changed: what is answered from now on is by the new one."""
        if self.peer is not None and not self.is_closed:
            self.pipe.write(encode(Kind.REPORT, *self.engine.self_report()))

    def result(self, number: int, reply: Any, clock: int) -> None:
        """The reply to a command that the peer asked for."""
        if not self.is_closed:
            self._results.append((number, reply, clock))
            self._result_bytes += len(reply) if reply.__class__ is bytes else 0
            self.engine.touch_acceptor(self)

    def flush(self) -> None:
        """Send what the turn collected."""
        if self.is_closed:
            return
        if not self._gaps and self._acked < self._frames and not self.engine.keyspace.store.is_behind:
            self._acked = self._frames
            self.pipe.write(encode(Kind.ACK, self._acked, self._doubted))
            self._doubted = []
        if self._results:
            self.pipe.write(encode(Kind.RESULTS, self._results))
            self._results = []
            self._result_bytes = 0

    def _end(self, kind: Kind, reason: str) -> None:
        self.pipe.write(encode(kind, reason))
        self.pipe.close_when_sent()

    def drained(self) -> None:
        """Nothing waits for room here."""

    def closed(self, reason: str) -> None:
        """The connection has ended."""
        self.is_closed = True
        self.engine.roster.acceptor_closed(self)
        self.engine.blocking.connection_gone(self)


def _told(effects: list[Any]) -> set[bytes]:
    """The keys whose whole records a frame tells."""
    return {effects[at + 2] for at in range(0, len(effects), FIELDS) if effects[at] == RECORD}
