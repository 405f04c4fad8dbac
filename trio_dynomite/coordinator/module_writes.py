"""A module's command that writes: the primary's server runs it, and what it made of its keys is the write.

Its keys are locked while it is under way, so whatever else is asked of them waits, in its order. What was
written of them is at the server first, and what the server has is what is known here, or the keys are put
back as they were and the command is run again. Afterwards each key that has changed is written like any
other, under a stamp of that moment and whole: the record has the payload that DUMP gave, and that goes to the
replicas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from trio_dynomite.commands.dump import decode, put_loaded
from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.batch import Waiter, nothing_done
from trio_dynomite.coordinator.lone import LoneCaller, run_late
from trio_dynomite.coordinator.quorum import VerifiedWrite
from trio_dynomite.coordinator.routes import VERIFIED
from trio_dynomite.data.record import COUNTS, is_live
from trio_dynomite.errors import CommandError, ProtocolError
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.redis.modules import (
    OTHER_PROTOCOL,
    Became,
    Outcome,
    Place,
    outcome_in,
    requests,
    told,
)
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.servers.handshake import failed
from trio_dynomite.storage.servers.pipe import LOST

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route

_TRIES_MAX = 3
_NONE = "none"
_NOT_AS_IT_WAS = "the storage server has not got the key as it was, or cannot read it"
_OWN = frozenset(["string", "hash", "set", "zset", "list", "stream"])


@define(eq=False)
class ModuleWrite(LoneCaller):
    """One such command; the caller, too, of what it has written."""

    engine: Engine
    store: ListedStore
    route: Route
    row: Row
    args: list[bytes]
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    waiter: Waiter
    stint: int
    """The route's, when it began: while that stays, nobody else has led."""
    size: int
    """Bytes of the request."""
    keys: list[bytes]
    places: list[Place] = field(factory=list)
    errors: list[bytes] = field(factory=list)
    """Why the server would not even begin."""
    tries: int = 0
    stamp: int = 0
    is_over: bool = False

    @classmethod
    def start(
        cls, engine: Engine, store: ListedStore, route: Route, row: Row, args: list[bytes], caller: Caller
    ) -> None:
        """Run it; all its keys are here."""
        waiter = caller.wait() if len(row.keys(args)) == 1 else caller.block()
        levels = (caller.read_level, caller.write_level)
        write = cls(
            *(engine, store, route, row, args, *levels, caller.resp, caller.hops, waiter, route.stint),
            size=sum(map(len, args)),
            keys=list(dict.fromkeys(row.keys(args))),
        )
        engine.in_flight += 1
        engine.waiting_bytes += write.size
        engine.watch(write)
        store.lock(write.keys, write._send)

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self.waiter

    def _send(self) -> None:
        """The server has all that was written of the keys."""
        self.tries += 1
        self.stamp = self.engine.keyspace.clock.next()
        self.places = [self._place(key) for key in self.keys]
        self.errors.clear()
        *first, last = requests(self.args, self.places, self.stamp)
        send = self.store.connection.send
        if self.resp > 2:
            send(OTHER_PROTOCOL[0], _ignored)
        for request in first:
            send(request, self._queued)
        send(last, self._ran)
        if self.resp > 2:
            send(OTHER_PROTOCOL[1], _ignored)

    def _place(self, key: bytes) -> Place:
        slot, entry = self.store.slot_of(key), self.store.cache.find(key)
        assert entry is not None
        is_there = entry.record is not None and is_live(entry.record, self.engine.now_ms)
        return Place(key, slot, entry.token, is_there)

    def _queued(self, reply: Any) -> None:
        if reply is not LOST and failed(reply):
            self.errors.append(reply)

    def _ran(self, reply: Any) -> None:
        """The server has run it, or is lost, and this life of the node with it."""
        if reply is LOST:
            return
        try:
            outcome = outcome_in(reply, self.errors, len(self.places))
        except ProtocolError as mistake:
            self.store.connection.close(str(mistake))
            return
        refusal = _refusal(outcome)
        if not outcome.was_as_thought or refusal is not None:
            self._put_back()
            if refusal is None and self.tries < _TRIES_MAX:
                self.store.lock(self.keys, self._send)
                return
            outcome = Outcome(refusal or nothing_done(_NOT_AS_IT_WAS))
        self._end()
        self.engine.written.run_late(self.waiter, lambda: self._tell(outcome))
        self.store.unlock(self.keys)

    def _put_back(self) -> None:
        """Whatever the server has at the keys now, it is to have what is here."""
        for key in self.keys:
            entry = self.store.cache.find(key)
            assert entry is not None
            told(key, entry, None, b"")
            self.store.cache.changed(key, entry)

    # What it has made

    def _tell(self, outcome: Outcome) -> None:
        run_late(self.engine, self.waiter, lambda: self._written(outcome))

    def _written(self, outcome: Outcome) -> bytes | None:
        """Write what has changed; the reply, or None when it comes later."""
        if not any(outcome.became):
            return outcome.reply
        engine, route = self.engine, self.route
        row = evolve(self.row, handler=lambda ks, args: self._apply(ks, outcome))
        if not self.row.write or not route.is_ready or route.stint != self.stint:
            engine.keyspace.effects = None
            engine.execute(row, self.args, self.resp)
            return self._unknown("another node may have led meanwhile")
        need = route.acks[self.write_level]
        if need == VERIFIED and self._can_verify():
            return VerifiedWrite.start(engine, route, row, self.args, self)
        reply = engine.write_into(route.batch, route, row, self.args, self.resp)
        if engine.keyspace.store.written:
            engine.written.notice()
        if need < 0:
            return self._unknown(route.write_shortfall[self.write_level] or "the level cannot be reached")
        if need == 0 or not route.batch.effects:
            return reply
        self.wait_for(route.batch, need, reply)
        return None

    def _can_verify(self) -> bool:
        level = self.write_level
        return self.route.write_shortfall[level] is None and self.engine.can_verify(self.route, level)

    def _apply(self, ks: Any, outcome: Outcome) -> bytes:
        for place, became in zip(self.places, outcome.became, strict=True):
            if became is not None:
                self._become(ks, place, became)
        return outcome.reply

    def _become(self, ks: Any, place: Place, became: Became) -> None:
        key, entry = place.key, self.store.cache.find(place.key)
        assert entry is not None
        is_ours = entry.token == place.head and not entry.is_sent and not entry.is_dirty
        if became.head:
            ks.put_opaque(key, became.type, became.payload, became.deadline_ms)
        elif became.type == _NONE:
            ks.delete(key)
        else:
            put_loaded(ks, key, decode(became.payload), became.deadline_ms)
        entry = self.store.cache.find(key)
        assert entry is not None
        record = None
        if became.head and is_ours and entry.record is not None:
            dated = self.stamp if became.deadline_ms else 0
            record = (self.stamp, became.type, dated, became.deadline_ms, entry.record[COUNTS])
        told(key, entry, record, became.head if record else b"")
        self.store.cache.changed(key, entry)
        if ks.wants_events:
            ks.event("del" if became.type == _NONE else self.row.name, key)

    # Its end

    def _unknown(self, reason: str) -> bytes:
        return error(f"UNKNOWN {reason}; the write may be kept")

    def _end(self) -> None:
        self.is_over = True
        self.engine.in_flight -= 1
        self.engine.waiting_bytes -= self.size

    def expire(self) -> None:
        """The deadline has passed; what is under way is waited for all the same."""
        if not self.is_over:
            reason = "the storage server did not answer in time"
            waiter, self.waiter = self.waiter, NOBODY
            waiter.done(self._unknown(reason) if self.tries else nothing_done(reason))


class Nobody:
    """Who waited has been told that nobody knows."""

    def done(self, reply: bytes) -> None:
        """It comes too late."""


NOBODY = Nobody()


def _refusal(outcome: Outcome) -> bytes | None:
    """Why what it made cannot be kept, or None."""
    for became in filter(None, outcome.became):
        if became.head or became.type == _NONE:
            continue
        if became.type not in _OWN:
            return error(
                f"ERR the server cannot DUMP a value of type {became.type}, so no other node could have it;"
                " nothing was done"
            )
        try:
            decode(became.payload)
        except CommandError:
            return error(
                f"ERR this node cannot read the {became.type} that the module has made; nothing was done"
            )
    return None


def _ignored(reply: Any) -> None:
    """Of no interest: when it is bad, so are the others."""
