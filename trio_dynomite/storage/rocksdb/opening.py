"""Opening a RocksDB, tuned: what it may take of memory, how it compresses, what it does in the background.

Its memory is one cache: blocks of data, indexes and filters stand in it, and what the write buffers take is
charged to it, so that a database of any size takes no more. Only what open files need comes on top, some
kilobytes each (`open_files`).
"""

from attrs import frozen
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBufferManager,
)

ALWAYS, EVERY_SECOND, NEVER = "always", "everysec", "none"
DURABILITIES = (ALWAYS, EVERY_SECOND, NEVER)
_COMPRESSIONS = {"none": DBCompressionType.none, "lz4": DBCompressionType.lz4, "zstd": DBCompressionType.zstd}
_BLOCK_BYTES = 8 << 10
_BUFFER_FILTER = 0.02
"""Of a write buffer, for a filter that spares looks at it."""
_INFO_LOG_BYTES = 4 << 20
_DELETES_WINDOW, _DELETES_TRIGGER = 1024, 512
"""A table in which so many of so many keys in a row are deletions is compacted soon: a queue leaves them."""


@frozen(kw_only=True)
class Tuning:
    """What an operator may choose; what each means stands in `cluster.toml`."""

    durability: str = EVERY_SECOND
    cache: int = 256 << 20
    write_buffer: int = 32 << 20
    write_buffers: int = 4
    compression: str = "lz4"
    bloom_bits: int = 10
    open_files: int = 1000
    background_jobs: int = 2
    level_base: int = 256 << 20


@frozen
class Opened:
    """A database and what is known of it beside."""

    database: Rdict
    options: Options
    """It was opened with; they have its statistics."""
    cache: Cache


def open_database(path: str, tuning: Tuning) -> Opened:
    """The RocksDB in the directory `path`, made if it is absent. Raises Exception when that cannot be."""
    cache = Cache.new_hyper_clock_cache(tuning.cache, 0)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.enable_statistics()
    options.set_block_based_table_factory(_blocks(tuning, cache))
    _bound_writes(options, tuning, cache)
    options.set_compression_type(_COMPRESSIONS[tuning.compression]())
    options.set_max_open_files(tuning.open_files)
    options.set_max_background_jobs(tuning.background_jobs)
    options.set_max_bytes_for_level_base(tuning.level_base)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.add_compact_on_deletion_collector_factory(_DELETES_WINDOW, _DELETES_TRIGGER, 0.0)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(_INFO_LOG_BYTES)
    return Opened(Rdict(path, options), options, cache)


def _blocks(tuning: Tuning, cache: Cache) -> BlockBasedOptions:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(cache)
    blocks.set_block_size(_BLOCK_BYTES)
    blocks.set_format_version(5)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    if tuning.bloom_bits:
        blocks.set_bloom_filter(tuning.bloom_bits, False)
    return blocks


def _bound_writes(options: Options, tuning: Tuning, cache: Cache) -> None:
    """The buffers together take so much of the cache, and the logs no more than some times that."""
    all_buffers = tuning.write_buffer * tuning.write_buffers
    manager = WriteBufferManager.new_write_buffer_manager_with_cache(all_buffers, False, cache)
    options.set_write_buffer_manager(manager)
    options.set_write_buffer_size(tuning.write_buffer)
    options.set_memtable_prefix_bloom_ratio(_BUFFER_FILTER)
    options.set_memtable_whole_key_filtering(True)
    options.set_max_write_buffer_number(tuning.write_buffers)
    options.set_max_total_wal_size(2 * all_buffers)
