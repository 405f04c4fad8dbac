"""The engines that the contract of storage is proved for: how each is opened, and opened again.

One more engine is one more class here, in `ENGINES`.
"""

import shutil
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from attrs import define, field

from tests.engines import folder
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.storage.store import Store

SlotOf = Callable[[bytes], int]


class Engine(Protocol):
    """One store after the other, over the same data where it outlives its process."""

    def open(self, slot_of: SlotOf) -> Store:
        """The first life: it is empty."""

    def restart(self, store: Store, *, is_crash: bool) -> Store:
        """The next life, after an orderly end or after a crash, in which the open turn is lost."""

    def end(self) -> None:
        """Leave nothing behind."""


class MemoryEngine:
    """Nothing outlives the process."""

    def open(self, slot_of: SlotOf) -> Store:
        """As in `Engine`."""
        return MemoryStore(slot_of)

    def restart(self, store: Store, *, is_crash: bool) -> Store:
        """As in `Engine`: it is empty again."""
        return MemoryStore(store.slot_of)

    def end(self) -> None:
        """As in `Engine`."""


@define
class RocksEngine:
    """A database in a directory; after a crash the next life has what was in the files at that moment."""

    partitioner: ClassVar[str] = "of the contract"
    places: list[TemporaryDirectory[str]] = field(factory=list)
    stores: list[Store] = field(factory=list)

    def open(self, slot_of: SlotOf) -> Store:
        """As in `Engine`."""
        self.places.append(folder())
        return self._opened(slot_of)

    def _opened(self, slot_of: SlotOf) -> RocksStore:
        store = open_store(self.places[-1].name, slot_of, self.partitioner)
        self.stores.append(store)
        return store

    def restart(self, store: Store, *, is_crash: bool) -> Store:
        """As in `Engine`."""
        if is_crash:
            self.places.append(folder())
            shutil.copytree(self.places[-2].name, self.places[-1].name, dirs_exist_ok=True)
        else:
            store.close()
            self.stores.remove(store)
        return self._opened(store.slot_of)

    def end(self) -> None:
        """As in `Engine`."""
        for store in self.stores:
            store.close()
        for place in self.places:
            place.cleanup()


ENGINES: dict[str, Callable[[], Engine]] = {"memory": MemoryEngine, "rocksdb": RocksEngine}
