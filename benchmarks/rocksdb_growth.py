"""How a RocksDB store grows: memory while keys are loaded, several times more than its cache; then its start.

    python -m benchmarks.rocksdb_growth --keys 10000000 --cache 64

The store is in this process, without a node around it. Memory is that of the process; it should stay what it
is once the cache is full, whatever the number of keys.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.proc import cpu_s, resident_bytes
from trio_dynomite.data.stamp import TICK
from trio_dynomite.storage.rocksdb.figures import counters
from trio_dynomite.storage.rocksdb.opening import Tuning
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.topology.partitioner import redis_slot

_A_TURN = 100
_STEPS = 10
_READS = 20_000
_MIB = 1 << 20


def main() -> None:
    """Load, and open again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--value", type=int, default=100, help="bytes of a value, which cannot be compressed")
    parser.add_argument("--cache", type=int, default=64, help="MiB")
    parser.add_argument("--expiring", type=int, default=10, help="one key in so many has a deadline")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to put the data; default: a temporary"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        for line in growth(folder, options):
            print(line, flush=True)
    finally:
        shutil.rmtree(folder)


def growth(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """Lines of the report."""
    cache = options.cache * _MIB
    tuning = Tuning(cache=cache, write_buffer=cache // 8, write_buffers=4)
    store = open_store(str(folder), redis_slot, "benchmark", tuning=tuning)
    yield f"{options.keys} keys, values of {options.value} bytes, a cache of {options.cache} MiB"
    yield "    keys       RSS MiB   disk MiB   CPU µs/key   read µs"
    rng, step = Random(1), options.keys // _STEPS
    for first in range(0, step * _STEPS, step):
        began_s = cpu_s(os.getpid())
        load(store, range(first, first + step), options, rng)
        each_us = (cpu_s(os.getpid()) - began_s) / step * 1e6
        read_us = reads(store, first + step, rng)
        figures = (resident_bytes(os.getpid()) / _MIB, disk_bytes(folder) / _MIB)
        yield f"{first + step:>10} {figures[0]:>10.0f} {figures[1]:>10.0f} {each_us:>10.1f} {read_us:>10.1f}"
    store.close()
    yield start(folder, tuning, step * _STEPS)


def load(store: RocksStore, numbers: range, options: argparse.Namespace, rng: Random) -> None:
    """Put some keys, a hundred a turn."""
    for number in numbers:
        key, deadline_ms = b"key:%d" % number, 0 if number % options.expiring else 4_000_000_000_000 + number
        store.put(redis_slot(key), key, (number + 1) * TICK, rng.randbytes(options.value), deadline_ms)
        if number % _A_TURN == 0:
            store.commit()
    store.commit()


def reads(store: RocksStore, keys: int, rng: Random) -> float:
    """Microseconds of a read of a key by chance."""
    began_s = time.perf_counter()
    for _ in range(_READS):
        key = b"key:%d" % rng.randrange(keys)
        assert store.get(redis_slot(key), key)[1] is not None
        store.commit()
    return (time.perf_counter() - began_s) / _READS * 1e6


def start(folder: Path, tuning: Tuning, keys: int) -> str:
    """The start of a store with so many keys."""
    began_s = time.perf_counter()
    store = open_store(str(folder), redis_slot, "benchmark", tuning=tuning)
    took_s = time.perf_counter() - began_s
    read = counters(store.disk)
    looked = read["rocksdb.number.db.next"] + read["rocksdb.number.keys.read"]
    assert store.key_count(0, 16383) == keys
    store.close()
    return f"opened again in {took_s:.2f} s, {looked} keys read"


def disk_bytes(folder: Path) -> int:
    """What the files take."""
    return sum([file.stat().st_size for file in folder.iterdir() if file.is_file()])


if __name__ == "__main__":
    main()
