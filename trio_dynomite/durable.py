"""What of a node outlives it: made here from the settings, each part in the node's own directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from trio_dynomite.config import Settings, kinds
from trio_dynomite.config.servers import NO_FILE
from trio_dynomite.coordinator.build import in_memory
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.errors import ConfigError, ConfigProblem
from trio_dynomite.handoff.folder import DiskFolder
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.logs import get_logger
from trio_dynomite.storage.memcached.driver import MemcachedDriver
from trio_dynomite.storage.plain import PlainStore
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.redis.room import Room
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.unlisted import UnlistedStore
from trio_dynomite.storage.snapshotter import Snapshotter, restored
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import Partitioner

if TYPE_CHECKING:
    from trio_dynomite.storage.rocksdb.backups import Backups
    from trio_dynomite.storage.rocksdb.syncing import Syncing
    from trio_dynomite.storage.rocksdb.tidying import Tidying

log = get_logger()


def folder_of(settings: Settings, name: str) -> Path:
    """The directory of node `name`."""
    return Path(settings.storage.path, name)


def backups_of(settings: Settings, name: str) -> Path:
    """The directory of the backups of node `name`."""
    return Path(settings.rocksdb.backup_path, name)


def store_maker(settings: Settings, name: str) -> Callable[[Partitioner], Store]:
    """Makes the store of node `name`. Raises ConfigError when its directory cannot be used."""
    path = folder_of(settings, name)
    if settings.storage.engine == kinds.MEMORY:
        return _from_snapshot(path) if settings.storage.snapshot_every else in_memory
    if settings.storage.engine in kinds.SERVED:
        return _on_server(settings, path)
    from trio_dynomite.storage.rocksdb.opening import Tuning  # the package for it need not be installed
    from trio_dynomite.storage.rocksdb.store import open_store  # the package for it need not be installed

    chosen = {each.name: getattr(settings.rocksdb, each.name) for each in attrs.fields(Tuning)}

    def on_disk(partitioner: Partitioner) -> Store:
        _make(path)
        return open_store(
            str(path),
            partitioner.slot,
            partitioner.fingerprint,
            lambda: shutil.disk_usage(path).free,
            settings.storage.reserve,
            Tuning(**chosen),
        )

    return on_disk


def _from_snapshot(path: Path) -> Callable[[Partitioner], Store]:
    def from_snapshot(partitioner: Partitioner) -> Store:
        _make(path)
        return restored(path, lambda: in_memory(partitioner), partitioner.fingerprint, log.info)

    return from_snapshot


def _on_server(settings: Settings, path: Path) -> Callable[[Partitioner], Store]:
    def on_server(partitioner: Partitioner) -> Store:
        slot_of, cache = partitioner.slot, settings.storage.cache
        if settings.is_plain:
            return PlainStore(slot_of)
        if settings.storage.engine == kinds.REDIS:
            return ListedStore(
                slot_of,
                driver=RedisDriver(slot_of),
                cache_bytes=cache,
                now_ms=_now_ms,
                room=_room(settings, path),
            )
        driver = MemcachedDriver(settings.memcached.item_size, settings.repair.tombstone_grace)
        return UnlistedStore(slot_of, driver=driver, cache_bytes=cache, now_ms=_now_ms)

    return on_server


def _room(settings: Settings, path: Path) -> Room:
    """Of a server that has a file, and was started by the node, the disk is looked at."""
    if settings.redis.address is not None or settings.redis.append_only == NO_FILE:
        return Room()
    return Room(lambda: shutil.disk_usage(path).free, settings.storage.reserve)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise ConfigError(str(path), (ConfigProblem("storage.path", str(why)),)) from why


def make_keeper(settings: Settings, engine: Engine) -> HintKeeper | None:
    """What keeps this node's hints in files; None when they are not."""
    if not settings.hints_are_durable:
        return None
    name, path = engine.node.name, settings.hints.path
    folder = folder_of(settings, name) / "hints" if path is None else Path(path, name)
    keeper = HintKeeper(engine.roster.hints, lambda target: DiskFolder(folder / target), log.info)
    keeper.match(engine.roster.hint_queues())
    return keeper


def make_snapshotter(
    settings: Settings, engine: Engine, turn: Callable[[Callable[[], None]], object]
) -> Snapshotter | None:
    """What makes this node's snapshots; None when there are none."""
    if not settings.storage.snapshot_every:
        return None
    return Snapshotter(
        store=engine.keyspace.store,
        folder=folder_of(settings, engine.node.name),
        node=engine.node.name,
        partitioner=engine.table.view.partitioner.fingerprint,
        every_s=settings.storage.snapshot_every,
        turn=turn,
        log=log.info,
    )


def make_disk_tasks(
    settings: Settings, engine: Engine, turn: Callable[[Callable[[], None]], object]
) -> tuple[Syncing, Tidying, Backups] | None:
    """What looks after this node's RocksDB; None when it has none."""
    if settings.storage.engine != kinds.ROCKSDB:
        return None
    from trio_dynomite.storage.rocksdb.backups import Backups
    from trio_dynomite.storage.rocksdb.store import RocksStore
    from trio_dynomite.storage.rocksdb.syncing import Syncing
    from trio_dynomite.storage.rocksdb.tidying import Tidying

    store = engine.keyspace.store
    assert isinstance(store, RocksStore)
    folder = backups_of(settings, engine.node.name)
    backups = Backups(store=store, folder=folder, kept=settings.rocksdb.backups, turn=turn, log=log.info)
    return Syncing(store, turn), Tidying(store.disk), backups
