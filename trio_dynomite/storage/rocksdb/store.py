"""The RocksDB store: records on disk, and in memory what is kept beside them.

Beside the records, the bodies, the journal and the calendar there are

    "F", first slot, last slot (2 bytes each) → the stamp of the newest flush of just those slots
    "C", slot → its cutoff
    "M" → what the data was written with

A start reads the journal, the floors and the cutoffs, whatever the number of records. The data survives the
process, however that ends; what survives the machine is said in `syncing.py`.
"""

from collections.abc import Callable
from typing import ClassVar

from attrs import define, field

from trio_dynomite.data.record import Record
from trio_dynomite.data.stamp import pack, unpack
from trio_dynomite.errors import ConfigError, ConfigProblem, NoRoomError
from trio_dynomite.model import ENGINES, Capabilities
from trio_dynomite.storage.contract import SLOTS, hash_of
from trio_dynomite.storage.gate import Gate
from trio_dynomite.storage.rocksdb.calendar import DiskDeadlines
from trio_dynomite.storage.rocksdb.disk import Area, Disk
from trio_dynomite.storage.rocksdb.figures import Syncs, figures
from trio_dynomite.storage.rocksdb.journal import Journal
from trio_dynomite.storage.rocksdb.opening import ALWAYS, Tuning, open_database
from trio_dynomite.storage.rocksdb.records import HEADS, Book, Slot, is_plain
from trio_dynomite.storage.rocksdb.shelf import bodies_of
from trio_dynomite.storage.rocksdb.upgrade import upgrade_first, upgrade_second
from trio_dynomite.storage.store import Store

_FLOORS, _CUTOFFS, _ORIGIN = b"F", b"C", b"M"
_FORMAT = 3
_LOOK_EVERY_S = 0.5
_REOPENING_TAKES = 80 << 20
"""A database that is opened writes what was only in its log into tables, about 64 MB."""
_FULL = "No space left"


