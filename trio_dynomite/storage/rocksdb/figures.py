"""Figures of a RocksDB for INFO: what it takes of disk and memory, what it waits for, how it is synced."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import define

from trio_dynomite.storage.rocksdb.disk import Disk

PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "rocksdb_tables_bytes": "rocksdb.total-sst-files-size",
        "rocksdb_live_bytes": "rocksdb.estimate-live-data-size",
        "rocksdb_keys_estimated": "rocksdb.estimate-num-keys",
        "rocksdb_write_buffers_bytes": "rocksdb.cur-size-all-mem-tables",
        "rocksdb_cache_bytes": "rocksdb.block-cache-usage",
        "rocksdb_cache_capacity": "rocksdb.block-cache-capacity",
        "rocksdb_compaction_pending_bytes": "rocksdb.estimate-pending-compaction-bytes",
        "rocksdb_compactions_running": "rocksdb.num-running-compactions",
        "rocksdb_flushes_running": "rocksdb.num-running-flushes",
        "rocksdb_writes_stopped": "rocksdb.is-write-stopped",
        "rocksdb_background_errors": "rocksdb.background-errors",
    }
)
COUNTERS: Mapping[str, str] = MappingProxyType(
    {
        "rocksdb_cache_hits": "rocksdb.block.cache.hit",
        "rocksdb_cache_misses": "rocksdb.block.cache.miss",
        "rocksdb_stall_us": "rocksdb.stall.micros",
        "rocksdb_written_bytes": "rocksdb.bytes.written",
        "rocksdb_read_bytes": "rocksdb.bytes.read",
        "rocksdb_log_bytes": "rocksdb.wal.bytes",
        "rocksdb_flushed_bytes": "rocksdb.flush.write.bytes",
        "rocksdb_compacted_bytes": "rocksdb.compact.write.bytes",
    }
)
"""What each is since the database was opened."""


def counters(disk: Disk) -> dict[str, int]:
    """Every counter of the database, by its own name."""
    lines = [line.split() for line in (disk.opened.options.get_statistics() or "").splitlines()]
    return {line[0]: int(line[3]) for line in lines if len(line) == 4 and line[1] == "COUNT"}


def figures(disk: Disk) -> dict[str, object]:
    """By the names that INFO gives them; none while the database cannot be opened."""
    if disk.error is not None:
        return {}
    counted = counters(disk)
    return {
        **{name: disk.database.property_int_value(theirs) for name, theirs in PROPERTIES.items()},
        **{name: counted.get(theirs, 0) for name, theirs in COUNTERS.items()},
        "rocksdb_reopened": disk.reopened,
    }


@define
class Syncs:
    """The syncs of one store so far."""

    number: int = 0
    """The newest commit that is synced."""
    count: int = 0
    failed: int = 0
    last_s: float = 0.0
    """How long the last one took."""
    longest_s: float = 0.0

    def note(self, number: int, took_s: float) -> None:
        """All up to commit `number` is synced."""
        self.number, self.count, self.last_s = number, self.count + 1, took_s
        self.longest_s = max(self.longest_s, took_s)

    def figures(self, commits: int) -> dict[str, object]:
        """By the names that INFO gives them."""
        return {
            "rocksdb_commits": commits,
            "rocksdb_commits_unsynced": max(0, commits - self.number),
            "rocksdb_syncs": self.count,
            "rocksdb_syncs_failed": self.failed,
            "rocksdb_sync_ms_last": round(self.last_s * 1000, 2),
            "rocksdb_sync_ms_max": round(self.longest_s * 1000, 2),
        }
