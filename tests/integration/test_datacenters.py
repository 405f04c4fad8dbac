"""Two datacenters: what one writes the other reads, also after it was cut off and wrote alone."""

import pytest
import redis

from tests.integration.cluster import (
    EACH,
    ONE,
    QUORUM,
    SAFE,
    Writers,
    client,
    set_level,
    wait_converged,
    wait_missed,
    wait_read,
)
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration

LAYOUT = {"dc1": [1, 1], "dc2": [1, 1]}


def nodes_of(cluster: LocalCluster, datacenter: str) -> list[LocalNode]:
    return [node for node in cluster if node.datacenter == datacenter]


def test_what_one_datacenter_writes_the_other_reads(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(LAYOUT)
    west, east = nodes_of(cluster, "dc1"), nodes_of(cluster, "dc2")
    with client(west[0], QUORUM) as writer:
        writer.mset({f"w:{number}": number for number in range(200)})
        writer.set("short", "x", ex=100)
        writer.incrby("count", 5)
        writer.append("text", "abc")
        writer.append("text", "def")
    for node in east:
        with client(node, ONE) as reader:
            for number in range(200):
                wait_read(reader, f"w:{number}", b"%d" % number)
            wait_read(reader, "count", b"5")
            wait_read(reader, "text", b"abcdef")
            wait_read(reader, "short", b"x")
            assert 95 < reader.ttl("short") <= 100


def test_a_write_in_each_datacenter_is_read_at_once_in_the_other(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(LAYOUT)
    west, east = nodes_of(cluster, "dc1"), nodes_of(cluster, "dc2")
    with client(west[0], EACH) as writer, client(east[1], QUORUM) as reader:
        for number in range(100):
            writer.set("each", number)
            assert reader.get("each") == b"%d" % number


def test_counters_of_both_datacenters_add_up(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(LAYOUT)
    with Writers([*cluster], QUORUM) as writers:
        writers.wait_more(1500)
    wait_converged(cluster, writers)


def test_a_datacenter_that_was_cut_off_converges(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(LAYOUT)
    west, east = nodes_of(cluster, "dc1"), nodes_of(cluster, "dc2")
    with client(west[0], QUORUM) as writer:
        writer.mset({"old": 1, "deleted": 1, "changed": 1})
        writer.incrby("count", 10)
    for node in east:
        with client(node, ONE) as reader:
            for key, before in {"old": b"1", "deleted": b"1", "changed": b"1", "count": b"10"}.items():
                wait_read(reader, key, before)
    for node in east:
        node.kill()
    with Writers(west, QUORUM) as writers:
        writers.wait_more()
        with client(west[1], QUORUM) as writer:
            assert_each_is_refused(writer)
            writer.delete("deleted")
            writer.set("changed", 2)
            writer.incrby("count", 10)
    for node in east:
        node.start()
    for node in east:
        node.wait_ready()
    cluster.wait_connected()
    wait_converged(cluster, writers)
    for node in cluster:
        with client(node, ONE) as reader:
            after: dict[str, bytes | None] = {"old": b"1", "deleted": None, "changed": b"2", "count": b"20"}
            for key, value in after.items():
                wait_read(reader, key, value)


def assert_each_is_refused(writer: object) -> None:
    assert isinstance(writer, redis.Redis)
    set_level(writer, EACH)
    needs = "needs 2 replicas in dc2, 0 alive"
    wait_until(
        lambda: (said := refusal(writer)).startswith("NOREPLICAS") and needs in said, "EACH is refused"
    )
    set_level(writer, SAFE)
    assert writer.set("refused", "not any more")
    set_level(writer, QUORUM)


def refusal(writer: redis.Redis) -> str:
    try:
        writer.set("refused", "x")
    except redis.ResponseError as error:
        return str(error)
    return ""


def test_a_frozen_datacenter_does_not_hold_up_the_other(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(LAYOUT, {"timeouts": {"down_after": "1s"}})
    west, east = nodes_of(cluster, "dc1"), nodes_of(cluster, "dc2")
    with Writers(west, QUORUM) as writers:
        writers.wait_more()
        for node in east:
            node.freeze()
        writers.wait_more(1000)
        wait_missed(cluster, *east)
        writers.wait_more()
        for node in east:
            node.thaw()
        writers.wait_more()
    assert not writers.uncertain
    assert not writers.refused
    wait_converged(cluster, writers)
