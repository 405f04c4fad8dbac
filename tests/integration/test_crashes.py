"""Nodes that are killed, frozen, too few, or back: what was acknowledged is kept, the rest is refused."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.cluster import (
    ONE,
    QUORUM,
    Writers,
    assert_kept,
    client,
    key_led_by,
    wait_converged,
    wait_missed,
)
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration

AT_ONCE_S = 1.0


def survivors(cluster: LocalCluster) -> list[LocalNode]:
    return [cluster["node2"], cluster["node3"]]


def test_flushall_right_after_the_start(make_cluster: MakeCluster) -> None:
    for node in make_cluster():
        assert node.command("FLUSHALL") == b"OK"


def test_a_killed_primary_loses_nothing_that_was_acknowledged(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    victim = cluster["node1"]
    with Writers(survivors(cluster) * 2, QUORUM) as writers:
        writers.wait_more()
        victim.kill()
        writers.wait_more()
        victim.start()
        victim.wait_ready()
        writers.wait_more()
    cluster.wait_connected()
    assert not writers.refused, writers.refused[:3]
    for node in cluster:
        assert_kept(writers, node, QUORUM)
    wait_converged(cluster, writers)


def test_every_node_is_killed_in_turn_under_load(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    with Writers([*cluster], QUORUM) as writers:
        writers.wait_more()
        for node in cluster:
            node.kill()
            writers.wait_more()
            node.start()
            node.wait_ready()
            cluster.wait_connected()
            writers.wait_more()
    for node in cluster:
        assert_kept(writers, node, QUORUM)
    wait_converged(cluster, writers)


def test_a_frozen_primary_is_replaced_and_comes_back(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"timeouts": {"down_after": "1s"}})
    silent = cluster["node1"]
    with Writers(survivors(cluster) * 2, QUORUM) as writers:
        writers.wait_more()
        silent.freeze()
        writers.wait_more()
        with client(cluster["node2"], QUORUM) as connected:
            key = key_led_by(cluster, cluster["node2"], asked=cluster["node2"])
            assert connected.set(key, "written while one is silent")
        silent.thaw()
        writers.wait_more()
    cluster.wait_connected()
    for node in cluster:
        assert_kept(writers, node, QUORUM)
    wait_converged(cluster, writers)


def test_too_few_replicas_refuse_a_quorum_write_at_once_and_keep_nothing(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    last = cluster["node1"]
    with client(last, QUORUM) as connected:
        connected.set("before", "kept")
    for node in survivors(cluster):
        node.kill()
    key = "refused"
    wait_refusal(last, key)
    with client(last, QUORUM) as connected:
        began = time.monotonic()
        with pytest.raises(redis.ResponseError, match=r"NOREPLICAS .*needs 2 replicas in dc1, 1 alive"):
            connected.set(key, "x")
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            connected.get("before")
        assert time.monotonic() - began < AT_ONCE_S
    with client(last, ONE) as connected:
        assert connected.get(key) is None
        assert connected.get("before") == b"kept"
        assert connected.set("alone", "goes on")
        assert connected.incr("counter") == 1
    for node in survivors(cluster):
        node.start()
        node.wait_ready()
    cluster.wait_connected()
    for node in cluster:
        with client(node, QUORUM) as connected:
            assert connected.mget("before", "alone", "counter", key) == [b"kept", b"goes on", b"1", None]


def wait_refusal(node: LocalNode, key: str) -> None:
    """Until the node has noticed that its peers are dead, a write's outcome may be unknown: of other keys."""
    deadline = time.monotonic() + 10
    for number in range(10_000):
        with client(node, QUORUM) as connected:
            try:
                connected.set(f"probe:{number}", "x")
            except redis.ResponseError as error:
                if str(error).startswith("NOREPLICAS") and "1 alive" in str(error):
                    return
        assert time.monotonic() < deadline, f"no refusal of {key}"


def test_a_node_whose_data_is_gone_serves_only_what_it_has_learned(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    with client(cluster["node2"], QUORUM) as connected:
        for start in range(0, 20_000, 1000):
            connected.mset({f"k:{number}": number for number in range(start, start + 1000)})
    for node in cluster:
        node.kill()
        node.start()
        node.wait_ready()
        with client(node, ONE) as connected:
            values = connected.mget([f"k:{number}" for number in range(20_000)])
        assert values == [b"%d" % number for number in range(20_000)], node.name
        cluster.wait_connected()


def test_a_delete_is_not_forgotten_by_a_node_that_was_away(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"timeouts": {"down_after": "1s"}})
    keys = [f"d:{number}" for number in range(1000)]
    away = cluster["node1"]
    with client(cluster["node2"], QUORUM) as connected:
        connected.mset(dict.fromkeys(keys, "x"))
        away.freeze()
        wait_missed(cluster, away)
        for key in keys[::100]:
            wait_deleted(connected, key)
        away.thaw()
    for node in cluster:
        with client(node, QUORUM) as connected:
            wait_exist(connected, keys, 990)


def wait_deleted(connected: Any, key: str) -> None:
    """Delete it, again while nobody knows whether that was done."""
    wait_until(lambda: replied(connected.delete, key) in (0, 1), f"{key} is deleted")


def replied(command: Callable[..., Any], *args: str) -> Any:
    """The reply to a command, or the error that it was answered with."""
    try:
        return command(*args)
    except redis.ResponseError as error:
        return error


def wait_exist(connected: Any, keys: list[str], count: int) -> None:
    wait_until(lambda: replied(connected.exists, *keys) == count, f"{count} keys are there")


def test_a_node_that_was_frozen_does_not_blame_the_others(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"timeouts": {"down_after": "1s", "request": "8s"}})
    frozen = cluster["node1"]
    with client(frozen, QUORUM) as connected:
        connected.set("key", "value")
        frozen.freeze()
        wait_missed(cluster, frozen)
        frozen.thaw()
        for _ in range(50):
            assert connected.get("key") == b"value"
    assert "peer.down" not in frozen.log_text().partition("ready")[2]
