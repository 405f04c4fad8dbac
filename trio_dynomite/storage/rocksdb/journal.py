"""The journal: the summaries of the slots on disk, so that a start reads none of the records.

    "S" → the generation, and all slots that have anything
    "J", index (2 bytes) → the generation, and the slots that one turn has changed since

An entry of the journal is written with every turn that changed a slot, in the same batch as the records. So
whenever a process ends, both together tell of just those records that are there. When the journal has grown,
or a turn has changed too much, the whole is written anew, under the next generation, and the journal begins
anew over the entries of the last, which nobody believes any more.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from rocksdict import WriteBatch

from trio_dynomite.data.record import DIGEST_MASK
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.summaries import SUMMARIES, generation_of, packed, unpacked

JOURNAL = b"J"
_ENTRIES_MAX, _BYTES_MAX = SLOTS, 1 << 20
"""What the journal may grow to: about twice the whole."""
_WHOLE_FROM = 4096
"""Slots in a turn from which on the whole is written."""


class Counted(Protocol):
    """What is known of one slot beside sums and stamps."""

    size: int
    volatile: int


class Journal:
    """The summaries of one store; they are its own lists."""

    def __init__(self, disk: Disk, sums: list[int], dead: list[int], withered: set[int]) -> None:
        self._disk, self._sums, self._dead, self._withered = disk, sums, dead, withered
        self.counted: Sequence[Counted] = ()
        """By slot."""
        self.newests = [0] * SLOTS
        """By slot: no record has a newer stamp."""
        self.touched: set[int] = set()
        """Slots that were changed since the last commit."""
        self.recounted: set[int] = set()
        """Those of them where counts were."""
        self._generation = self._entries = self._bytes = 0
        self._pending: tuple[int, int, int] | None = None
        """What generation, entries and bytes are when the commit has been done."""

    def load(self) -> None:
        """Fill the store's lists with what is on disk."""
        whole = self._disk.area(SUMMARIES).get(SUMMARIES)
        if whole is not None:
            self._generation = self._take_up(whole)
        for _, entry in self._disk.area(JOURNAL).walk(first=1):
            if generation_of(entry) != self._generation:
                break
            self._take_up(entry)
            self._entries += 1
            self._bytes += len(entry)

    def _take_up(self, data: bytes) -> int:
        told = unpacked(data)
        for slot, total, newest in zip(told.slots, told.sums, told.newests, strict=True):
            self._sums[slot], self.newests[slot] = total, max(newest, self.newests[slot])
        counts = (told.recounted, told.sizes, told.dead, told.volatile, told.withered)
        for slot, size, dead, volatile, is_withered in zip(*counts, strict=True):
            self.counted[slot].size, self.counted[slot].volatile = size, volatile
            self._dead[slot] = dead
            (self._withered.add if is_withered else self._withered.discard)(slot)
        return told.generation

    def touch(self, slots: Iterable[int]) -> None:
        """Anything may have changed in these slots."""
        self.touched.update(slots)
        self.recounted.update(slots)

    def put_into(self, batch: WriteBatch) -> None:
        """Add what has changed to a batch."""
        if not self.touched:
            return
        generation, entries = self._generation, self._entries
        if entries == _ENTRIES_MAX or self._bytes > _BYTES_MAX or len(self.touched) > _WHOLE_FROM:
            self._put_whole(batch)
            return
        slots = list(self.touched)
        newest = max(map(self.newests.__getitem__, slots))
        entry = self._pack(generation, slots, [newest], list(self.recounted))
        batch.put(JOURNAL + entries.to_bytes(2), entry)
        self._pending = (generation, entries + 1, self._bytes + len(entry))

    def _put_whole(self, batch: WriteBatch) -> None:
        used = [slot for slot, kept in enumerate(self.counted) if kept.size or self.newests[slot]]
        generation, newests = self._generation + 1, [self.newests[slot] for slot in used]
        batch.put(SUMMARIES, self._pack(generation, used, newests, used))
        self._pending = (generation, 0, 0)

    def _pack(self, generation: int, slots: list[int], newests: list[int], recounted: list[int]) -> bytes:
        sums = self._sums
        totals = [sums[slot] & DIGEST_MASK for slot in slots]
        if not recounted:
            return packed(generation, slots, totals, newests)
        dead, withered, counted = self._dead, self._withered, self.counted
        counts = (
            [counted[slot].size for slot in recounted],
            [dead[slot] for slot in recounted],
            [counted[slot].volatile for slot in recounted],
            [slot in withered for slot in recounted],
        )
        return packed(generation, slots, totals, newests, recounted, counts)

    def committed(self) -> None:
        """What was put into the batch is on disk."""
        if self._pending is not None:
            self._generation, self._entries, self._bytes = self._pending
            self._pending = None
            self.touched.clear()
            self.recounted.clear()

    def close(self) -> None:
        """The last commit: have the whole written, so that the next start has no journal to read."""
        if self._entries:
            self._entries = _ENTRIES_MAX
            self.touched.add(0)
