"""The RocksDB engine in real nodes: data survives a stop and a kill; what was missed meanwhile is learned."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import QUORUM, Writers, assert_kept, wait_converged
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode

pytestmark = pytest.mark.integration

WRITES: list[tuple[Any, ...]] = [
    ("SET", "string", "value"),
    ("INCRBY", "number", 7),
    ("SET", "lasting", "value", "EX", 1000),
    ("HSET", "hash", *[f"{at}" for at in range(600)]),
    ("HEXPIRE", "hash", 1000, "FIELDS", 1, "2"),
    ("SADD", "set", *range(300)),
    ("ZADD", "scores", *[f"{at}" for at in range(600)]),
    ("RPUSH", "list", *range(300)),
    ("LPOP", "list", 10),
    ("XADD", "stream", "1-1", "field", "value"),
    ("XGROUP", "CREATE", "stream", "group", "0"),
    ("XREADGROUP", "GROUP", "group", "consumer", "STREAMS", "stream", ">"),
    ("SET", "deleted", "value"),
    ("DEL", "deleted"),
]
READS: list[tuple[Any, ...]] = [
    ("DBSIZE",),
    ("GET", "string"),
    ("GET", "number"),
    ("PEXPIRETIME", "lasting"),
    ("HGET", "hash", "598"),
    ("HLEN", "hash"),
    ("HPEXPIRETIME", "hash", "FIELDS", 2, "2", "4"),
    ("SCARD", "set"),
    ("SISMEMBER", "set", "17"),
    ("ZRANGE", "scores", 100, 110, "WITHSCORES"),
    ("ZRANK", "scores", "401"),
    ("LRANGE", "list", 0, -1),
    ("XRANGE", "stream", "-", "+"),
    ("XPENDING", "stream", "group"),
    ("GET", "deleted"),
]


def on_disk(path: Path) -> dict[str, dict[str, str]]:
    return {"storage": {"engine": "rocksdb", "path": str(path)}}


def look(node: LocalNode) -> list[Any]:
    return [node.command(*request) for request in READS]


def again(node: LocalNode) -> None:
    node.start()
    node.wait_ready()


def test_a_lone_node_has_its_data_after_a_stop_and_after_a_kill(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    (node,) = make_cluster({"dc1": [1]}, on_disk(tmp_path))
    for request in WRITES:
        node.command(*request)
    before = look(node)
    assert before[0] == 8
    node.stop()
    again(node)
    assert look(node) == before
    node.command("INCR", "number")
    node.command("RPUSH", "list", "last")
    before = look(node)
    node.kill()
    again(node)
    assert look(node) == before
    assert node.command("FLUSHALL") == b"OK"
    node.kill()
    again(node)
    assert node.command("DBSIZE") == 0


def test_a_node_that_comes_back_with_data_learns_what_it_missed(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    cluster = make_cluster(None, on_disk(tmp_path))
    late = cluster["node1"]
    with Writers([cluster["node2"], cluster["node3"]], QUORUM) as writers:
        writers.wait_more()
        late.kill()
        writers.wait_more()
        again(late)
        writers.wait_more()
    cluster.wait_connected()
    assert_kept(writers, late, QUORUM)
    wait_converged(cluster, writers)


def test_a_cluster_that_was_stopped_as_a_whole_goes_on(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster: LocalCluster = make_cluster(None, on_disk(tmp_path))
    for request in WRITES:
        cluster["node1"].command("DYNO_CONFIG:CONN_CONSISTENCY", QUORUM)
        cluster["node1"].command(*request)
    before = look(cluster["node1"])
    for node in cluster:
        node.stop()
    for node in cluster:
        node.start()
    for node in cluster:
        node.wait_ready(40)
    cluster.wait_connected()
    for node in cluster:
        assert look(node) == before
