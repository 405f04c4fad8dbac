"""What a RocksDB below a node costs at each durability, beside a node in memory and beside RocksDB alone.

    python -m benchmarks.rocksdb_durability

A node of its own for each row, driven by redis-benchmark. `raw` is rocksdict called without a node, as a node
must call it: the old record is read and the new one written, as many a batch as the node had a turn, synced
as the node did. The target: a node costs no more than one in memory, and one and a half times that.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from attrs import frozen
from rocksdict import WriteBatch

from benchmarks.load import RANDOM, Load, LoadResult
from benchmarks.proc import cpu_s
from trio_dynomite.storage.rocksdb.opening import DURABILITIES, Tuning, open_database
from trio_dynomite.testing.local import LocalCluster, LocalNode

_VALUE = "v" * 32
_KEYS = 100_000
_COMMANDS = {"SET": ("SET", f"key:{RANDOM}", _VALUE), "GET": ("GET", f"key:{RANDOM}")}


@frozen
class Cost:
    """What one load cost a node."""

    cpu_us: float
    """CPU of the node for each operation."""
    seen: LoadResult
    a_turn: float
    """Operations for each commit."""


def main() -> None:
    """Print a row for each durability and command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operations", type=int, default=100_000)
    options = parser.parse_args()
    print("CPU in µs an operation; p99 in ms; raw beside it with as many records a batch\n")
    print("| | in flight | operations/s | p99 | node | memory | raw | (node - memory) / raw |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for in_flight in (1, 16):
        for line in rows(in_flight, options.operations):
            print(line, flush=True)


def rows(in_flight: int, operations: int) -> Iterator[str]:
    """The rows for so many commands in flight on each connection."""
    memory = dict(costs({"storage": {"engine": "memory"}}, in_flight, operations))
    for durability in DURABILITIES:
        with tempfile.TemporaryDirectory() as path:
            storage = {"engine": "rocksdb", "path": path}
            sections = {"storage": storage, "rocksdb": {"durability": durability}}
            for name, cost in costs(sections, in_flight, operations):
                raw = raw_set(durability, round(cost.a_turn)) if name == "SET" else raw_get()
                yield row(f"{name}, {durability}", in_flight, cost, memory[name].cpu_us, raw)


def row(title: str, in_flight: int, cost: Cost, memory_us: float, raw_us: float) -> str:
    """One row."""
    seen = f"{cost.seen.rps:.0f} | {cost.seen.p99_ms:.2f}"
    share = (cost.cpu_us - memory_us) / raw_us
    cpu = f"{cost.cpu_us:.1f} | {memory_us:.1f} | {raw_us:.1f} | {share:.1f}"
    return f"| {title} | {in_flight} | {seen} | {cpu} |"


def costs(
    sections: dict[str, dict[str, object]], in_flight: int, operations: int
) -> Iterator[tuple[str, Cost]]:
    """SET and GET on a node with these settings."""
    with LocalCluster({"dc1": [1]}, sections) as (node,):
        for name, words in _COMMANDS.items():
            load = Load(words=words, in_flight=in_flight, random_keys=_KEYS)
            load.run([node.port], operations // 10)
            began_s, commits = cpu_s(node.pid), made(node)
            seen = load.run([node.port], operations)
            cpu_us = (cpu_s(node.pid) - began_s) / operations * 1e6
            yield name, Cost(cpu_us, seen, operations / max(1, made(node) - commits))


def made(node: LocalNode) -> int:
    """Commits so far."""
    return int(node.info("persistence").get("rocksdb_commits", 0))


def raw_set(durability: str, a_batch: int, operations: int = 40_000) -> float:
    """Microseconds of CPU for each record, so many a batch."""
    path, rng, value = Path(tempfile.mkdtemp()), Random(1), b"v" * (len(_VALUE) + 13)
    database = open_database(str(path), Tuning()).database
    before_s = cpu_s(os.getpid())
    for _ in range(0, operations, a_batch):
        batch = WriteBatch(raw_mode=True)
        for _ in range(a_batch):
            key = b"R00key:%012d" % rng.randrange(_KEYS)
            database.get(key)
            batch[key] = value
        database.write(batch)
        if durability == "always":
            database.flush_wal(True)
    took_s = cpu_s(os.getpid()) - before_s
    database.close()
    shutil.rmtree(path)
    return took_s / operations * 1e6


def raw_get(operations: int = 100_000) -> float:
    """Microseconds of CPU for each read."""
    path, rng = Path(tempfile.mkdtemp()), Random(1)
    database = open_database(str(path), Tuning()).database
    for number in range(_KEYS):
        database[b"R00key:%012d" % number] = b"v" * (len(_VALUE) + 13)
    before_s = cpu_s(os.getpid())
    for _ in range(operations):
        database.get(b"R00key:%012d" % rng.randrange(_KEYS))
    took_s = cpu_s(os.getpid()) - before_s
    database.close()
    shutil.rmtree(path)
    return took_s / operations * 1e6


if __name__ == "__main__":
    main()
