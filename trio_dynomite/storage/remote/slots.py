"""The slots of a server that tells which keys it has: how many there are, and, while somebody looks, which.

A listing is asked for and comes later; what was changed here since it was asked for is known better here, and
goes into it. It is kept in step with every change until nobody looks any more.
"""

from collections.abc import Callable, Iterator

from trio_dynomite.data.record import Record
from trio_dynomite.storage.remote.cache import Cache, CachedSlot
from trio_dynomite.storage.remote.driver import Head, head_of


class ListedSlot(CachedSlot):
    """`contract.Records` of one slot."""

    __slots__ = ("changes", "heads", "size", "users")

    def __init__(self, cache: Cache, check: Callable[[bytes, Record], None]) -> None:
        super().__init__(cache, check)
        self.size = 0
        self.users = 0
        """Those who look at the listing, or wait for it."""
        self.heads: dict[bytes, Head] | None = None
        """The listing, while there is one."""
        self.changes: dict[bytes, Head | None] | None = None
        """What has changed since a listing was asked for; None: a key has gone."""

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return iter(list(self.heads or ()))

    def __setitem__(self, key: bytes, record: Record) -> None:
        # As `CachedSlot`, without calls: such a server keeps every record.
        cache = self._cache
        entry = cache.young.get(key) or self._entry(key)
        if entry.record is None:
            self.size += 1
        entry.record = record
        if not entry.is_dirty:
            entry.is_dirty = True
            cache.dirty[key] = cache.busy[key] = entry
        if self.users:
            self.note(key, record)

    def __delitem__(self, key: bytes) -> None:
        self.size -= self._entry(key).record is not None
        super().__delitem__(key)
        if self.users:
            self.note(key, None)

    def note(self, key: bytes, record: Record | None) -> None:
        """A key has changed while somebody looks."""
        if self.changes is not None:
            self.changes[key] = None if record is None else head_of(record)
        if self.heads is None:
            return
        if record is None:
            self.heads.pop(key, None)
        else:
            self.heads[key] = head_of(record)

    def listed(self, heads: dict[bytes, Head]) -> None:
        """The listing has come."""
        changes, self.changes = self.changes or {}, None
        heads.update({key: head for key, head in changes.items() if head is not None})
        for key in [key for key, head in changes.items() if head is None]:
            heads.pop(key, None)
        self.heads = heads

    def items(self) -> list[tuple[bytes, Record]]:
        """Every key and its record. Raises NotFetchedError where one is not here."""
        found = [(key, self.get(key)) for key in self]
        return [(key, record) for key, record in found if record is not None]

    def values(self) -> list[Record]:
        """Every record, likewise."""
        return [record for _, record in self.items()]
