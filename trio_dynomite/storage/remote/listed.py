"""A remote store whose server tells which keys it has: replicas can be compared, and keys be listed.

Sums and counts of every slot are here, as in any store; at the beginning of a life they are made of the heads
of all keys. Whoever has to look at a whole slot has it loaded first: its listing, and if it needs them all
its records. After a flush a slot is listed, what is older is forgotten at the server, and the rest is counted
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from attrs import define, field

from trio_dynomite.data.record import VALUE, Record, digest
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.errors import ProtocolError
from trio_dynomite.model import ENGINES, Capabilities
from trio_dynomite.storage.contract import SLOTS, hash_of
from trio_dynomite.storage.remote.cache import Commit, Entry
from trio_dynomite.storage.remote.driver import Bundle, FullError, Head, ListingDriver, Reply, Was
from trio_dynomite.storage.remote.slots import ListedSlot
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.servers.pipe import LOST
from trio_dynomite.storage.store import Store

_FLOOR, _CUTOFF = b"F", b"C"
_TRIAL = b"T"
"""The name of a note that says nothing: it is written to see whether the server takes writes."""


@define(eq=False)
class Look:
    """Somebody who needs whole slots."""

    slots: list[int]
    then: Callable[[], None]
    is_full: bool
    """With all records."""
    left: int = 0
    """Listings that have not come."""
    pinned: set[bytes] = field(factory=set)


@define(repr=False)
class ListedStore(RemoteStore):
    """The records of one node, on a server that lists them."""

    capabilities: ClassVar[Capabilities] = ENGINES["redis"]
    driver: ListingDriver = field(kw_only=True)
    records: list[ListedSlot] = field(init=False)
    passed: int = 0
    """Commands that the server answered itself."""
    module_commands: frozenset[str] = frozenset()
    """Names of the commands that the server has of modules."""
    _waiting: dict[int, list[Look]] = field(factory=dict)
    """Slots whose listing has been asked for."""
    _open: set[int] = field(factory=set)
    """Slots that somebody looks at in this moment."""
    _is_full: bool = False
    """With all records."""
    _unwiped: dict[int, None] = field(factory=dict)
    """Slots of which the server may have yet what was flushed."""
    _notes: dict[bytes, bytes] = field(factory=dict)
    """To be written with the turn."""

    def _make_slots(self) -> list[ListedSlot]:
        return [ListedSlot(self.cache, self.driver.check) for _ in range(SLOTS)]

    # The beginning of a life

    def begin(self, then: Callable[[], None]) -> None:
        """Learn what the server has, and call `then`."""
        self._ask(self.driver.notes(), self.driver.noted, partial(self._begin, then))

    def _begin(self, then: Callable[[], None], notes: dict[bytes, bytes]) -> None:
        for name, value in notes.items():
            stamp = unpack(value) if value else 0
            if name[:1] == _CUTOFF:
                Store.set_cutoff(self, int.from_bytes(name[1:]), stamp)
            elif name[:1] == _FLOOR:
                for slot in range(int.from_bytes(name[1:3]), int.from_bytes(name[3:]) + 1):
                    self.floors[slot] = max(self.floors[slot], stamp)
        self.bars = [max(pair) for pair in zip(self.floors, self.cutoffs, strict=True)]
        left = [SLOTS]
        for slot in range(SLOTS):
            self._ask(self.driver.heads(slot), self.driver.listed, partial(self._count, slot, left, then))

    def _count(self, slot: int, left: list[int], then: Callable[[], None], heads: dict[bytes, Head]) -> None:
        """The heads of a slot have come."""
        self._add(slot, heads)
        floor = self.floors[slot]
        if floor and any(head.reset <= floor for head in heads.values()):
            self._rebuild(slot, floor)
        left[0] -= 1
        if not left[0]:
            self.is_restored = self.knows_any
            self.newest = max(self.newest, *self.bars)
            then()

    def _add(self, slot: int, heads: dict[bytes, Head]) -> None:
        records = self.records[slot]
        records.size = len(heads)
        for key, head in heads.items():
            self.sums[slot] += hash_of(key) * head.digest
            self.dead[slot] += head.kind is None
            self.newest = max(self.newest, head.newest)
            for due_ms in (head.deadline_ms if head.kind else 0, head.due_ms):
                if due_ms:
                    self.deadlines.plan(key, due_ms)
            if head.has_dead:
                self.withered.add(slot)

    @property
    def knows_any(self) -> bool:
        """Is any key known?"""
        return any([records.size for records in self.records])

    # Looking at whole slots

    def is_open(self, slots: Iterable[int], *, is_full: bool) -> bool:
        """May these slots be looked at now?"""
        return (self._is_full or not is_full) and self._open.issuperset(slots)

    def look(self, slots: Iterable[int], then: Callable[[], None], *, is_full: bool) -> None:
        """Call `then`, in a later turn, with these slots open."""
        look = Look(list(slots), then, is_full)
        for slot in look.slots:
            records = self.records[slot]
            records.users += 1
            if not records.size and slot not in self._waiting:
                records.heads = {}
            if records.heads is None:
                look.left += 1
                self._list(slot, look)
        if not look.left:
            self._ready(look)

    def _list(self, slot: int, look: Look) -> None:
        waiting = self._waiting.get(slot)
        if waiting is not None:
            waiting.append(look)
            return
        self._waiting[slot] = [look]
        records = self.records[slot]
        records.changes = {}
        for key, entry in self.cache.busy.items():
            if self.slot_of(key) == slot:  # it may reach the server after the question
                records.note(key, entry.record)
        self._ask(self.driver.heads(slot), self.driver.listed, partial(self._listed, slot))

    def _listed(self, slot: int, heads: dict[bytes, Head]) -> None:
        self.records[slot].listed(heads)
        for look in self._waiting.pop(slot):
            look.left -= 1
            if not look.left:
                self._ready(look)

    def _ready(self, look: Look) -> None:
        """All listings are here; the records too?"""
        if look.is_full:
            keys = [key for slot in look.slots for key in self.records[slot]]
            fresh = [key for key in keys if key not in look.pinned and self.cache.find(key) is not None]
            self.pin(fresh)
            look.pinned.update(fresh)
            missing = self.missing(keys)
            if missing:
                self.fetch(missing, lambda: self._ready(look))
                return
        before, was_full = self._open, self._is_full
        self._open, self._is_full = set(look.slots), look.is_full
        look.then()
        self._open, self._is_full = before, was_full
        self._close(look)

    def _close(self, look: Look) -> None:
        self.unpin(look.pinned)
        for slot in look.slots:
            records = self.records[slot]
            records.users -= 1
            if not records.users:
                records.heads = None

    def heads(self, slot: int) -> dict[bytes, Head]:
        """Of every key of an open slot."""
        return self.records[slot].heads or {}

    def _reconcile(self, key: bytes, entry: Entry, found: Entry) -> None:
        """As in `RemoteStore`, and counted."""
        slot, before = self.slot_of(key), _counted(entry.record)
        super()._reconcile(key, entry, found)
        after = _counted(entry.record)
        self.records[slot].size += after[0] - before[0]
        self.dead[slot] += after[1] - before[1]
        self.sums[slot] += hash_of(key) * (after[2] - before[2])

    # Without a look at what there is

    def may_overwrite(self, key: bytes) -> bool:
        """May a plain string be put there, though what is there is not known? Then it is ready to be."""
        if self.on_new is not None or key in self._wanted:
            return False
        self.cache.young[key] = Entry(None, is_blind=True)
        return True

    def overwritten(self, key: bytes) -> None:
        """What was to be put there was put, or refused."""
        entry = self.cache.young[key]
        if entry.is_dirty:
            self.cache.keep(key, entry)
        else:
            del self.cache.young[key]

    def _send_all(self, changed: list[tuple[bytes, Entry]]) -> None:
        """All leaves in a few requests."""
        bundle, bundled, commits = self.driver.bundle(), [], []
        for sent in changed:
            key, entry = sent
            bundle.add(key, entry)
            entry.is_dirty, entry.is_blind, entry.is_sent = False, False, True
            bundled.append(sent)
            commits += entry.commits
            entry.commits.clear()
            if bundle.is_full:
                self._send_bundle(bundle, bundled, commits)
                bundle, bundled, commits = self.driver.bundle(), [], []
        if bundled:
            self._send_bundle(bundle, bundled, commits)

    def _send_bundle(self, bundle: Bundle, sent: list[tuple[bytes, Entry]], commits: list[Commit]) -> None:
        self.sent += len(sent)
        request, count = bundle.request()
        self.cache.weight += bundle.grown  # what stays is not weighed again

        def replied(replies: Reply) -> None:
            if replies is LOST:
                return
            try:
                outcome = bundle.done(replies)
            except FullError as why:
                self._overwrote(why.was)
                self._not_taken(sent, commits, str(why))
                return
            except ProtocolError as mistake:
                self.connection.close(str(mistake))
                return
            if outcome.leftovers is not None:
                self.connection.send(outcome.leftovers, lambda reply: None)
            if outcome.was:
                self._overwrote(outcome.was)
            if outcome.refused:
                sent[:] = self._refused(set(outcome.refused), sent, set(commits))
            self._arrived(sent, commits)

        self.connection.send_all(request, count, replied)

    def _refused(
        self, keys: set[bytes], sent: list[tuple[bytes, Entry]], commits: set[Commit]
    ) -> list[tuple[bytes, Entry]]:
        """The server has other versions of these: read them. Those that were sent beside them."""
        self.conflicts += len(keys)
        for key, entry in sent:
            if key in keys:
                entry.commits += commits
                for commit in commits:
                    commit.left += 1
                self._read(key)
        return [(key, entry) for key, entry in sent if key not in keys]

    def _overwrote(self, before: Sequence[Was]) -> None:
        """These were there, and had not been looked at."""
        for key, newest, digest_, is_dead in before:
            slot = self.slot_of(key)
            if newest >= self.floors[slot]:  # else it was not counted any more
                self.records[slot].size -= 1
                self.sums[slot] -= hash_of(key) * digest_
                self.dead[slot] -= is_dead

    def may_pass(self, key: bytes) -> bool:
        """Does the server answer a reader of this key, which is not here, as this node would?"""
        slot = self.slot_of(key)
        return key not in self._wanted and slot not in self._waiting and slot not in self._unwiped

    def is_awaited(self, key: bytes) -> bool:
        """Is a key being fetched, or locked?"""
        return key in self._wanted

    def listings(self, keys: Iterable[bytes]) -> list[int]:
        """The slots of some keys that are being listed: after a flush the server may have what is gone."""
        return [slot for slot in set(map(self.slot_of, keys)) if slot in self._waiting]

    def pass_on(self, args: list[bytes], on_reply: Callable[[Reply], None]) -> None:
        """Have the server answer a command that only reads."""
        self.passed += 1
        self.connection.send(self.driver.command(args), on_reply)

    # What is written beside the records

    def set_cutoff(self, slot: int, cutoff: int) -> None:
        """As in `Store`; the server keeps it, too."""
        super().set_cutoff(slot, cutoff)
        self._note(_CUTOFF + slot.to_bytes(2), pack(cutoff))

    def flush(self, first: int, last: int, stamp: int) -> None:
        """As in `Store`; the server keeps it, too."""
        super().flush(first, last, stamp)
        floor = min(self.floors[first : last + 1])  # not lower, should an older flush have come late
        self._note(_FLOOR + first.to_bytes(2) + last.to_bytes(2), pack(floor))

    def _note(self, name: bytes, value: bytes) -> None:
        self._notes[name] = value

    def commit(self) -> None:
        """Send what the turn changed."""
        if self._notes:
            notes, self._notes = self._notes, {}
            requests = {name: self.driver.note(name, value) for name, value in notes.items()}
            if self.owed.keeps:
                self.owed.requests |= requests
            else:
                commit = self._new_commit(len(notes))
                for name, request in requests.items():
                    self._tell(name, request, [commit])
        super().commit()

    def _rebuild(self, slot: int, floor: int) -> None:
        self.sums[slot] = self.dead[slot] = 0
        if self.records[slot].size:
            self.look([slot], lambda: self._weed(slot), is_full=False)

    def _weed(self, slot: int) -> None:
        """Forget at the server what is older than the last flush, and count the rest."""
        floor, heads = self.floors[slot], self.heads(slot)
        kept = [key for key, head in heads.items() if head.newest >= floor]
        if not kept:
            self._wipe(slot)
            heads.clear()
            self._recount(slot)
            return
        for key in heads.keys() - set(kept):
            if self.cache.find(key) is None:
                self.cache.keep(key, Entry(None))
            entry = self.cache.find(key)
            assert entry is not None
            entry.record = None
            self.cache.changed(key, entry)
            del heads[key]
        self.look([slot], lambda: self._rewrite(slot), is_full=True)

    def _wipe(self, slot: int) -> None:
        self._unwiped[slot] = None
        wiped = partial(self._unwiped.pop, slot, None)
        self._ask(self.driver.wipe(slot), self.driver.done, lambda _: wiped(), self._not_wiped)

    def _not_wiped(self, why: str) -> None:
        self.owed.requests[_TRIAL] = self.driver.note(_TRIAL, b"")
        self._not_taken([], [], why)

    def _accepted(self) -> None:
        super()._accepted()
        for slot in list(self._unwiped):
            self.records[slot].size += 1  # so that it is looked at; it is counted then
            self._rebuild(slot, self.floors[slot])

    def _rewrite(self, slot: int) -> None:
        """What is left of records that are partly older is written as it is now; of some nothing is."""
        heads = self.heads(slot)
        for key in list(heads):
            entry = self.cache.find(key)
            assert entry is not None
            self.cache.changed(key, entry)
            if entry.record is None:
                del heads[key]
        self._recount(slot)

    def _recount(self, slot: int) -> None:
        records = self.records[slot]
        records.size = len(self.heads(slot))
        self.sums[slot], self.dead[slot] = self.counted(slot)

    # As in `Store`

    def digests(self, slot: int) -> Iterator[tuple[bytes, int]]:
        """As in `Store`, of an open slot."""
        return ((key, head.digest) for key, head in list(self.heads(slot).items()))

    def living(self, slot: int, now_ms: int) -> Iterator[tuple[bytes, str]]:
        """As in `Store`, of an open slot."""
        for key, head in list(self.heads(slot).items()):
            if head.kind is not None and not 0 < head.deadline_ms <= now_ms:
                yield key, head.kind


def _counted(record: Record | None) -> tuple[int, int, int]:
    """As how many keys a record counts, and as how many dead, and its digest."""
    return (0, 0, 0) if record is None else (1, int(record[VALUE] is None), digest(record))
