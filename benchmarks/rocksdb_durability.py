"""What a RocksDB below a node costs at each durability, beside a node in memory and beside RocksDB alone.

    python -m benchmarks.rocksdb_durability

A node of its own for each durability, driven by redis-benchmark. `raw` is rocksdict called without a node:
keys and values of the same size, as many a batch as the node had a turn, synced as the node did. The target:
a node costs no more than one in memory, and one and a half times that. Of several rounds the cheapest counts,
for no machine is ever quite idle.
"""

import argparse
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

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
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("CPU in µs an operation; p99 in ms; raw beside it with as many records a batch\n")
    print("| | in flight | operations/s | p99 | node | memory | raw | (node - memory) / raw |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for in_flight in (1, 16):
        for line in rows(in_flight, options.operations, options.rounds):
            print(line, flush=True)


def rows(in_flight: int, operations: int, rounds: int) -> Iterator[str]:
    """The rows for so many commands in flight on each connection."""
    load = (in_flight, operations, rounds)
    memory = dict(costs({"storage": {"engine": "memory"}}, *load))
    for durability in DURABILITIES:
        with tempfile.TemporaryDirectory() as path:
            storage = {"engine": "rocksdb", "path": path}
            sections = {"storage": storage, "rocksdb": {"durability": durability}}
            for name, cost in costs(sections, *load):
                a_batch = round(cost.a_turn)
                if name == "SET":
                    raw = raw_set(durability, a_batch, operations, rounds)
                else:
                    raw = raw_get(operations, rounds)
                yield row(f"{name}, {durability}", in_flight, cost, memory[name].cpu_us, raw)


def row(title: str, in_flight: int, cost: Cost, memory_us: float, raw_us: float) -> str:
    """One row."""
    seen = f"{cost.seen.rps:.0f} | {cost.seen.p99_ms:.2f}"
    share = (cost.cpu_us - memory_us) / raw_us
    cpu = f"{cost.cpu_us:.1f} | {memory_us:.1f} | {raw_us:.1f} | {share:.1f}"
    return f"| {title} | {in_flight} | {seen} | {cpu} |"


def costs(
    sections: dict[str, dict[str, object]], in_flight: int, operations: int, rounds: int
) -> Iterator[tuple[str, Cost]]:
    """SET and GET on a node with these settings."""
    with LocalCluster({"dc1": [1]}, sections) as (node,):
        for name, words in _COMMANDS.items():
            load = Load(words=words, in_flight=in_flight, random_keys=_KEYS)
            load.run([node.port], operations)
            costs = [cost_of(load, node, operations) for _ in range(rounds)]
            yield name, min(costs, key=lambda cost: cost.cpu_us)


def cost_of(load: Load, node: LocalNode, operations: int) -> Cost:
    """What one round of a load costs a node."""
    began_s, commits = cpu_s(node.pid), made(node)
    seen = load.run([node.port], operations)
    cpu_us = (cpu_s(node.pid) - began_s) / operations * 1e6
    return Cost(cpu_us, seen, operations / max(1, made(node) - commits))


def made(node: LocalNode) -> int:
    """Commits so far."""
    return int(node.info("persistence").get("rocksdb_commits", 0))


def raw_set(durability: str, a_batch: int, operations: int, rounds: int) -> float:
    """Microseconds of CPU for each record, so many a batch, in the cheapest of some rounds."""
    with raw_database() as database:
        rng = Random(1)
        return min([_puts(database, rng, durability, a_batch, operations) for _ in range(1 + rounds)][1:])


def _puts(database: Any, rng: Random, durability: str, a_batch: int, operations: int) -> float:
    took_s = 0.0
    for first in range(0, operations, a_batch):
        keys = [b"R00key:%012d" % rng.randrange(_KEYS) for _ in range(a_batch)]
        values = [(b"b%012d" % number) + _VALUE.encode() for number in range(first, first + a_batch)]
        before_s = process_time()
        batch = WriteBatch(raw_mode=True)
        deque(map(batch.put, keys, values), 0)
        database.write(batch)
        if durability == "always":
            database.flush_wal(True)
        took_s += process_time() - before_s
    return took_s / operations * 1e6


def raw_get(operations: int, rounds: int) -> float:
    """Microseconds of CPU for each read, in the cheapest of some rounds."""
    with raw_database() as database:
        for number in range(_KEYS):
            database[b"R00key:%012d" % number] = b"v" * (len(_VALUE) + 13)
        return min([_gets(database, Random(1), operations) for _ in range(rounds)])


def _gets(database: Any, rng: Random, operations: int) -> float:
    keys = [b"R00key:%012d" % rng.randrange(_KEYS) for _ in range(operations)]
    before_s = process_time()
    for key in keys:
        database.get(key)
    return (process_time() - before_s) / operations * 1e6


@contextmanager
def raw_database() -> Iterator[Any]:
    """A new one, tuned as a node's."""
    path = Path(tempfile.mkdtemp())
    database = open_database(str(path), Tuning()).database
    try:
        yield database
    finally:
        database.close()
        shutil.rmtree(path)


if __name__ == "__main__":
    main()
