"""Fetching: a request waits until the records of its keys are here, where storage is on a server.

All that a turn misses is asked for in one go. Requests on one key are served in the order in which they came,
for the key comes to all of them at once; one on several keys holds back what its client asked after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator import modules
from trio_dynomite.coordinator.cold import Cold
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.here import when_here
from trio_dynomite.coordinator.park import Parked
from trio_dynomite.coordinator.passing import PASSABLE, pass_on
from trio_dynomite.errors import CommandError
from trio_dynomite.model import NodeState
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.expiry import expire_key
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller
    from trio_dynomite.coordinator.routes import Route

_PLAIN_SET = 3
"""Words of a SET without options."""


@define(eq=False)
class FetchingEngine(Engine):
    """An engine over a store that must be asked beforehand."""

    held: int = 0
    """Requests that waited for their records, so far."""
    cold: Cold = field(init=False)

    def __attrs_post_init__(self) -> None:
        Engine.__attrs_post_init__(self)
        self.cold = Cold(self)

    def set_state(self, state: NodeState) -> None:
        """As in `Engine`."""
        Engine.set_state(self, state)
        if state is NodeState.NORMAL:
            self.cold.begin()

    def tick(self) -> None:
        """As in `Engine`."""
        Engine.tick(self)
        self.cold.tick()

    def submit(self, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """As in `Engine`."""
        if row.is_module and not row.keys(args):
            return modules.ask_here(self, row, args, caller)
        return Engine.submit(self, row, args, caller)

    def submit_to(self, route: Route, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """As in `Engine`."""
        if row.is_plain and args[row.first] in self.keyspace.store.cache.young:  # type: ignore[attr-defined]
            return Engine.submit_to(self, route, row, args, caller)  # most of all requests
        if row.is_module:
            return modules.submit_to(self, route, row, args, caller)
        follows = not row.write and route in caller.remote_writes  # its own write, to where that went
        if not follows and (route.is_ready if row.write else route.serves):
            store = self.keyspace.store
            assert isinstance(store, RemoteStore)
            missing = store.missing([args[row.first]] if row.is_plain else row.keys(args))
            if not missing and row.leads_to is not None:
                missing = store.missing(self._led_to(row, args))
            if missing:
                return self._submit_cold(store, route, row, args, caller, missing)
        return Engine.submit_to(self, route, row, args, caller)

    def _submit_cold(
        self,
        store: RemoteStore,
        route: Route,
        row: Row,
        args: list[bytes],
        caller: Caller,
        missing: list[bytes],
    ) -> bytes | None:
        """Not all records are here."""
        refusal = store.refusal(missing)
        if refusal is not None:
            return error(refusal)
        if row.name == "set" and len(args) == _PLAIN_SET and _may_overwrite(store, args[1]):
            reply = Engine.submit_to(self, route, row, args, caller)
            store.overwritten(args[1])
            return reply
        full = self.over_limit()
        if full is not None:
            return full
        if row.name in PASSABLE and not caller.read_level and _may_pass(store, missing[0]):
            pass_on(self, store, args, caller)
        else:
            self.hold(store, route, row, args, caller, missing)
        return None

    def _led_to(self, row: Row, args: list[bytes]) -> list[bytes]:
        """The keys to which those that are here lead."""
        assert row.leads_to is not None
        try:
            return row.leads_to(self.keyspace, args)
        except CommandError:
            return []  # which the command will say, too

    def expire_keys(self, limit: int) -> None:
        """As in `Engine`, once the records are here."""
        keys = list(self.keyspace.store.deadlines.take(self.keyspace.now_ms, limit))

        def strip() -> None:
            for key in keys:
                expire_key(self.keyspace.store, key, self.keyspace.now_ms)

        if when_here(self, keys, strip):
            strip()

    def hold(
        self,
        store: RemoteStore,
        route: Route,
        row: Row,
        args: list[bytes],
        caller: Caller,
        missing: list[bytes],
    ) -> None:
        """Submit a request again when the records of these keys are here."""
        self.held += 1
        waiter = caller.wait() if row.is_plain else caller.block()
        levels = (caller.read_level, caller.write_level)
        parked = Parked(route, row, args, *levels, caller.resp, caller.hops, waiter, sum(map(len, args)))
        self.in_flight += 1
        self.waiting_bytes += parked.size
        self.watch(parked)
        store.fetch(missing, lambda: self._fetched(parked))

    def _fetched(self, parked: Parked) -> None:
        if not self.cold.ask(parked, lambda: self._go_on(parked)):
            self._go_on(parked)

    def _go_on(self, parked: Parked) -> None:
        self.in_flight -= 1
        self.waiting_bytes -= parked.size
        if not parked.is_over:
            self.written.run_late(parked.waiter, lambda: self.parking.route_again(parked))


def _may_overwrite(store: RemoteStore, key: bytes) -> TypeGuard[ListedStore]:
    return isinstance(store, ListedStore) and store.may_overwrite(key)


def _may_pass(store: RemoteStore, key: bytes) -> TypeGuard[ListedStore]:
    return isinstance(store, ListedStore) and store.may_pass(key)
