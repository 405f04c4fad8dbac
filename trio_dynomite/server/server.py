"""The server: the sessions of one node, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from math import inf

from attrs import define, field

from trio_dynomite.access.users import Users
from trio_dynomite.commands.memcached_rows import shown_as
from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import named
from trio_dynomite.config import Settings
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.plain import PlainEngine
from trio_dynomite.hub.channel import Pipe
from trio_dynomite.model import Level
from trio_dynomite.protocol.requests import Limits
from trio_dynomite.scripting.host import ScriptHost
from trio_dynomite.server import permission
from trio_dynomite.server.events import Notifications
from trio_dynomite.server.latency import LatencyMonitor
from trio_dynomite.server.lua import host_scripts
from trio_dynomite.server.modes import MONITORED, TIMED
from trio_dynomite.server.monitor import Monitors
from trio_dynomite.server.outbox import Outbox
from trio_dynomite.server.output import DEFAULT_LIMITS, OutputLimit, class_of
from trio_dynomite.server.pause import Pause
from trio_dynomite.server.plain import PlainSession
from trio_dynomite.server.pubsub import PubSub
from trio_dynomite.server.redaction import redacted
from trio_dynomite.server.session import Session
from trio_dynomite.server.shared import share
from trio_dynomite.server.slowlog import SlowLog
from trio_dynomite.server.tallies import Client, Tallies
from trio_dynomite.server.tracking import TrackingTable
from trio_dynomite.storage.saving import Saver

_PIPELINE_S = 0.001
"""A command that may not take even so long is looked at by itself: a pipeline of quick ones easily does."""
_LOOK_S = 1.0
_REST_S = 9.0
"""A pipeline is slow, too, when the machine is busy with other things, and looking costs: for a moment."""

Gate = Callable[[Session, Row, list[bytes]], str | None]
"""Of a session in mode GATED: why it may not run this, or None when it may."""


@define(eq=False)
class Server:
    """All clients of one node."""

    engine: Engine
    settings: Settings
    limits: Limits
    run_id: str
    """40 hexadecimal digits, new at every start."""
    started_ms: int
    """Wall-clock milliseconds."""
    read_level: Level
    """Of sessions that chose none."""
    write_level: Level
    snapshots: Saver | None = None
    """What makes snapshots or backups, where there are any."""
    statistics: Mapping[str, object] = field(factory=dict)
    """More numbers for INFO stats, by name; read when asked."""
    session_kind: type[Session] = Session
    sessions: dict[int, Session] = field(factory=dict)
    connections: int = 0
    """Accepted so far."""
    rejected: int = 0
    """Refused because there were too many."""
    too_much_input: int = 0
    """Clients that were disconnected for more unfinished input than `limits.client_input`."""
    commands: int = 0
    commands_per_s: int = 0
    """In the last second or so."""
    _counted: tuple[float, int] = (0.0, 0)
    protocol_errors: int = 0
    touched: list[Outbox] = field(factory=list)
    """Sessions for which replies have come in this turn."""
    config: dict[str, bytes] = field(factory=dict)
    """What CONFIG SET was given and CONFIG GET tells."""
    modes: int = 0
    """What takes every session's commands off the short way (`modes`)."""
    users: Users = field(factory=Users)
    scripts: ScriptHost = field(init=False)
    share_users: Callable[[Callable[[], None]], None] = lambda then: then()
    """Tells the other nodes what was changed about users, and calls what it is given when they know it."""
    gate: Gate = permission.refusal
    pubsub: PubSub = field(factory=PubSub)
    tracking: TrackingTable = field(init=False)
    pause: Pause = field(init=False)
    monitors: Monitors = field(init=False)
    tallies: Tallies = field(init=False)
    slowlog: SlowLog = field(factory=SlowLog)
    latency: LatencyMonitor = field(factory=LatencyMonitor)
    tells_latency: bool = True
    """How long each command takes is told by INFO latencystats and LATENCY HISTOGRAM."""
    percentiles: tuple[float, ...] = (50.0, 99.0, 99.9)
    """Which of them INFO latencystats tells."""
    is_looking: bool = False
    """A pipeline was slow: for a while each command is timed by itself."""
    _rests_until_s: float = 0.0
    notifications: Notifications = field(init=False)
    pushes_limits: Mapping[str, OutputLimit] = DEFAULT_LIMITS
    """How much a client may leave unread of what it is sent unasked, by Redis's class of client."""
    cut_off: int = 0
    """Clients that were disconnected because they left more unread."""

    _alarms: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _alarms_set: int = 0

    def __attrs_post_init__(self) -> None:
        if isinstance(self.engine, PlainEngine):
            self.session_kind = PlainSession
        self.users.most = self.settings.limits.users
        self.users.configure(self.settings.access.definitions)
        share(self)
        self.scripts = host_scripts(self)
        self.pubsub.listen(self.engine)
        self.notifications = Notifications(self.engine, self.pubsub)
        self.notifications.listen()
        self.tracking = TrackingTable(self)
        self.pause = Pause(self)
        self.monitors = Monitors(self)
        self.tallies = Tallies(self._was_slow, self._was_slow_together)
        self.engine.on_failed = lambda row, text: self.tallies.failed(shown_as(row.name), text)
        self.set_slow()

    def set_slow(
        self,
        threshold_usec: int | None = None,
        max_entries: int | None = None,
        threshold_ms: int | None = None,
    ) -> None:
        """Change when a command is slow: for the slow log, for the latency monitor; and how many are kept."""
        if threshold_usec is not None:
            self.slowlog.threshold_usec = threshold_usec
        if max_entries is not None:
            self.slowlog.max_entries = max_entries
            self.slowlog.trim()
        if threshold_ms is not None:
            self.latency.threshold_ms = threshold_ms
        log_s = self.slowlog.threshold_usec / 1e6 if self.slowlog.threshold_usec >= 0 else inf
        self.tallies.slow_s = min(log_s, self.latency.threshold_ms / 1e3 or inf)
        self._set_timed()

    def _set_timed(self) -> None:
        is_timed = self.is_looking or self.tallies.slow_s < _PIPELINE_S
        self.modes = self.modes | TIMED if is_timed else self.modes & ~TIMED

    def _was_slow(self, session: Client, name: str, args: list[bytes], seconds: float) -> None:
        now_s, usec = self.engine.now_ms // 1000, int(seconds * 1e6)
        row = named(name.encode())
        is_fast = row is not None and "fast" in row.flags
        if row is not None and "skip_commandlog" in row.flags:
            return
        self.latency.add("fast-command" if is_fast else "command", now_s, usec // 1000)
        self.slowlog.add(now_s, usec, redacted(name, args), session.address, session.name)

    def _was_slow_together(self) -> None:
        if not self.is_looking and self.engine.mono_s >= self._rests_until_s:
            self.is_looking = True
            self._rests_until_s = self.engine.mono_s + _LOOK_S + _REST_S
            self._set_timed()
            self.after(_LOOK_S, self._stop_looking)

    def _stop_looking(self) -> None:
        self.is_looking = False
        self._set_timed()

    def open_session(self, pipe: Pipe, address: str, local_address: str) -> Session:
        """A client has connected."""
        self.connections += 1
        now = self.engine.mono_s
        session = self.session_kind(
            self,
            pipe,
            self.connections,
            address,
            local_address,
            self.session_kind.new_reader(self.limits),
            now,
            self.read_level,
            self.write_level,
            last_active_s=now,
        )
        session.enter(self.users.newcomer())
        self.sessions[session.id] = session
        return session

    def tick(self) -> None:
        """Called a few times a second, inside a turn."""
        self.engine.tick()
        now = self.engine.mono_s
        while self._alarms and self._alarms[0][0] <= now:
            heappop(self._alarms)[2]()
        self.pause.tick()
        self.tallies.count_single()
        self._count_per_s()

    def _count_per_s(self) -> None:
        since_s, commands = self._counted
        if self.engine.mono_s >= since_s + 1:
            self.commands_per_s = round((self.commands - commands) / (self.engine.mono_s - since_s))
            self._counted = (self.engine.mono_s, self.commands)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do this in a turn that begins so many seconds from now, or a tick later."""
        self._alarms_set += 1
        heappush(self._alarms, (self.engine.mono_s + seconds, self._alarms_set, act))

    def end(self) -> None:
        """The turn is over: send the replies that have come."""
        while self.touched:
            touched, self.touched = self.touched, []
            for session in touched:
                session.drain()

    def forget(self, session: Session) -> None:
        """A session has ended."""
        self.sessions.pop(session.id, None)
        self.engine.blocking.gone(session)
        self.pubsub.forget(session)
        self.tracking.disable(session)
        self.monitors.remove(session)
        self.pause.held.pop(session, None)

    def script_runs(self, row: Row, args: list[bytes]) -> None:
        """A script runs a command on this node: it is counted, seen, and what it reads is tracked."""
        self.tallies.of(row.name).calls += 1
        self.tracking.script_runs(row, args)
        if self.modes & MONITORED:
            self.monitors.tell_script(row, args)

    def check_output(self, session: Outbox, unread: int) -> None:
        """Disconnect `session` when it leaves too many bytes unread of what it is sent."""
        limit = self.pushes_limits[class_of(session)]
        if unread <= limit.calm:
            session.too_slow_since_s = 0.0
        elif limit.is_passed(session, unread, self.engine.mono_s):
            self.cut_off += 1
            session.pipe.close("it does not read what it is sent (client-output-buffer-limit)")

    def set_levels(self, read: Level, write: Level) -> None:
        """Change the levels of this node's sessions, but for those whose client chose its own."""
        self.read_level, self.write_level = read, write
        for session in self.sessions.values():
            if not session.levels_chosen:
                session.read_level, session.write_level = read, write
