"""What the memcached sessions of one node share, and how one begins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.table import TABLE
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.hub.channel import Pipe
from trio_dynomite.model import Level
from trio_dynomite.protocol.memcached import RequestReader
from trio_dynomite.protocol.replies import is_error
from trio_dynomite.server.memcached import permission
from trio_dynomite.server.memcached.requests import ANSWERS
from trio_dynomite.server.memcached.session import MemcachedSession
from trio_dynomite.server.memcached.words import name_of, shown
from trio_dynomite.server.modes import MONITORED

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Waiter
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.protocol.memcached_lines import Request
    from trio_dynomite.server.server import Server

_MONTH_S = 60 * 60 * 24 * 30
_TOO_MANY = b"ERROR Too many open connections\r\n"


@define(eq=False)
class Memcached:
    """All memcached clients of one node."""

    server: Server
    item_max: int
    sessions: dict[MemcachedSession, None] = field(factory=dict)
    connections: int = 0
    """Accepted so far."""
    rejected: int = 0
    counts: dict[bytes, int] = field(factory=dict)
    """Requests by their first word."""
    hits_before: int = 0
    """At the last `stats reset`."""
    misses_before: int = 0
    _flushes: int = 0
    """How often somebody asked for a flush, at once or later: only the newest counts."""
    _told: str = ""
    _version: int = 0

    def open_session(self, pipe: Pipe, address: str) -> MemcachedSession:
        """A client has connected."""
        self.connections += 1
        server = self.server
        reader = RequestReader(self.item_max, server.settings.limits.client_input)
        session = MemcachedSession(server, pipe, self, address, reader, server.read_level, server.write_level)
        session.user = server.users.newcomer()
        if not server.users.is_open:
            reader.log_in = partial(permission.log_in, session)
        self.sessions[session] = None
        return session

    def refuse_if_too_many(self, session: MemcachedSession) -> None:
        """End a session that is one too many."""
        if len(self.sessions) + len(self.server.sessions) > self.server.settings.limits.clients:
            self.rejected += 1
            session.pipe.write(_TOO_MANY)
            session.pipe.close_when_sent()

    def forget(self, session: MemcachedSession) -> None:
        """A session has ended."""
        self.sessions.pop(session, None)
        self.server.pause.held.pop(session, None)
        self.server.engine.blocking.gone(session)

    def reset(self) -> None:
        """Count from 0 again."""
        self.counts.clear()
        keyspace = self.server.engine.keyspace
        self.hits_before, self.misses_before = keyspace.item_hits, keyspace.item_misses

    # What administrators of Redis see of these clients

    def count(
        self,
        session: MemcachedSession,
        counts: dict[bytes, int],
        requests: list[Request],
        seconds: float,
        *,
        is_counted: bool,
    ) -> None:
        """Requests were run, so many of each verb; `is_counted`: INFO commandstats has them already."""
        for verb, count in counts.items():
            self.counts[verb] = self.counts.get(verb, 0) + count
        if is_counted:
            return
        tallies = self.server.tallies
        if len(requests) == 1:
            name = name_of(requests[0].verb)
            tallies.single_s[name].append(seconds)
            if seconds >= tallies.slow_s:
                tallies.on_slow(session, name, shown(requests[0]), seconds)
        else:
            tallies.ran_together({name_of(verb): count for verb, count in counts.items()}, seconds)

    def watched(
        self, session: MemcachedSession, request: Request, answer: Callable[[Request], bytes | None]
    ) -> bytes | None:
        """Answer a request that somebody monitors, or that is timed by itself."""
        if request.verb not in ANSWERS:
            return answer(request)
        server, name, args = self.server, name_of(request.verb), shown(request)
        if server.modes & MONITORED:
            server.monitors.tell_line(session.address, args)
        started = perf_counter()
        reply = answer(request)
        server.tallies.ran(session, name, args, perf_counter() - started)
        return reply

    def flush_later(self, delay: int) -> None:
        """Delete everything in so many seconds, or at that date; 0: it is done, and no other is to follow."""
        self._flushes += 1
        if delay > _MONTH_S:
            delay = max(0, delay - self.server.engine.now_ms // 1000)
        elif not delay:
            return
        number = self._flushes
        self.server.after(delay, lambda: self._flush(number))

    def _flush(self, number: int) -> None:
        if number == self._flushes:
            engine = self.server.engine
            caller = _Flushing(self)
            reply = engine.submit(TABLE[b"flushall"], [b"flushall"], caller)
            if reply is not None:
                caller.done(reply)

    def version_of(self, told: str) -> int:
        """A number for the list of nodes `told`: the second at which it became what it is."""
        if told != self._told:
            self._told = told
            self._version = max(self._version + 1, self.server.engine.now_ms // 1000)
        return self._version


@define(eq=False)
class _Flushing(LoneCaller):
    """Asks for a flush whose time has come; nobody waits for its reply."""

    service: Memcached
    resp: int = 2
    hops: int = 0

    @property
    def read_level(self) -> Level:
        """The node's."""
        return self.service.server.read_level

    @property
    def write_level(self) -> Level:
        """The node's."""
        return self.service.server.write_level

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self

    def done(self, reply: bytes) -> None:
        """What has become of it."""
        if is_error(reply):
            self.service.server.engine.log("memcached.flush_failed", error=reply.decode("utf-8", "replace"))
