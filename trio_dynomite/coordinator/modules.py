"""Commands of modules: routed like any other by their keys, and run by the server below the node that serves.

Those that read pass to it as they are, in the protocol of the client; at a quorum level the keys are compared
afterwards, and read again if they have changed. Those that write are `module_writes.py`. What has no key is
asked of this node's own server, and what would change something there is refused: nothing of it would reach
the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import define

from trio_dynomite.commands.module_rows import knows_its_keys
from trio_dynomite.commands.refusals import wrong_arity
from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.batch import Waiter, nothing_done
from trio_dynomite.coordinator.internal import PROBE
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.coordinator.module_writes import ModuleWrite
from trio_dynomite.coordinator.routes import VERIFIED
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import error, is_error
from trio_dynomite.storage.redis.modules import OTHER_PROTOCOL, Place, beside, replies_in, undisturbed
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.servers.handshake import failed, packed
from trio_dynomite.storage.servers.pipe import LOST

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller
    from trio_dynomite.coordinator.fetching import FetchingEngine
    from trio_dynomite.coordinator.routes import Route

_SEVERAL = 2
_NO_MORE = error("NOREPLICAS this node serves these keys no more; try again")
_IS_BESIDE = b":1\r\n"


def refuse(engine: FetchingEngine, row: Row, args: list[bytes]) -> bytes | None:
    """Why this node cannot have such a command run, whoever leads its keys; None when it can."""
    store = engine.keyspace.store
    if not isinstance(store, ListedStore) or row.name not in store.module_commands:
        return engine.execute(row, args, 2)
    if not knows_its_keys(row):
        return error(f"ERR the keys of '{row.name}' are known to its module only, so it cannot be routed")
    keys = row.keys(args)
    if not keys and row.first:
        return error(wrong_arity(row.name))
    if row.write and not keys:
        return error(
            f"ERR '{row.name}' changes what is not at a key, which other nodes would not have:"
            " give it to the server of each node, as docs/storage.md says"
        )
    refusal = store.refusal(keys)
    return None if refusal is None else error(refusal)


def submit_to(
    engine: FetchingEngine, route: Route, row: Row, args: list[bytes], caller: Caller
) -> bytes | None:
    """Route a command with keys, all of which belong to `route`."""
    if route in caller.remote_writes or not (route.is_ready if row.write else route.serves):
        return engine.elsewhere(route, row, args, caller)
    refusal = refuse(engine, row, args) or engine.over_limit()
    if refusal is not None:
        return refusal
    if row.write:
        return _write(engine, route, row, args, caller)
    return _read(engine, route, row, args, caller)


def ask_here(engine: FetchingEngine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Have this node's server answer what has no key."""
    refusal = refuse(engine, row, args) or engine.over_limit()
    if refusal is None:
        ModuleRead.start(engine, None, row, args, caller, [])
    return refusal


