"""The engine without stamps: requests go to the server below as bytes, and so do its answers to the client.

Nothing is decided here about values. A read goes to the server of whoever serves it; a write first to the
primary's server, whose answer says that it was run, and after which others; in that order the other replicas
are told to run it, too. One connection has everything in it, so clients and peers of this node see one order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import hiredis
from attrs import define, field

from trio_dynomite.commands.memcached_rows import NAMES
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.coordinator import everywhere, scatter
from trio_dynomite.coordinator.batch import Waiter, nothing_done, outcome_unknown
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.coordinator.outcomes import builds, outcome, probe
from trio_dynomite.coordinator.routes import VERIFIED
from trio_dynomite.coordinator.several import CROSS_SLOT, leads_on
from trio_dynomite.data.effect import SAID
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error
from trio_dynomite.repair.forgetting import Forgetting
from trio_dynomite.storage.plain import ERRORS, PlainStore
from trio_dynomite.storage.servers.pipe import LOST

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller
    from trio_dynomite.coordinator.routes import Route

pack = hiredis.pack_command
_NO_LEVEL = error("ERR this level compares replicas, for which a cluster needs stamps (redis.stamps)")
_MAY_WAIT = ("xread", "xreadgroup")
"""They wait only if they are told to."""
_NO_KEYS = error("ERR syntax error")
_BLOCKS = error("ERR commands that wait for a key are not for a cluster without stamps (redis.stamps)")
_NO_MEMCACHED = error("ERR memcached's clients are not served without stamps (redis.stamps)")
_SCRIPTS = error("ERR scripts are not for a cluster without stamps (redis.stamps)")


@define(eq=False)
class Asked:
    """One request that the server is to answer."""

    engine: PlainEngine
    route: Route
    row: Row
    args: list[bytes]
    level: Level
    waiter: Waiter
    size: int
    flushes: int
    keys: Sequence[bytes] = ()
    """Those of which the server is asked first whether they are there."""

    def replied_all(self, replies: Any) -> None:
        """It has, after it was asked for the keys."""
        if replies is LOST:
            self.replied(LOST)
        else:
            self.replied(replies[-1], replies[:-1])

    def replied(self, reply: Any, found: Sequence[bytes] = ()) -> None:
        """It has, or is lost, and this life of the node with it."""
        engine = self.engine
        engine.in_flight -= 1
        engine.waiting_bytes -= self.size
        if reply is LOST:
            return
        if reply[0] in ERRORS:
            engine.on_failed(self.row, reply[1:].split(b"\r", 1)[0].decode("utf-8", "replace"))
        elif self.row.write and not self.route.is_alone and self.flushes == engine.plain.flushes:
            engine.pass_on(self.route, self.row, self.args, reply, self.keys, found)
            engine.answer(self.route, self.row, self.args, reply, self.level, self.waiter)
            return
        self.waiter.done(reply)


@define(eq=False)
class PlainEngine(Engine):
    """An engine over a server that keeps values and nothing else."""

    plain: PlainStore = field(init=False)
    """Its store, as what it is."""

    def __attrs_post_init__(self) -> None:
        Engine.__attrs_post_init__(self)
        assert isinstance(self.keyspace.store, PlainStore)
        self.plain = self.keyspace.store
        self.repair = Forgetting(self)

    def submit(self, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """As in `Engine`."""
        if row.is_plain:
            return self.submit_to(self.table.of_key(args[row.first]), row, args, caller)
        if row.spread is Spread.KEYSPACE:
            return everywhere.submit(self, row, args, caller)
        refusal = self._refusal(row, args)
        if refusal is not None:
            return refusal
        routes = list(dict.fromkeys(map(self.table.of_key, row.keys(args))))
        if not routes:
            return _NO_KEYS
        if len(routes) == 1 or self._are_here(row, routes, caller):
            return self.submit_to(routes[0], row, args, caller)
        return CROSS_SLOT if row.spread is Spread.KEY else scatter.submit(self, row, args, caller)

    def _refusal(self, row: Row, args: list[bytes]) -> bytes | None:
        if row.name.startswith(("eval", "fcall")):
            return _SCRIPTS
        if row.blocking is not None and (row.name not in _MAY_WAIT or b"BLOCK" in map(bytes.upper, args)):
            return _BLOCKS
        return CROSS_SLOT if leads_on(self, row, args) else None

    def _are_here(self, row: Row, routes: list[Route], caller: Caller) -> bool:
        """May this be read from our own server, though the keys have different primaries?"""
        if row.write:
            return False
        away = caller.remote_writes
        return all([route.serves and route not in away for route in routes])

    def submit_to(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """As in `Engine`."""
        if row.write:
            if route.is_ready:
                need = route.acks[caller.write_level]
                if need < 0:
                    return self._write_rarely(route, row, args, caller, need)
                return self._ask(route, row, args, caller)
        elif caller.read_level:
            return _NO_LEVEL
        elif route.serves and not (caller.remote_writes and route in caller.remote_writes):
            return self._ask(route, row, args, caller)
        return self.elsewhere(route, row, args, caller)

    def _write_rarely(
        self, route: Route, row: Row, args: list[bytes], caller: Caller, need: int
    ) -> bytes | None:
        if need == VERIFIED:
            return _NO_LEVEL
        if route.is_changing:
            return self.parking.until_agreed(route, row, args, caller)
        self.refused += 1
        return nothing_done(route.write_shortfall[caller.write_level] or "the level cannot be reached")

    def _ask(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        refusal = _NO_MEMCACHED if row.name in NAMES else self.over_limit()
        if refusal is not None:
            return refusal
        data = pack(tuple(args))  # type: ignore[arg-type]
        size, store = len(data), self.plain
        asked = Asked(self, route, row, args, caller.write_level, caller.wait(), size, store.flushes)
        self.in_flight += 1
        self.waiting_bytes += size
        store.speak(caller.resp)
        store.passed += 1
        if row.write and not route.is_alone and builds(row, args):
            asked.keys = keys = row.keys(args)
            store.connection.send_all(probe(keys) + data, len(keys) + 1, asked.replied_all)
        else:
            store.connection.send(data, asked.replied)
        return None

    # Writes: this node is the primary

    def answer(
        self, route: Route, row: Row, args: list[bytes], reply: bytes, level: Level, waiter: Waiter
    ) -> None:
        """Our server ran this, and the others are told in this turn. Answer when the level says so."""
        route = self._now(route, row, args)
        if isinstance(waiter, LoneCaller):
            waiter.ran(self.keyspace.clock.last >> NODE_BITS)
        need = route.acks[level]
        if need > 0 and route.batch.effects:
            route.batch.waiting.append((need, waiter, reply))
        elif need < 0:
            waiter.done(outcome_unknown(2, 1))
        else:
            waiter.done(reply)

    def pass_on(
        self,
        route: Route,
        row: Row,
        args: list[bytes],
        reply: bytes,
        keys: Sequence[bytes],
        found: Sequence[bytes],
    ) -> None:
        """The other replicas are to run what our server has run, if anything came of it."""
        said = outcome(row, args, reply, keys, found)
        if said is None:
            return
        route = self._now(route, row, args)
        effects = route.batch.effects
        if not effects:
            self.dirty.append(route)
        key = args[row.first] if row.first else row.keys(args)[0]
        clock = self.keyspace.clock.next() >> NODE_BITS
        effects += (SAID, self.plain.slot_of(key), key, clock, said, 0)

    def _now(self, route: Route, row: Row, args: list[bytes]) -> Route:
        """The route of this, should the ring have changed since it was asked."""
        return self.table.of_key(row.keys(args)[0]) if route.is_retired else route
