"""The storage engines, as tests make them: a store in memory, or one in a RocksDB of its own."""

import os
from collections import deque
from collections.abc import Callable
from tempfile import TemporaryDirectory

from hypothesis import settings

from trio_dynomite.data.record import COUNTS, has_body
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.rocksdb.shelf import BODIES, SHELF_BYTES
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.storage.store import Store

MakeStore = Callable[[Callable[[bytes], int]], Store]

_TMPFS = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_OPEN_MAX = 8
_open: deque[tuple[RocksStore, TemporaryDirectory[str]]] = deque()


def folder() -> TemporaryDirectory[str]:
    """A directory for a database, in memory where there is such a file system."""
    return TemporaryDirectory(prefix="trio-dynomite-", dir=_TMPFS)


def rocks_store(slot_of: Callable[[bytes], int]) -> RocksStore:
    """A new store on disk. The newest few are open, older ones are closed and gone."""
    while len(_open) >= _OPEN_MAX:
        store, gone = _open.popleft()
        store.close()
        gone.cleanup()
    place = folder()
    store = open_store(place.name, slot_of, "of a test")
    _open.append((store, place))
    return store


MAKERS: dict[str, MakeStore] = {"memory": MemoryStore, "rocksdb": rocks_store}


def examples(make_store: MakeStore, most: int) -> settings:
    """So many examples in memory; fewer where every store is a database."""
    return settings(max_examples=most if make_store is MemoryStore else max(10, most // 16), deadline=None)


def litter(store: Store) -> list[bytes]:
    """The keys on disk that belong to no body of a record."""
    if not isinstance(store, RocksStore):
        return []
    store.commit()
    records = [record for slot in store.records if len(slot) for record in slot.values()]
    shelves = {record[COUNTS].shelf.prefix for record in records if has_body(record)}
    return [key for key, _ in store.disk.area(BODIES).walk() if key[:SHELF_BYTES] not in shelves]