@define(repr=False)
class RocksStore(Store):
    """The records of one node in a RocksDB. Not safe across threads; needs none."""

    capabilities: ClassVar[Capabilities] = ENGINES["rocksdb"]
    disk: Disk = field(kw_only=True)
    room: Callable[[], int] = field(kw_only=True)
    """The bytes that are free on its disk."""
    reserve: int = field(kw_only=True)
    """So much should stay free: a database needs room to tidy up, and must be reopened when it had none."""
    syncs: Syncs = field(factory=Syncs)
    on_commit: Callable[[], None] = lambda: None
    """Told when the gate has something to wait for."""
    _look_s: float = 0.0
    records: list[Slot] = field(init=False)
    _book: Book = field(init=False)
    _calendar: DiskDeadlines = field(init=False)
    _journal: Journal = field(init=False)
    _floor_area: Area = field(init=False)
    _cutoff_area: Area = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.disk.tuning.durability == ALWAYS:
            self.gate = Gate(self.disk.commits, self.disk.commits)
        self.deadlines = self._calendar = DiskDeadlines(self.disk)
        self._journal = Journal(self.disk, self.sums, self.dead, self.withered)
        self._book = Book(self.disk, self._calendar, self._journal)
        self._journal.counted = self.records = [Slot(self._book, slot) for slot in range(SLOTS)]
        self._floor_area = self.disk.area(_FLOORS)
        for key, stamp in self._floor_area.walk():
            self._raise_floors(int.from_bytes(key[1:3]), int.from_bytes(key[3:5]), unpack(stamp))
        self._cutoff_area = self.disk.area(_CUTOFFS)
        for key, stamp in self._cutoff_area.walk():
            super().set_cutoff(int.from_bytes(key[1:]), unpack(stamp))
        self._journal.load()
        self._calendar.count = sum([records.volatile for records in self.records])
        self.is_restored = any(records.size for records in self.records)
        self.newest = max(*self.bars, *self._journal.newests)

    def _raise_floors(self, first: int, last: int, stamp: int) -> None:
        for slot in range(first, last + 1):
            self.floors[slot] = self.bars[slot] = max(self.floors[slot], stamp)

    def put(self, slot: int, key: bytes, stamp: int, value: bytes | None, deadline_ms: int) -> None:
        """As in `Store`; a value over another, which is what most writes are, by a shorter way."""
        book, name = self._book, HEADS[slot] + key
        old = None if value is None or deadline_ms else book.young.get(name)
        if value is None or old is None or not is_plain(old):
            super().put(slot, key, stamp, value, deadline_ms)
            return
        was, former, _, _, _ = old
        book.plain[name] = book.young[name] = (stamp, value, 0, 0, None)
        book.bytes += len(value) - len(former)
        self.sums[slot] += hash_of(key) * (stamp - was)
        journal = book.journal
        journal.touched.add(slot)
        if stamp > journal.newests[slot]:
            journal.newests[slot] = stamp
        if self.written is not None:
            self.written.append(key)

    def set_cutoff(self, slot: int, cutoff: int) -> None:
        """As in `Store`; it is written with the turn."""
        super().set_cutoff(slot, cutoff)
        self._journal.touch((slot,))
        self._cutoff_area.put(_CUTOFFS + slot.to_bytes(2), pack(cutoff))

    def flush(self, first: int, last: int, stamp: int) -> None:
        """Kill everything older than `stamp` in the slots `first` to `last`, without a tombstone each."""
        self._book.commit()
        slots = self.records[first : last + 1]
        may_wipe = self.disk.error is None and all(records.newest < stamp for records in slots)
        if may_wipe and any(records.size for records in slots):
            self._wipe(first, last)
        super().flush(first, last, stamp)
        key = _FLOORS + first.to_bytes(2) + last.to_bytes(2)
        self._floor_area.put(key, max(self._floor_area.get(key) or b"", pack(stamp)))
        self._book.commit()

    def _wipe(self, first: int, last: int) -> None:
        """Delete all keys of some slots; it is done with the next commit."""
        self._book.forget()
        self.disk.wipe(HEADS[first], HEADS[last + 1])
        self.disk.wipe(bodies_of(first), bodies_of(last + 1))
        self._journal.touch(range(first, last + 1))
        slots = self.records[first : last + 1]
        self._calendar.wiped(sum([records.volatile for records in slots]), self.disk)
        for records in slots:
            records.size = records.volatile = 0
        self._journal.newests[first : last + 1] = [0] * len(slots)

    def _rebuild(self, slot: int, floor: int) -> None:
        if self.records[slot].size:
            super()._rebuild(slot, floor)
        else:
            self.sums[slot] = self.dead[slot] = 0
            self.withered.discard(slot)

    def amend(self, slot: int, counted: tuple[int, int]) -> None:
        """As in `Store`; it is written with the turn."""
        super().amend(slot, counted)
        self._journal.touch((slot,))

    def lend(self, slot: int, key: bytes, record: Record) -> Record | None:
        """As in `Store`; nothing is written."""
        own: Record | None = self.records[slot].get(key)
        self._book.keep(HEADS[slot] + key, record)
        return own

    def take_back(self, slot: int, key: bytes, own: Record | None) -> None:
        """As in `Store`."""
        self._book.keep(HEADS[slot] + key, own)

    def commit(self) -> None:
        """Write what the turn changed, in one batch; nothing is synced."""
        self._book.commit()
        if self.disk.error is not None:
            self.failure, self.is_behind = self.disk.error, True
        elif self.gate is not None and self.gate.made != self.disk.commits:
            self.gate.made = self.disk.commits
            self.on_commit()

    def unsynced(self) -> int | None:
        """The number of the newest commit, if it is not synced and can be."""
        commits = self.disk.commits
        return None if commits == self.syncs.number or self.disk.error is not None else commits

    def synced(self, number: int, took_s: float, failure: str | None) -> None:
        """A sync has ended, of all up to a commit, in a turn; its `failure` is the disk's."""
        if failure is not None:
            self.syncs.failed += 1
            self.failure = self.disk.error = f"a sync failed: {failure}"
            self.is_behind = True
            return
        self.syncs.note(number, took_s)
        if self.gate is not None:
            self.gate.settle(number)
            if self.gate.is_shut:
                self.on_commit()

    def recover(self, now_s: float) -> None:
        """Look for room now and then; where there is some again, write what could not be written."""
        if now_s < self._look_s:
            return
        self._look_s = now_s + _LOOK_EVERY_S
        free = self.room()
        if (
            self.disk.error is not None
            and not self.disk.users
            and free >= max(self.reserve, _REOPENING_TAKES)
        ):
            self.disk.recover()
            self._book.commit()
            self._recovered()
        self.failure, self.is_behind = self.disk.error, self.disk.error is not None
        if self.failure is None and free < self.reserve:
            self.failure = f"{free} bytes are free there, fewer than storage.reserve ({self.reserve})"

    def _recovered(self) -> None:
        """What was in the log is in tables now; what was pending is in the log, and is synced soon."""
        if self.gate is not None and self.disk.error is None:
            self.gate.made = self.disk.commits
            self.syncs.number = -1
            self.on_commit()

    def figures(self) -> dict[str, object]:
        """As in `Store`."""
        return {**self.syncs.figures(self.disk.commits), **figures(self.disk)}

    def close(self) -> None:
        """Write everything and let go of the database."""
        self._journal.close()
        self._book.commit()
        self.disk.close()


def open_store(
    path: str,
    slot_of: Callable[[bytes], int],
    partitioner: str,
    room: Callable[[], int] = lambda: 1 << 40,
    reserve: int = 0,
    tuning: Tuning | None = None,
) -> RocksStore:
    """The store in the directory `path`, which is made if it is absent; `room` tells what is free there.

    Raises ConfigError when the data was written by another version or for another `partitioner`, and when the
    directory cannot be used; NoRoomError when its disk is full."""
    tuning = Tuning() if tuning is None else tuning
    try:
        opened = open_database(path, tuning)
    except Exception as why:
        if _FULL in str(why):
            raise NoRoomError(f"{path} cannot be opened: {why}") from why
        raise ConfigError(path, (ConfigProblem("storage.path", f"cannot be opened: {why}"),)) from why
    disk = Disk(opened, tuning)
    _claim(disk, path, partitioner)
    return RocksStore(slot_of, disk=disk, room=room, reserve=reserve)


def _claim(disk: Disk, path: str, partitioner: str) -> None:
    """Make sure that the data is of this format and `partitioner`; that of older formats is upgraded."""
    mine, second, first = (f"{number} {partitioner}".encode() for number in (_FORMAT, 2, 1))
    origin = disk.area(_ORIGIN)
    theirs = origin.get(_ORIGIN)
    if theirs not in (None, first, second, mine):
        disk.close()
        told = f"holds data of format and partitioner {theirs!r}, not {mine!r}"
        raise ConfigError(path, (ConfigProblem("storage.path", told),))
    if theirs == first:
        upgrade_first(disk)
    if theirs == second:
        upgrade_second(disk)
    if theirs != mine:
        origin.put(_ORIGIN, mine)
        disk.commit()
