"""How many bytes a store's keys take, and which of them may be evicted: kept while `maxmemory` wants it.

Every write of the store tells the key's record by `weigh`; the sum goes by the difference to what the key
took before. Only what has a value counts: a tombstone takes memory, too, but nobody can evict it.
"""

from attrs import define, field

from trio_dynomite.data.record import DEADLINE, VALUE, Record
from trio_dynomite.storage.accesses import Accesses
from trio_dynomite.storage.sizes import weight


@define(repr=False)
class Usage:
    """The sizes of one store's keys."""

    only_volatile: bool = False
    """Only keys with a deadline are candidates."""
    has_candidates: bool = True
    """Is anything to be evicted at all?"""
    accesses: Accesses | None = None
    """The uses of keys, while a policy goes by them."""
    used: int = 0
    """Bytes of all keys that have a value."""
    sizes: dict[bytes, int] = field(factory=dict)
    """Key → bytes that are counted for it."""
    candidates: list[bytes] = field(factory=list)
    """The keys that may be evicted, in no order: one by chance is found at once."""
    _places: dict[bytes, int] = field(factory=dict)
    """Candidate → its index."""

    def weigh(self, key: bytes, record: Record) -> None:
        """`key` now has `record`."""
        if record[VALUE] is None:
            self.forget(key)
            return
        size, before = weight(key, record), self.sizes.get(key)
        self.sizes[key] = size
        if before is None:
            self.used += size
        else:
            self.used += size - before
            if self.accesses is not None and self.accesses.by_frequency:
                self.accesses.use(key, record)
        if self.has_candidates and (record[DEADLINE] or not self.only_volatile):
            self._add(key)
        elif self.only_volatile:
            self._remove(key)

    def forget(self, key: bytes) -> None:
        """`key` has no value any more."""
        before = self.sizes.pop(key, None)
        if before is None:
            return
        self.used -= before
        self._remove(key)
        if self.accesses is not None:
            self.accesses.seen.pop(key, None)

    def _add(self, key: bytes) -> None:
        if key not in self._places:
            self._places[key] = len(self.candidates)
            self.candidates.append(key)

    def _remove(self, key: bytes) -> None:
        place = self._places.pop(key, None)
        if place is None:
            return
        last = self.candidates.pop()
        if last != key:
            self.candidates[place] = last
            self._places[last] = place
