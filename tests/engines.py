"""The storage engines, as tests make them: a store in memory, or one in a RocksDB of its own."""

import os
from collections import deque
from collections.abc import Callable
from tempfile import TemporaryDirectory

from hypothesis import settings

from trio_dynomite.storage.memory import MemoryStore
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
    return settings(max_examples=most if make_store is MemoryStore else max(10, most // 8), deadline=None)
