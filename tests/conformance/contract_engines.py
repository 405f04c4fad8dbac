"""The engines that the contract of storage is proved for: how each is opened, looked at, and opened again.

One more engine is one more class, in `ENGINES` under its name in the settings; where that is proved over
several servers, the name goes on after a space. Those on a server are in `contract_remotes.py`.
"""

import shutil
from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from attrs import define, field

from tests.conformance.contract_remotes import MemcachedEngine, RedisEngine
from tests.engines import folder
from tests.servers import KINDS
from trio_dynomite import model
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.storage.store import Store

SlotOf = Callable[[bytes], int]


class Engine(Protocol):
    """One store after the other, over the same data where it outlives its process."""

    outlives: bool
    """Is everything there in the next life?"""

    def open(self, slot_of: SlotOf) -> Store:
        """The first life: it is empty."""

    def restart(self, store: Store, *, is_crash: bool) -> Store:
        """The next life, after an orderly end or after a crash, in which the open turn is lost."""

    def end(self) -> None:
        """Leave nothing behind."""

    def at_hand(self, store: Store, keys: Iterable[bytes]) -> bool:
        """Have the records of some keys where the store looks for them. Did the open turn end by that?"""

    def looking(self, store: Store, slots: Iterable[int], act: Callable[[], None]) -> None:
        """Do something that looks at whole slots; what it changed is kept."""

    def settle(self, store: Store) -> None:
        """The turn ends, and what it wrote is safe."""

    def lapse(self, store: Store) -> None:
        """What is safe is not at hand any more."""

    def overwrites(self, store: Store, key: bytes) -> bool:
        """May a plain string be put over a key that is not at hand? Then it is ready to be."""


class Here:
    """An engine whose records are where its store is."""

    outlives: bool = False

    def at_hand(self, store: Store, keys: Iterable[bytes]) -> bool:
        """As in `Engine`: they are."""
        return False

    def looking(self, store: Store, slots: Iterable[int], act: Callable[[], None]) -> None:
        """As in `Engine`."""
        act()

    def settle(self, store: Store) -> None:
        """As in `Engine`."""
        store.commit()

    def lapse(self, store: Store) -> None:
        """As in `Engine`: nothing is ever further away."""

    def overwrites(self, store: Store, key: bytes) -> bool:
        """As in `Engine`: it is at hand."""
        return True


class MemoryEngine(Here):
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
class RocksEngine(Here):
    """A database in a directory; after a crash the next life has what was in the files at that moment."""

    partitioner: ClassVar[str] = "of the contract"
    outlives: bool = True
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


ON_REDIS = [f"redis {kind}" for kind in KINDS]
ON_SERVERS = [*ON_REDIS, "memcached"]
ENGINES: dict[str, Callable[[], Engine]] = {"memory": MemoryEngine, "rocksdb": RocksEngine}
ENGINES |= {name: lambda kind=kind: RedisEngine(kind) for name, kind in zip(ON_REDIS, KINDS, strict=True)}
ENGINES["memcached"] = MemcachedEngine


def capabilities(name: str) -> model.Capabilities:
    """What an engine can do, by its name here."""
    return model.ENGINES[name.split()[0]]


LISTING = [name for name in ENGINES if capabilities(name).can_list]
"""Those of which whole slots can be looked at."""
