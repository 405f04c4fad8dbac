"""What is here of the records on a server: what was asked for lately, and what is to be written.

Entries are kept in two generations, as in `rocksdb/records.py`: what is asked for moves to the young one, and
when that has grown heavy the old one goes, at the end of a turn. So nothing goes while a command runs. What
was fetched for somebody is pinned until that ran, and an entry that is changed stays until the server has it.
"""

from collections.abc import Callable, Iterator
from typing import Any, overload

from attrs import define, field

from trio_dynomite.data.record import Record
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.sizes import weight_of_any

_ENTRY_BYTES = 400
"""What an entry takes beside its record."""


class NotFetchedError(CommandError):
    """A record was looked at that is not here."""

    def __init__(self, key: bytes) -> None:
        shown = key[:64].decode("utf-8", "backslashreplace")
        super().__init__(f"ERR '{shown}' must be among the declared keys: this node's storage is on a server")


@define(eq=False)
class Commit:
    """What one turn changed."""

    number: int
    left: int
    """Changes that are not at the server yet."""


@define(eq=False)
class Entry:
    """One key's record, and how it stands with the server."""

    record: Record | None
    """None: the server has none."""
    token: bytes = b""
    """What the server calls this version; empty where it has none."""
    held: Any = None
    """What the driver remembers of what the server has."""
    is_dirty: bool = False
    """Changed since it was last sent."""
    is_blind: bool = False
    """What the server has is not known: it is overwritten."""
    is_sent: bool = False
    """On its way to the server."""
    commits: list[Commit] = field(factory=list)
    """Those whose change has not been sent yet."""


@define(eq=False)
class Cache:
    """The entries of one store."""

    bytes_max: int
    young: dict[bytes, Entry] = field(factory=dict)
    old: dict[bytes, Entry] = field(factory=dict)
    busy: dict[bytes, Entry] = field(factory=dict)
    """Changed, and not at the server yet."""
    weight: int = 0
    """Of the young ones, about."""
    dirty: dict[bytes, Entry] = field(factory=dict)
    """Changed in this turn."""
    locked: dict[bytes, Entry] = field(factory=dict)
    """Kept from everybody, and never among the young."""
    _pinned: dict[bytes, Entry] = field(factory=dict)
    _pins: dict[bytes, int] = field(factory=dict)
    """Key → how many need it."""

    def find(self, key: bytes) -> Entry | None:
        """The entry of `key`, which is young from now on; None when it must be fetched."""
        entry = self.young.get(key)
        if entry is None:
            if key in self.locked:
                return self.locked[key]
            entry = self.old.get(key) or self.busy.get(key) or self._pinned.get(key)
            if entry is not None:
                self.keep(key, entry)
        return entry

    def lock(self, key: bytes) -> None:
        """Nobody finds the entry of `key`, which is here, without asking for it."""
        entry = self.find(key)
        assert entry is not None
        self.young.pop(key, None)
        self.old.pop(key, None)
        self.locked[key] = entry

    def unlock(self, key: bytes) -> None:
        """Everybody may find it again."""
        self.keep(key, self.locked.pop(key))

    def pin(self, key: bytes) -> None:
        """The entry of `key` stays until it is unpinned as often as it was pinned."""
        entry = self.find(key)
        if entry is not None:
            self._pinned[key] = entry
            self._pins[key] = self._pins.get(key, 0) + 1

    def unpin(self, key: bytes) -> None:
        """One reason less to stay."""
        count = self._pins.get(key, 0) - 1
        if count > 0:
            self._pins[key] = count
        else:
            self._pins.pop(key, None)
            self._pinned.pop(key, None)

    def is_pinned(self, key: bytes) -> bool:
        """Does somebody need it to stay?"""
        return key in self._pins

    def drop(self, key: bytes) -> None:
        """Know nothing of `key`, if it is as the server has it."""
        if key not in self.busy:
            self.young.pop(key, None)
            self.old.pop(key, None)

    def keep(self, key: bytes, entry: Entry) -> None:
        """Have an entry."""
        self.young[key] = entry
        record = entry.record
        self.weight += _ENTRY_BYTES + len(key) + (0 if record is None else weight_of_any(key, record))

    def changed(self, key: bytes, entry: Entry) -> None:
        """The entry has another record than the server."""
        if not entry.is_dirty:
            entry.is_dirty = True
            self.dirty[key] = self.busy[key] = entry

    def items(self) -> list[tuple[bytes, Entry]]:
        """All of them."""
        return list({**self.locked, **self._pinned, **self.busy, **self.old, **self.young}.items())

    def end_turn(self) -> None:
        """Let the old ones go, if the young ones have become heavy."""
        if self.weight > self.bytes_max // 2:
            self.young, self.old = {}, self.young
            self.weight = 0


class CachedSlot:
    """`store.Records` of one slot: those that are here."""

    __slots__ = ("_cache", "_check")

    def __init__(self, cache: Cache, check: Callable[[bytes, Record], None]) -> None:
        self._cache = cache
        self._check = check

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def __contains__(self, key: object) -> bool:
        assert isinstance(key, bytes)
        return self._entry(key).record is not None

    def __getitem__(self, key: bytes) -> Record:
        record = self._entry(key).record
        if record is None:
            raise KeyError(key)
        return record

    @overload
    def get(self, key: bytes) -> Record | None:
        """The record of `key`."""

    @overload
    def get(self, key: bytes, default: Record) -> Record:
        """The record of `key`, or `default`."""

    def get(self, key: bytes, default: Record | None = None) -> Record | None:
        """The record of `key`. Raises NotFetchedError when it is not known here."""
        entry = self._cache.young.get(key) or self._entry(key)
        record = entry.record
        return default if record is None else record

    def __setitem__(self, key: bytes, record: Record) -> None:
        entry = self._entry(key)
        self._check(key, record)
        entry.record = record
        self._cache.changed(key, entry)

    def __delitem__(self, key: bytes) -> None:
        entry = self._entry(key)
        entry.record = None
        self._cache.changed(key, entry)

    def _entry(self, key: bytes) -> Entry:
        entry = self._cache.find(key)
        if entry is None:
            raise NotFetchedError(key)
        return entry

    def items(self) -> list[tuple[bytes, Record]]:
        """None of them: what is here is not all."""
        return []

    def values(self) -> list[Record]:
        """None of them."""
        return []

    def clear(self) -> None:
        """Nothing that is here alone goes."""
