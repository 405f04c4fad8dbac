"""Processes with a RocksDB that are killed, and machines that lose their power, again and again.

After each, all that is kept beside the records agrees with them, and what was promised is there. How often:
TRIO_DYNOMITE_CRASHES."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.integration.cluster import Writers, assert_kept
from tests.integration.conftest import MakeCluster
from tests.integration.rocks_writer import COUNTER, keyspace, opened
from tests.integration.test_rocksdb import on_disk
from tests.rocks import faults
from trio_dynomite.model import Level
from trio_dynomite.storage.rocksdb.store import open_store
from trio_dynomite.topology.partitioner import make

pytestmark = pytest.mark.integration

CRASHES = int(os.environ.get("TRIO_DYNOMITE_CRASHES", "3"))
SLOTS = make("slots", "{}")


@pytest.mark.parametrize("durability", ["always", "none"])
def test_a_killed_node_has_all_that_it_acknowledged(
    make_cluster: MakeCluster, tmp_path: Path, durability: str
) -> None:
    (node,) = make_cluster({"dc1": [1]}, {**on_disk(tmp_path), "rocksdb": {"durability": durability}})
    with Writers([node] * 3, Level.DC_ONE.name) as writers:
        for _ in range(CRASHES):
            writers.wait_more()
            node.command("SET", "short", "v", "PX", 1)
            node.command("HSET", "hash", *[str(at) for at in range(200)])
            node.command("HEXPIRE", "hash", 1000, "FIELDS", 1, "2")
            writers.wait_more()
            node.kill()
            store = open_store(str(tmp_path / node.name), SLOTS.slot, SLOTS.fingerprint)
            assert not faults(store)
            store.close()
            node.start()
            node.wait_ready()
        writers.wait_more()
    assert_kept(writers, node, Level.DC_ONE.name)
    assert node.info("stats")["digests_drifted"] == "0"


class Machine:
    """Where the writer runs; its power may go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lengths: dict[str, int] = {}
        self.number = 0

    def run(self, seed: int, for_s: float) -> None:
        """The writer runs for a while, then the machine stands still."""
        command = [sys.executable, "-m", "tests.integration.rocks_writer", str(self.path), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(for_s)
            writer.send_signal(signal.SIGSTOP)
            wait_stopped(writer.pid)
            self.freeze()
            writer.kill()
            for line in [first, *writer.stdout]:
                if line.endswith("\n"):
                    self.lengths, self.number = json.loads(line)

    def freeze(self) -> None:
        """Keep the files as they are now."""
        frozen = self.path.with_name("frozen")
        shutil.copytree(self.path, frozen)

    def lose_power(self) -> None:
        """What was in the logs and not synced is gone."""
        frozen = self.path.with_name("frozen")
        shutil.rmtree(self.path)
        frozen.rename(self.path)
        for file in self.path.glob("*.log"):
            os.truncate(file, min(file.stat().st_size, self.lengths.get(file.name, 0)))


def wait_stopped(pid: int) -> None:
    """SIGSTOP stops all threads of a process soon."""
    for _ in range(1000):
        states = {stat.read_text().rpartition(")")[2].split()[0] for stat in stats(pid)}
        if states == {"T"}:
            return
        time.sleep(0.001)
    raise AssertionError(f"threads of {pid} are in {states}")


def stats(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").glob("*/stat")


@pytest.mark.parametrize("seed", range(CRASHES))
def test_what_was_synced_outlives_the_machine_and_nothing_is_torn(tmp_path: Path, seed: int) -> None:
    rng, machine = Random(seed), Machine(tmp_path / "data")
    machine.path.mkdir()
    for _ in range(2):
        machine.run(rng.randrange(1 << 30), rng.uniform(0.1, 1.0))
        machine.lose_power()
        store = opened(machine.path)
        assert not faults(store)
        assert int(keyspace(store, rng).get(COUNTER) or 0) >= machine.number > 0
        store.close()
