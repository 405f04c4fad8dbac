"""`[rocksdb]`: the RocksDB of a node whose `storage.engine` it is. All of it is about one node."""

from attrs import frozen

from trio_dynomite.config import kinds


@frozen(kw_only=True)
class RocksDB:
    """What is worth choosing; sizes in bytes."""

    durability: kinds.Durability = "everysec"
    """When writes are synced, so that they outlive the machine's power (Redis: appendfsync)."""
    cache: kinds.Bytes = 256 * 2**20
    """Memory for blocks of data, indexes, filters and the write buffers, all together."""
    write_buffer: kinds.Bytes = 32 * 2**20
    """What is collected in memory before it becomes a table."""
    write_buffers: kinds.Count = 4
    """So many of them, so that writing goes on while others become tables."""
    compression: kinds.Compression = "lz4"
    bloom_bits: kinds.Count = 10
    """Of a filter, for each key."""
    open_files: kinds.Count = 1000
    """Tables that are kept open."""
    background_jobs: kinds.Count = 2
    """Threads that write and compact tables."""
    level_base: kinds.Bytes = 256 * 2**20
    """The first sorted level; each that follows may have ten times as much."""
    backup_path: kinds.Folder = "backups"
    """The directory of backups, in which each node has one of its own name."""
    backups: kinds.Count = 2
    """So many backups of a node stay; older ones go."""
