"""A process that writes into a RocksDB store without end, and tells after each sync what is safe.

    python -m tests.integration.rocks_writer PATH SEED

Each line: the lengths of the logs when a sync began, and the number that was committed before it, as JSON.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.properties.test_merge_types import EVERYTHING, KEYS, NOW
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.rocksdb import journal
from trio_dynomite.storage.rocksdb.opening import Tuning
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.topology.partitioner import redis_slot

COUNTER = b"the newest commit"
SMALL = Tuning(cache=2 << 20, write_buffer=64 << 10, write_buffers=4, level_base=256 << 10)
"""Tables are written and compacted all the time."""


def opened(path: Path) -> RocksStore:
    return open_store(str(path), redis_slot, "slots", tuning=SMALL)


def keyspace(store: RocksStore, rng: Random) -> StoreKeyspace:
    clock = HybridClock(1)
    clock.advance(NOW)
    clock.observe(store.newest)
    return StoreKeyspace(store, clock, origin=clock.next(), rng=rng)


def turn(ks: StoreKeyspace, rng: Random, number: int) -> None:
    """One turn's writes of every kind, the number of the turn among them."""
    ks.clock.advance(ks.now_ms + rng.choice([0, 1, 50]))
    for _ in range(rng.randrange(1, 6)):
        try:
            rng.choice(EVERYTHING)(ks, rng.choice(KEYS), rng)
        except CommandError:
            pass  # the key is of another type, or the field is no number
    for _ in range(rng.choice([0, 0, 3])):
        key = b"%d" % rng.randrange(500)
        ks.put(key, rng.randbytes(rng.choice([10, 2000])), ks.now_ms + rng.choice([100, 10**6]))
    if rng.random() < 0.01:
        ks.flush(0, rng.choice([10, 16383]))
    expire(ks.store, ks.now_ms, 100)
    ks.put(COUNTER, b"%d" % number)
    ks.store.commit()


def logs(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of each log; one may go at any moment, its contents being in tables."""
    for file in path.glob("*.log"):
        with suppress(FileNotFoundError):
            yield file.name, file.stat().st_size


def main(path: Path, seed: int) -> None:
    rng = Random(seed)
    journal._ENTRIES_MAX = rng.choice([3, 40])
    store = opened(path)
    ks = keyspace(store, rng)
    number = int(ks.get(COUNTER) or 0)
    while True:
        for _ in range(rng.randrange(1, 30)):
            number += 1
            turn(ks, rng, number)
        lengths = dict(logs(path))
        store.disk.database.flush_wal(True)
        print(json.dumps([lengths, number]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
