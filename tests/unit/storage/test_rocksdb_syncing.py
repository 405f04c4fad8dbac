"""When a RocksDB is synced, what waits for it, and what becomes of a sync that fails."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.engines import folder
from tests.unit.storage.test_rocksdb_store import keyspace
from trio_dynomite.storage.rocksdb import syncing
from trio_dynomite.storage.rocksdb.opening import Tuning
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.storage.rocksdb.syncing import Syncing
from trio_dynomite.topology.partitioner import redis_slot


@pytest.fixture
def path() -> Iterator[str]:
    with folder() as name:
        yield name


class Slow:
    """A database whose syncs take until they are let go, or fail."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.syncs = 0
        self.failure: str | None = None
        self.waits = True
        self.go = trio.Event()

    def flush_wal(self, sync: bool) -> None:
        self.syncs += 1
        if self.waits:
            trio.from_thread.run(self.go.wait)
        if self.failure is not None:
            raise OSError(5, self.failure)
        self._database.flush_wal(sync)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@asynccontextmanager
async def running(path: str, durability: str) -> AsyncIterator[tuple[RocksStore, Slow]]:
    store = open_store(path, redis_slot, "slots", tuning=Tuning(durability=durability))
    store.disk.database = slow = Slow(store.disk.database)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Syncing(store, lambda act: act()).run)
        await trio.testing.wait_all_tasks_blocked()
        yield store, slow
        slow.waits, slow.failure = False, None
        slow.go.set()
        nursery.cancel_scope.cancel()
    store.close()


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(5):
        while not is_so():
            await trio.sleep(0.001)


def write(store: RocksStore, key: bytes) -> int:
    """A turn that writes; its number at the gate."""
    keyspace(store).put(key, b"v")
    store.commit()
    assert store.gate is not None
    return store.gate.made


async def test_always_is_safe_when_a_sync_that_began_later_has_ended(path: str) -> None:
    async with running(path, "always") as (store, slow):
        assert store.gate is not None
        slow.go.set()
        await until(lambda: store.unsynced() is None)
        slow.go = trio.Event()
        before, first = slow.syncs, write(store, b"a")
        await until(lambda: slow.syncs == before + 1)
        others = [write(store, b"%d" % number) for number in range(20)]
        assert store.gate.safe < first
        slow.go.set()
        await until(lambda: store.gate is not None and not store.gate.is_shut)
        assert slow.syncs == before + 2, "one for the first, one for all that came meanwhile"
        assert store.gate.safe == others[-1]
        assert store.figures()["rocksdb_commits_unsynced"] == 0


async def test_a_turn_that_writes_nothing_waits_for_nothing(path: str) -> None:
    async with running(path, "always") as (store, slow):
        assert store.gate is not None
        slow.go.set()
        write(store, b"a")
        await until(lambda: store.gate is not None and not store.gate.is_shut)
        store.commit()
        assert not store.gate.is_shut


async def test_a_sync_that_fails_is_a_disk_that_fails(path: str) -> None:
    async with running(path, "always") as (store, slow):
        assert store.gate is not None
        slow.go.set()
        await until(lambda: store.unsynced() is None)
        slow.failure = "Input/output error"
        number = write(store, b"a")
        await until(lambda: store.failure is not None)
        assert "Input/output error" in str(store.failure)
        assert store.is_behind
        assert store.gate.safe < number
        later = keyspace(store)
        later.put(b"b", b"v")
        store.commit()
        assert store.gate.safe < number
        store.recover(1.0)
        assert (store.failure, store.is_behind) == (None, False)
        await until(lambda: store.gate is not None and not store.gate.is_shut)
        assert store.gate.safe > number
        assert {key for slot in store.records if len(slot) for key in slot} == {b"a", b"b"}


async def test_a_database_is_not_opened_anew_while_a_thread_works_with_it(path: str) -> None:
    async with running(path, "always") as (store, slow):
        write(store, b"a")
        await until(lambda: store.disk.users == 1)
        store.disk.error = "the disk is full"
        store.recover(1.0)
        assert store.failure is not None
        slow.go.set()
        await until(lambda: store.disk.users == 0)
        store.recover(2.0)
        assert store.failure is None


async def test_every_second_nothing_waits(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_SECOND", 0.01)
    async with running(path, "everysec") as (store, slow):
        assert store.gate is None
        slow.waits = False
        keyspace(store).put(b"a", b"v")
        store.commit()
        await until(lambda: store.unsynced() is None)
        count = slow.syncs
        await trio.sleep(0.05)
        assert slow.syncs == count, "nothing was written since"


async def test_none_is_never(path: str) -> None:
    async with running(path, "none") as (store, slow):
        keyspace(store).put(b"a", b"v")
        store.commit()
        await trio.sleep(0.02)
        assert (store.gate, slow.syncs) == (None, 0)
