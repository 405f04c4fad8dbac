"""A client's session where commands only pass through: what came together goes to the server together.

The commands of one read that may all run on this node's own server are one group: its bytes go there as they
came, and the server's answers leave in one piece. Everything else goes the way of any session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import hiredis
from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.outcomes import builds, probe
from trio_dynomite.coordinator.plain import PlainEngine
from trio_dynomite.protocol.replies import error
from trio_dynomite.protocol.requests import Limits, RequestReader
from trio_dynomite.protocol.whole_requests import WholeReader
from trio_dynomite.server.paced import QUEUE_MAX
from trio_dynomite.server.place import Place
from trio_dynomite.server.quick import QUICK
from trio_dynomite.server.session import Session
from trio_dynomite.storage.plain import ERRORS
from trio_dynomite.storage.servers.pipe import LOST

if TYPE_CHECKING:
    from trio_dynomite.coordinator.routes import Route

pack = hiredis.pack_command
_REFUSED = frozenset(
    ["multi", "exec", "discard", "watch", "unwatch", "client|tracking", "script|load", "function|load"]
)
_WITHOUT = "ERR {} is not for a cluster without stamps (redis.stamps)"


@define
class Told:
    """A write of which the other replicas are told."""

    at: int
    """Which of the replies is its own, behind those that tell which of its keys are there."""
    route: Route
    row: Row
    args: list[bytes]
    keys: Sequence[bytes] = ()
    """Of one that builds on what is there."""


@define(eq=False, init=False)
class Group(Place):
    """The place of some commands that the server runs one after the other."""

    client: PlainSession = field(kw_only=True)
    engine: PlainEngine = field(kw_only=True)
    size: int = field(kw_only=True)
    told: Sequence[Told] = field(kw_only=True)
    flushes: int = field(kw_only=True)

    def __init__(self, client: PlainSession, engine: PlainEngine, size: int, told: Sequence[Told]) -> None:
        # By hand, for it is made for every request: only what anybody looks at in a group.
        self.client, self.engine, self.size, self.told = client, engine, size, told
        self.flushes = engine.plain.flushes
        self.reply = self.batch = None
        self.is_blocked = self.is_unheard = False

    def replied_one(self, reply: Any) -> None:
        """The reply of a group of one."""
        if self.told or reply is LOST or reply[0] in ERRORS:
            self.replied(LOST if reply is LOST else [reply])
            return
        engine = self.engine
        engine.in_flight -= 1
        engine.waiting_bytes -= self.size
        self._answer(reply)

    def replied(self, replies: Any) -> None:
        """All of them are run, or the server is lost, and this life of the node with it."""
        engine = self.engine
        engine.in_flight -= 1
        engine.waiting_bytes -= self.size
        if replies is LOST:
            return
        if self.told:
            self._tell(replies)
        reply = b"".join(replies)
        if b"-" in reply:
            self._count_errors(replies)
        self._answer(reply)

    def _tell(self, replies: list[bytes]) -> None:
        """Tell the other replicas what was run; leave the client's replies."""
        engine, is_flushed = self.engine, self.flushes != self.engine.plain.flushes
        for told in self.told:
            reply = replies[told.at]
            if reply[0] not in ERRORS and not is_flushed:
                found = replies[told.at - len(told.keys) : told.at]
                engine.pass_on(told.route, told.row, told.args, reply, told.keys, found)
        for told in reversed(self.told):
            if told.keys:
                del replies[told.at - len(told.keys) : told.at]

    def _answer(self, reply: bytes) -> None:
        client = self.client
        if client.hears_at_once(self):
            client.pipe.write(reply)
        else:
            self.reply = reply
            client.touch()

    def _count_errors(self, replies: list[bytes]) -> None:
        for reply in replies:
            if reply[0] in ERRORS:
                text = reply[1:].split(b"\r", 1)[0].decode("utf-8", "replace")
                self.client.server.tallies.gave_error(text)


