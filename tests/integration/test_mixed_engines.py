"""Racks of one cluster with different engines: they hold the same, whoever wrote and whoever was away."""

import os
import signal
from pathlib import Path

import pytest

from tests.integration.cluster import QUORUM, Writers, assert_kept, wait_converged, wait_missed
from tests.integration.conftest import MakeCluster
from tests.integration.test_managed_node import facts, server_of
from tests.integration.test_rocksdb import READS, WRITES
from trio_dynomite.launch import exits
from trio_dynomite.testing.local import LocalCluster, wait_until

pytestmark = pytest.mark.integration

ENGINES = {"node1": "memory", "node2": "rocksdb", "node3": "redis"}


def mixed(make_cluster: MakeCluster, path: Path) -> LocalCluster:
    """A cluster whose file says nothing of engines: each node's environment does."""
    cluster = make_cluster(
        None, {"storage": {"path": str(path)}, "timeouts": {"down_after": "1s"}}, start=False
    )
    for name, engine in ENGINES.items():
        for node in cluster:
            node.variables[f"TRIO_DYNOMITE__NODES__{name.upper()}__STORAGE"] = engine
    cluster.start()
    return cluster


def test_every_type_is_the_same_in_every_engine(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = mixed(make_cluster, tmp_path)
    for number, request in enumerate(WRITES):
        list(cluster)[number % 3].command(*request)
    wanted = [cluster["node1"].command(*request) for request in READS]
    for name, engine in ENGINES.items():
        node = cluster[name]
        assert f"storage_engine:{engine}" in node.command("INFO", "persistence").decode().split()
        wait_until(lambda node=node: [node.command(*read) for read in READS] == wanted, f"{name} has it all")


def test_who_was_away_learns_it_from_another_engine(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = mixed(make_cluster, tmp_path)
    with Writers(list(cluster)) as writers:
        for away in (cluster["node2"], cluster["node3"]):
            writers.wait_more(100)
            away.kill()
            wait_missed(cluster, away)
            writers.wait_more(100)
            away.start()
            away.wait_ready()
    wait_converged(cluster, writers)
    for node in cluster:
        assert_kept(writers, node, QUORUM)


def test_a_server_that_is_killed_costs_nothing(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = mixed(make_cluster, tmp_path)
    node = cluster["node3"]
    with Writers(list(cluster)) as writers:
        writers.wait_more(100)
        os.kill(server_of(node), signal.SIGKILL)
        wait_until(lambda: "is lost" in node.log_text(), "the node notices")
        writers.wait_more(100)
        wait_until(lambda: facts(node).get("up") == "1", "the node is back")
        writers.wait_more(100)
    wait_converged(cluster, writers)
    for each in cluster:
        assert_kept(writers, each, QUORUM)


def test_an_engine_that_cannot_be_had_is_a_mistake_in_words(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    cluster = make_cluster({"dc1": [1]}, {"storage": {"path": str(tmp_path)}}, start=False)
    node = cluster["node1"]
    node.variables |= {
        "TRIO_DYNOMITE__NODES__NODE1__STORAGE": "redis",
        "TRIO_DYNOMITE__REDIS__SERVER": "/opt/none",
    }
    node.start()
    assert node.process is not None
    assert node.process.wait(20) == exits.MISUSE
    assert "redis.server: '/opt/none' is not a program that can be run" in node.log_text()