def _write(engine: FetchingEngine, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    if engine.is_limited and (full := engine.disk.refusal(row, args)) is not None:
        return full
    store = _store_of(engine)
    need, reason = route.acks[caller.write_level], route.write_shortfall[caller.write_level]
    if need == VERIFIED and reason is None and not engine.can_verify(route, caller.write_level):
        reason = f"{caller.write_level.name} needs replicas that serve reads to compare with"
    if need < 0 and (need != VERIFIED or reason is not None):
        if route.is_changing:
            return engine.parking.until_agreed(route, row, args, caller)
        engine.refused += 1
        return nothing_done(reason or "the level cannot be reached")
    missing = store.missing(row.keys(args))
    if missing:
        engine.hold(store, route, row, args, caller, missing)
    else:
        ModuleWrite.start(engine, store, route, row, args, caller)
    return None


def _read(engine: FetchingEngine, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    store, keys = _store_of(engine), list(dict.fromkeys(row.keys(args)))
    awaited = [key for key in keys if store.is_awaited(key)]
    if awaited:
        engine.hold(store, route, row, args, caller, awaited)
        return None
    ModuleRead.start(engine, route, row, args, caller, keys)
    return None


def _store_of(engine: FetchingEngine) -> ListedStore:
    store = engine.keyspace.store
    assert isinstance(store, ListedStore)
    return store


@define(eq=False)
class ModuleRead(LoneCaller):
    """A command that reads, under way to this node's server."""

    engine: FetchingEngine
    store: ListedStore
    route: Route | None
    row: Row
    args: list[bytes]
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    waiter: Waiter
    keys: list[bytes]
    seen: int = 0
    """The digest of the keys' records when the server was asked, at a quorum level."""
    reply: bytes = b""
    is_beside: bool = False
    """Something is where the module does not see it."""
    is_over: bool = False

    @classmethod
    def start(
        cls,
        engine: FetchingEngine,
        route: Route | None,
        row: Row,
        args: list[bytes],
        caller: Caller,
        keys: list[bytes],
    ) -> None:
        """Have it answered; at a quorum level it is proven then that a quorum has what was read."""
        levels = (caller.read_level, caller.write_level)
        waiter = caller.wait(None, route) if len(keys) < _SEVERAL else caller.block()
        read = cls(
            *(engine, _store_of(engine), route, row, args, *levels, caller.resp, caller.hops, waiter, keys)
        )
        engine.in_flight += 1
        engine.watch(read)
        read._ask()

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self.waiter

    @property
    def _is_compared(self) -> bool:
        return bool(self.read_level and self.keys)

    def _ask(self) -> None:
        """Ask the server, behind all that was written of the keys."""
        if self.is_over:
            return
        store = self.store
        listed = store.listings(self.keys)
        if listed:
            store.look(listed, self._ask, is_full=False)
            return
        busy = [key for key in self.keys if key in store.cache.busy]
        missing = store.missing(self.keys) if self._is_compared else list(filter(store.is_awaited, busy))
        if missing:
            store.fetch(missing, self._ask)
        elif busy:
            store.lock(busy, partial(self._send_and_unlock, busy))
        else:
            self._send()

    def _send_and_unlock(self, busy: list[bytes]) -> None:
        self._send()
        self.store.unlock(busy)

    def _send(self) -> None:
        is_slow = "blocking" in self.row.flags
        *first, last = undisturbed(self.args) if is_slow else [packed(*self.args)]
        send = self.store.connection.send
        self.store.passed += 1
        self.is_beside = False
        if self._is_compared:
            self.seen = self.engine.replica.digest_of(self.keys)
        for key in self.keys:
            send(beside(Place(key, self.store.slot_of(key), b"", is_live=True)), self._looked)
        if self.resp > 2:
            send(OTHER_PROTOCOL[0], _ignored)
        for request in first:
            send(request, _ignored)
        send(last, self._unpacked if is_slow else self._answered)
        if self.resp > 2:
            send(OTHER_PROTOCOL[1], _ignored)

    def _looked(self, reply: Any) -> None:
        self.is_beside = self.is_beside or reply == _IS_BESIDE

    def _unpacked(self, reply: Any) -> None:
        self._answered(reply if reply is LOST or failed(reply) else replies_in(reply)[0])

    def _answered(self, reply: Any) -> None:
        """The server has answered, or is lost, and this life of the node with it."""
        if reply is LOST or self.is_over:
            return
        self.reply = reply
        if self.is_beside:
            self._wake()
        elif self._is_compared:
            self._prove()
        else:
            self._finish(reply)

    def _wake(self) -> None:
        """Run it like a write, which puts things where they belong first, then ask again."""
        if self.is_over:
            return
        missing = self.store.missing(self.keys)
        if missing:
            self.store.fetch(missing, self._wake)
            return
        assert self.route is not None
        step = self._step(self._woken)
        ModuleWrite.start(self.engine, self.store, self.route, self.row, self.args, step)

    def _woken(self, reply: bytes | None) -> None:
        if reply is not None and is_error(reply):
            self._finish(reply)
        else:
            self._ask()

    def _prove(self) -> None:
        """Is what this node has, and the server has read, what a quorum has?"""
        route = self.route
        assert route is not None
        if not route.serves:
            self._finish(_NO_MORE)
            return
        request = [PROBE.name.encode(), *self.keys]
        reply = self.engine.submit_to(route, PROBE, request, self._step(self._proven))
        if reply is not None:
            self._proven(reply)

    def _proven(self, reply: bytes | None) -> None:
        """It is now; but was it when the server was asked?"""
        if reply is None or is_error(reply):
            self._finish(reply or _NO_MORE)
        elif self.store.missing(self.keys) or self.engine.replica.digest_of(self.keys) != self.seen:
            self._ask()
        else:
            self._finish(self.reply)

    def _step(self, then: Callable[[bytes | None], None]) -> Step:
        return Step(self.read_level, self.write_level, self.resp, self.hops, then)

    def _finish(self, reply: bytes) -> None:
        if not self.is_over:
            self.is_over = True
            self.engine.in_flight -= 1
            self.waiter.done(reply)

    def expire(self) -> None:
        """The deadline has passed."""
        self._finish(error("TIMEOUT the storage server did not answer in time"))


@define(eq=False)
class Step(LoneCaller):
    """A part of a read: what is replied goes to the next."""

    read_level: Level
    write_level: Level
    resp: int
    hops: int
    then: Callable[[bytes | None], None]

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self

    def done(self, reply: bytes) -> None:
        """The reply."""
        self.then(reply)


def _ignored(reply: Any) -> None:
    """Of no interest: when it is bad, so are the others."""
