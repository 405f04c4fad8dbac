"""The store whose records are on a server: fetch before, write after, and say nothing before it is there.

A key that is changed again while it is on its way is sent once more when the answer has come, so what is
under way of one key is one request, whatever the traffic. Where the server turns out to have another version
than was read (somebody else wrote it, or it was evicted), that is fetched and joined like a record of another
replica, and the outcome is written: nothing is lost by it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from attrs import define, field

from trio_dynomite.data.merge import merge
from trio_dynomite.data.record import STAMP, Record, newest
from trio_dynomite.errors import ProtocolError
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.gate import Gate
from trio_dynomite.storage.remote.cache import Cache, CachedSlot, Commit, Entry
from trio_dynomite.storage.remote.driver import Connection, Driver, FullError, Reply, Room
from trio_dynomite.storage.remote.owed import Owed
from trio_dynomite.storage.servers.pipe import LOST
from trio_dynomite.storage.store import Store

Told = TypeVar("Told")


@define(eq=False)
class Ticket:
    """Somebody who waits for some keys."""

    left: int
    then: Callable[[], None]
    keys: list[bytes] = field(factory=list)
    """Those that have come for it."""


@define(repr=False)
class RemoteStore(Store):
    """The records of one node, on a server that is its alone."""

    driver: Driver = field(kw_only=True)
    cache_bytes: int = field(kw_only=True)
    now_ms: Callable[[], int] = field(kw_only=True)
    gate: Gate = field(factory=Gate)
    cache: Cache = field(init=False)
    records: Sequence[CachedSlot] = field(init=False)
    connection: Connection = field(init=False)
    fetched: int = 0
    sent: int = 0
    owed: Owed = field(factory=Owed)
    room: Room | None = None
    """Tells when the server is full, where it can."""
    conflicts: int = 0
    """How often the server had another version than was read from it."""
    observe: Callable[[int], None] = lambda stamp: None
    """Told the newest stamp of whatever is fetched: who changes it must give a newer one."""
    _wanted: dict[bytes, list[Ticket]] = field(factory=dict)
    """Keys that are being fetched, and who waits for them."""
    _when_idle: dict[bytes, list[Callable[[], None]]] = field(factory=dict)
    """Of locked keys who waits until all that was written of one is there."""
    _commits: deque[Commit] = field(factory=deque)
    """Those that are not safe yet, in order."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.cache = Cache(self.cache_bytes)
        self.records = self._make_slots()

    def _make_slots(self) -> Any:
        return [CachedSlot(self.cache, self.driver.check) for _ in range(SLOTS)]

    def begin(self, then: Callable[[], None]) -> None:
        """Learn what the server has, as far as it tells, and call `then`."""
        then()

    # Before a turn's work

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of some keys that must be fetched before anything looks at them."""
        find, locked = self.cache.find, self.cache.locked
        if locked:
            return [key for key in keys if key in locked or find(key) is None]
        return [key for key in keys if find(key) is None]

    def refusal(self, keys: Iterable[bytes]) -> str | None:
        """Why there can be no such keys."""
        return next(filter(None, map(self.driver.refusal, keys)), None)

    def fetch(self, keys: Iterable[bytes], then: Callable[[], None]) -> None:
        """Have these keys here, some of which are missing, and call `then`, in a later turn."""
        ticket, wanted = Ticket(0, then), self._wanted
        for key in dict.fromkeys(keys):
            if key not in self.cache.locked and self.cache.find(key) is not None:
                self.cache.pin(key)
                ticket.keys.append(key)
                continue
            ticket.left += 1
            if key in wanted:
                wanted[key].append(ticket)
            else:
                wanted[key] = [ticket]
                self._read(key)

    def lock(self, keys: Iterable[bytes], then: Callable[[], None]) -> None:
        """Keep these keys, which are here, from everybody, until `unlock`.

        `then` is called when the server has all that was written of them: at once, or in a later turn."""
        busy = set(keys) & self.cache.busy.keys()

        def is_idle(key: bytes) -> None:
            busy.discard(key)
            if not busy:
                then()

        for key in keys:
            self._wanted.setdefault(key, [])
            self.cache.lock(key)
            if key in busy:
                self._when_idle.setdefault(key, []).append(partial(is_idle, key))
        if not busy:
            then()

    def unlock(self, keys: Iterable[bytes]) -> None:
        """They may be used again."""
        for key in keys:
            self.cache.unlock(key)
        for key in keys:
            if key not in self.cache.locked:
                self._serve(key)

    def pin(self, keys: Iterable[bytes]) -> None:
        """Keep the records of these keys here until `unpin`."""
        for key in keys:
            self.cache.pin(key)

    def unpin(self, keys: Iterable[bytes]) -> None:
        """They need not stay any more."""
        for key in keys:
            self.cache.unpin(key)

    def _ask(
        self,
        request: bytes,
        read: Callable[[Reply], Told],
        then: Callable[[Told], None],
        refused: Callable[[str], None] | None = None,
    ) -> None:
        """Send a request; `then` is told what `read` makes of its reply. One that tells nothing ends all.

        `refused`: told why, if it is a write that the server does not take at present."""

        def replied(reply: Reply) -> None:
            if reply is LOST:
                return
            try:
                told = read(reply)
            except ProtocolError as mistake:
                if refused is not None and isinstance(mistake, FullError):
                    refused(str(mistake))
                else:
                    self.connection.close(str(mistake))
                return
            then(told)

        self.connection.send(request, replied)

    def _read(self, key: bytes) -> None:
        self.fetched += 1
        self._ask(self.driver.read(key), partial(self.driver.found, key), partial(self._found, key))

    def _found(self, key: bytes, found: Entry) -> None:
        found.record = _cut(found.record, self.floors[self.slot_of(key)])
        if found.record is not None:
            self.observe(newest(found.record))
        entry = self.cache.find(key)
        if entry is None:
            self.cache.keep(key, found)
        else:
            self._reconcile(key, entry, found)
        if key not in self.cache.locked:
            self._serve(key)

    def _serve(self, key: bytes) -> None:
        """A key is here: whoever waits for it is told."""
        tickets = self._wanted.pop(key, [])
        for ticket in tickets:
            self.cache.pin(key)
            ticket.keys.append(key)
            ticket.left -= 1
        for ticket in tickets:
            if not ticket.left:
                ticket.then()
                self.unpin(ticket.keys)

    def _reconcile(self, key: bytes, entry: Entry, found: Entry) -> None:
        """The server has another version of what we changed: join the two, and write the outcome."""
        entry.token = found.token
        if found.record is not None:
            entry.record = found.record if entry.record is None else merge(entry.record, found.record)
        self._send_all([(key, entry)])

    # After it

    def commit(self) -> None:
        """Send what the turn changed."""
        dirty = self.cache.dirty
        if dirty:
            self.cache.dirty = {}
            if self.owed.keeps:
                self.owed.entries.update(dirty)
            else:
                self._commit(dirty, len(dirty))
        self.owed.is_news = False
        self.cache.end_turn()

    def _commit(self, dirty: dict[bytes, Entry], left: int) -> Commit:
        commit = self._new_commit(left)
        ready = []
        for changed in dirty.items():
            entry = changed[1]
            entry.commits.append(commit)
            if not entry.is_sent:
                ready.append(changed)
        self._send_all(ready)
        return commit

    def _new_commit(self, left: int) -> Commit:
        self.gate.made += 1
        commit = Commit(self.gate.made, left)
        self._commits.append(commit)
        return commit

    def _send_all(self, changed: list[tuple[bytes, Entry]]) -> None:
        raise NotImplementedError

    def _arrived(self, changed: list[tuple[bytes, Entry]], commits: list[Commit]) -> None:
        """The server has what was sent."""
        again = []
        busy = self.cache.busy
        for sent in changed:
            entry = sent[1]
            entry.is_sent = False
            if entry.commits:
                again.append(sent)
            elif not entry.is_dirty:
                busy.pop(sent[0], None)
        for commit in commits:
            commit.left -= 1
        self._settle()
        self._send_all(again)
        if self.owed.trial is not None and any([key == self.owed.trial for key, _ in changed]):
            self._accepted()
        if self._when_idle:
            self._tell_idle([key for key, _ in changed])

    def _tell_idle(self, keys: list[bytes]) -> None:
        """Whoever locked them may go on where all that was written of one is at the server."""
        for key in keys:
            if key not in self.cache.busy:
                for act in self._when_idle.pop(key, ()):
                    act()

    def _settle(self) -> None:
        safe = 0
        while self._commits and not self._commits[0].left:
            safe = self._commits.popleft().number
        if safe:
            self.gate.settle(safe)
            if self.is_behind and self.owed.why is None and safe >= self.owed.commit:
                self.is_behind = False

    def figures(self) -> dict[str, object]:
        """As in `Store`."""
        return {} if self.room is None else self.room.figures()

    # When the server takes no writes

    def _not_taken(self, changed: list[tuple[bytes, Entry]], commits: list[Commit], why: str) -> None:
        """It was told these, and does not have them. Who was to hear of them hears nothing."""
        for _, entry in changed:
            commits = commits + entry.commits
            entry.commits = []
            entry.is_sent, entry.is_dirty, entry.held = False, True, None
        self.is_behind = True
        self.owed.refused(changed, why)
        for commit in commits:
            commit.left -= 1
        if commits:
            self.gate.refuse(min([commit.number for commit in commits]))
        self._settle()
        self._judge()
        self.on_refused()

    def recover(self, now_s: float) -> None:
        """See now and then how much room there is, and whether what was refused is taken."""
        if self.room is not None and (request := self.room.request(now_s)) is not None:
            self._ask(request, self.room.told, lambda _: None)
        self._judge()
        trial = self.owed.to_try(now_s)
        if trial is None:
            return
        if trial in self.owed.requests:
            self._tell(trial, self.owed.requests[trial], [])
        else:
            self._send_all([(trial, self.owed.entries[trial])])

    def _judge(self) -> None:
        """May anything be written?"""
        if self.room is not None:
            self.failure, self.shortage = self.room.failure, self.room.shortage
        if self.owed.why is not None:
            self.failure = f"its storage server says: {self.owed.why}"
        elif self.room is None:
            self.failure = None

    def _accepted(self) -> None:
        """It takes writes again: it is told all that it does not have."""
        entries, requests = self.owed.take()
        self._judge()
        for entry in entries.values():
            entry.is_dirty = True
        commit = self._commit(entries, len(entries) + len(requests))
        self.owed.commit = commit.number
        for about, request in requests.items():
            self._tell(about, request, [commit])
        self._settle()

    def _tell(self, about: bytes, request: bytes, commits: list[Commit]) -> None:
        """Send a request that is to be carried out in the end, and concerns no key alone."""

        def refused(why: str) -> None:
            self.owed.requests.setdefault(about, request)
            self._not_taken([], commits, why)

        self._ask(request, self.driver.done, lambda _: self._told(about, commits), refused)

    def _told(self, about: bytes, commits: list[Commit]) -> None:
        for commit in commits:
            commit.left -= 1
        self._settle()
        if self.owed.trial == about:
            self._accepted()

    def flush(self, first: int, last: int, stamp: int) -> None:
        """As in `Store`; what is at hand is cut first, and sent once more if it is on its way."""
        for key, entry in self.cache.items():
            slot = self.slot_of(key)
            if first <= slot <= last and stamp > self.floors[slot]:
                before, entry.record = entry.record, _cut(entry.record, stamp)
                if entry.record is not before and key in self.cache.busy:
                    self.cache.changed(key, entry)
        super().flush(first, last, stamp)

    def lend(self, slot: int, key: bytes, record: Record) -> Any:
        """As in `Store`."""
        entry = self.cache.find(key)
        self.cache.young[key] = Entry(record)
        return entry

    def take_back(self, slot: int, key: bytes, own: Any) -> None:
        """As in `Store`."""
        if own is None or key in self.cache.locked:
            del self.cache.young[key]
        else:
            self.cache.young[key] = own


def _cut(record: Record | None, floor: int) -> Record | None:
    """What a flush has left of a record."""
    if record is None or not floor or record[STAMP] > floor:
        return record
    flushed: Record = (floor, None, 0, 0, None)
    left = merge(record, flushed) if newest(record) >= floor else flushed
    return None if left == flushed else left