@define(eq=False)
class PlainSession(Session):
    """One client of a node that passes on."""

    new_reader: ClassVar[Callable[[Limits], RequestReader]] = WholeReader

    def execute(self, row: Row, args: list[bytes]) -> bytes | None:
        """As in `Session`."""
        if row.name in _REFUSED:
            return error(_WITHOUT.format(row.name.replace("|", " ").upper()))
        return Session.execute(self, row, args)

    def hears_at_once(self, group: Group) -> bool:
        """Is `group` all that it waits for? Then it does not any more."""
        queue = self._queue
        if len(queue) != 1 or self._is_put_off or self.is_closing or queue[0] is not group:
            return False
        queue.popleft()
        return True

    def _run_all(self, commands: list[list[bytes]], size: int) -> None:
        if len(commands) > 1 or self._is_put_off or not self._passes_alone(commands[0]):
            Session._run_all(self, commands, size)

    def _passes_alone(self, args: list[bytes]) -> bool:
        """Pass on the only command of a read, if it does not build on anything: the shortest way."""
        row, server = QUICK.get(args[0]), self.server
        if row is None or not ((size := len(args)) == row.fixed_arity or size >= row.least_arity):
            return False
        route = server.engine.table.locate(args[row.first])
        told: Sequence[Told] = ()
        if row.write:
            is_ours = route.is_ready and not route.acks[self.write_level]
            if not route.is_alone:
                is_ours, told = is_ours and not builds(row, args), (Told(0, route, row, args),)
        else:
            is_ours = route.serves
        if not is_ours or not self._may_pass or len(self._queue) > QUEUE_MAX:
            return False
        self.last_active_s, self.last_command = server.engine.mono_s, row.name
        self.commands += 1
        server.commands += 1
        server.tallies.of(row.name).calls += 1
        whole = self.reader.take_whole()  # type: ignore[attr-defined]
        self._pass_on(whole or bytes(pack(tuple(args))), 1, told)  # type: ignore[arg-type]
        return True

    def _run(self, commands: list[list[bytes]]) -> None:
        reader = self.reader
        assert isinstance(reader, WholeReader)
        if not self._may_pass:
            reader.whole = b""
            Session._run(self, commands)
            return
        whole = reader.take_whole()
        told: list[Told] = []
        count = self._count_ours(commands, told)
        if count:
            if not whole or count < len(commands) or any([each.keys for each in told]):
                whole = _encoded(commands[:count], told)
            self._pass_on(whole, count, told)
        if count < len(commands):
            Session._run(self, commands[count:])
        elif len(self._queue) > QUEUE_MAX or self.server.engine.is_loaded:
            self._put_off([])

    @property
    def _may_pass(self) -> bool:
        """Does nothing stand in the way, and is nothing under way elsewhere with which to keep an order?"""
        server, engine = self.server, self.server.engine
        if self.modes or server.modes or self.remote_writes or self.pending_reads or self.read_level:
            return False
        return engine.in_flight < engine.in_flight_max and not engine.is_loaded

    def _count_ours(self, commands: list[list[bytes]], told: list[Told]) -> int:
        """How many commands, from the first on, our own server may run now."""
        row_of, locate, level = QUICK.get, self.server.engine.table.locate, self.write_level
        counts: dict[str, int] = {}
        last, since, at = None, 0, 0
        for at, args in enumerate(commands):
            row = row_of(args[0])
            if row is None or not ((size := len(args)) == row.fixed_arity or size >= row.least_arity):
                break
            route = locate(args[row.first])
            if row.write:
                if not route.is_ready or route.acks[level]:
                    break
                if not route.is_alone:
                    told.append(Told(at, route, row, args, [args[row.first]] if builds(row, args) else ()))
            elif not route.serves:
                break
            if row is not last:
                if last is not None:
                    counts[last.name] = counts.get(last.name, 0) + at - since
                last, since = row, at
        else:
            at += 1
        if last is not None:
            counts[last.name] = counts.get(last.name, 0) + at - since
            self.last_command = last.name
            for name, calls in counts.items():
                self.server.tallies.of(name).calls += calls
        return at

    def _pass_on(self, data: bytes, count: int, told: Sequence[Told]) -> None:
        engine: PlainEngine = self.server.engine  # type: ignore[assignment]
        store, size = engine.plain, len(data)
        group = Group(self, engine, size, told)
        self._queue.append(group)
        engine.in_flight += 1
        engine.waiting_bytes += size
        store.speak(self.resp)
        store.passed += count
        if told:
            count += sum([len(each.keys) for each in told])
        if count == 1:
            store.connection.send(data, group.replied_one)
        else:
            store.connection.send_all(data, count, group.replied)


def _encoded(commands: list[list[bytes]], told: list[Told]) -> bytes:
    """Commands for the server, and before each that builds the questions for its keys; `told` moves along."""
    data = [bytes(pack(tuple(args))) for args in commands]  # type: ignore[arg-type]
    moved = 0
    for each in told:
        if each.keys:
            data[each.at] = probe(each.keys) + data[each.at]
            moved += len(each.keys)
        each.at += moved
    return b"".join(data)
