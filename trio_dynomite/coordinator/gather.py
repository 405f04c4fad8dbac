"""Gather: a command whose keys live apart, run where its destination is, on copies of what it reads.

The keys that are read from afar are fetched whole, those of an owner in a request of their own at the level
of the caller's reads; what this node has a copy of itself is read from that. What they lead to (SORT's
weights) is fetched next. Then the command runs here, in one step, with the fetched records in the places of
the keys. It is atomic for what it writes; what it reads from several owners is each as of its own moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.row import Gather as How
from trio_dynomite.commands.row import Row
from trio_dynomite.coordinator.batch import Waiter
from trio_dynomite.coordinator.here import when_here
from trio_dynomite.coordinator.internal import OWNED, PROBE, RECORDS, unpack
from trio_dynomite.coordinator.lone import LoneCaller, run_late
from trio_dynomite.data.cells import Cells
from trio_dynomite.data.effect import unpack_record
from trio_dynomite.data.merge import settle
from trio_dynomite.data.record import COUNTS, Record
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import is_error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.storage.keyspace import StoreKeyspace


@define(eq=False)
class Fetch(LoneCaller):
    """Keys of one owner that are read from afar; the caller of their request, and who waits for it."""

    whole: Gather
    keys: list[bytes]
    are_records: bool
    """The reply is the records; else this node's own copies are right once it comes."""

    @property
    def read_level(self) -> Level:
        """The whole command's."""
        return self.whole.read_level

    @property
    def write_level(self) -> Level:
        """The whole command's."""
        return self.whole.write_level

    @property
    def resp(self) -> int:
        """It is not for a client."""
        return 2

    @property
    def hops(self) -> int:
        """It begins here."""
        return 0

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self

    def done(self, reply: bytes) -> None:
        """The keys' records, or an error."""
        if is_error(reply):
            self.whole.failure = reply
        elif self.are_records:
            records = map(unpack_record, unpack(reply))
            self.whole.guests.update(zip(self.keys, records, strict=True))
        self.whole.one_less()


@define(eq=False)
class Alone(LoneCaller):
    """A caller who has nothing more run until it has its reply: what another node gathers takes a while."""

    caller: Caller
    read_level: Level
    write_level: Level
    resp: int
    hops: int

    @classmethod
    def of(cls, caller: Caller) -> Alone:
        """`caller` as one."""
        return cls(caller, caller.read_level, caller.write_level, caller.resp, caller.hops)

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        return self.caller.block()


@define(eq=False)
class Gather(LoneCaller):
    """A command whose keys are being gathered; the caller when it runs at last."""

    engine: Engine
    route: Route | None
    """Of the destination; None: nothing is written."""
    row: Row
    args: list[bytes]
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    guests: dict[bytes, Record] = field(factory=dict)
    failure: bytes | None = None
    waiter: Waiter | None = None
    """None while the requests are being sent."""
    asked: set[bytes] = field(factory=set)
    """The keys that are here, or on their way."""
    missing: int = 0
    """Requests that were not answered yet."""

    @classmethod
    def start(cls, engine: Engine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
        """Fetch what is missing, then run."""
        keys = row.keys(args)
        target = {How.ALL_BUT_FIRST: keys[0], How.ALL_BUT_LAST: keys[-1]}.get(row.gather)
        route = None if target is None else engine.table.of_key(target)
        if route is not None and not route.is_ready:
            asking = caller if isinstance(caller, LoneCaller) else Alone.of(caller)
            return engine.elsewhere(route, row, args, asking)
        levels = (caller.read_level, caller.write_level)
        gather = cls(engine, route, row, args, *levels, caller.resp, caller.hops)
        if gather._is_complete(keys):
            return gather._run(caller)
        # What follows a write must find it: it waits until the write, which takes a while, is done.
        gather.waiter = caller.wait(None, engine.table.of_key(keys[0])) if route is None else caller.block()
        return None

    def _is_complete(self, keys: list[bytes]) -> bool:
        """Fetch these keys, and what they lead to; is all of it here? If not, it goes on when more comes."""
        while keys:
            self.missing += 1  # so that an answer at once does not go on by itself
            self._fetch(keys)
            self.missing -= 1
            if self.missing or not self._is_here():
                return False
            keys = self._led_to()
        return True

    def _is_here(self) -> bool:
        """Are our own records among them here? If not, it goes on when they are."""
        own = [key for key in self.asked if key not in self.guests]
        return self.failure is not None or when_here(self.engine, own, self._go_on)

    def _fetch(self, keys: list[bytes]) -> None:
        groups: dict[Route, list[bytes]] = {}
        for key in dict.fromkeys(keys):
            self.asked.add(key)
            groups.setdefault(self.engine.table.of_key(key), []).append(key)
        for route, some in groups.items():
            row = self._asking(route)
            if row is not None:
                self._ask(route, row, some)

    def _asking(self, route: Route) -> Row | None:
        """What to ask the owner of some keys for; None: what is here is right."""
        if route is self.route:
            return None
        if self.read_level != Level.DC_ONE:
            return PROBE if route.serves else RECORDS
        if self.route is None:
            return None if route.serves else RECORDS
        # What is stored must know of its client's last writes: only a primary's copy surely does.
        return None if route.is_ready else OWNED

    def _ask(self, route: Route, row: Row, keys: list[bytes]) -> None:
        fetch = Fetch(self, keys, are_records=row is not PROBE)
        self.missing += 1
        reply = self.engine.submit_to(route, row, [row.name.encode(), *keys], fetch)
        if reply is not None:
            fetch.done(reply)

    def _led_to(self) -> list[bytes]:
        """Keys to which those that are here lead, and which are not here yet."""
        leads_to = self.row.leads_to
        if leads_to is None or self.failure is not None:
            return []
        with Guests(self.engine.keyspace, self.guests):
            keys = leads_to(self.engine.keyspace, self.args)
        return [key for key in keys if key not in self.asked]

    def one_less(self) -> None:
        """One more request was answered."""
        self.missing -= 1
        if not self.missing and self.waiter is not None:
            self._go_on()

    def _go_on(self) -> None:
        if self.waiter is not None and self._is_here() and self._is_complete(self._led_to()):
            run_late(self.engine, self.waiter, lambda: self._run(self))

    def _run(self, caller: Caller) -> bytes | None:
        if self.failure is not None:
            return self.failure
        engine = self.engine
        with Guests(engine.keyspace, self.guests):
            if self.route is None:
                return engine.execute(self.row, self.args, self.resp)
            return engine.submit_to(self.route, self.row, self.args, caller)

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Waiter:
        """Who is told the reply."""
        assert self.waiter is not None
        return self.waiter


@define
class Guests:
    """Records of other nodes in the places of their keys, for one step; nothing else sees them."""

    keyspace: StoreKeyspace
    records: dict[bytes, Record]
    _own: list[tuple[int, bytes, Record | None]] = field(factory=list)

    def __enter__(self) -> None:
        store, now_ms = self.keyspace.store, self.keyspace.now_ms
        for key, record in self.records.items():
            if isinstance(record[COUNTS], Cells) and record[COUNTS].sweep(now_ms):
                record = settle(record)  # else a reader would do it, and count it among our own
            slot = store.slot_of(key)
            self._own.append((slot, key, store.lend(slot, key, record)))

    def __exit__(self, *exc: object) -> None:
        for slot, key, own in reversed(self._own):
            self.keyspace.store.take_back(slot, key, own)
