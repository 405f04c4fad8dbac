"""Gossip between real processes: a death is known, a short pause is none, a stop is said, garbage is nil."""

import socket
import time

import pytest

from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration


def held(node: LocalNode) -> dict[str, int]:
    """How many members `node` holds for what."""
    info = node.info("stats")
    return {status: int(info[f"gossip_{status}"]) for status in ("alive", "suspect", "dead", "left")}


def wait_held(node: LocalNode, timeout_s: float = 10.0, **wanted: int) -> None:
    """Wait until `node` holds so many for that, and nobody for anything else."""
    expected = {"alive": 0, "suspect": 0, "dead": 0, "left": 0} | wanted
    wait_until(lambda: held(node) == expected, f"{node.name} holds {expected}", timeout_s=timeout_s)


def test_a_killed_node_is_dead_to_the_others_and_back_when_it_is(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    others = [cluster["node1"], cluster["node2"]]
    cluster["node3"].kill()
    for node in others:
        wait_held(node, 8.0, alive=2, dead=1)
    cluster["node3"].start()
    cluster["node3"].wait_ready()
    for node in cluster:
        wait_held(node, alive=3)


def test_a_node_that_is_stopped_has_left(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    assert cluster["node3"].stop() == 0
    for node in (cluster["node1"], cluster["node2"]):
        wait_held(node, alive=2, left=1)
        assert "gossip.died" not in node.log_text()


def test_a_pause_of_one_and_a_half_seconds_is_no_death(make_cluster: MakeCluster) -> None:
    # By default that is just not too long (the simulation has it exactly); a busy machine makes it longer.
    cluster = make_cluster(sections={"gossip": {"suspicion_multiplier": 7}})
    paused = cluster["node2"]
    paused.freeze()
    # The length of the pause is what is tested.
    time.sleep(1.5)
    paused.thaw()
    for node in cluster:
        wait_held(node, alive=3)
        assert "gossip.died" not in node.log_text()


def test_garbage_at_the_port_of_gossip_harms_nobody(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    before = int(node.info("stats")["gossip_foreign"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for size in range(0, 3000, 10):
            sock.sendto(bytes([size % 256]) * size, (node.host, node.peer_port))
    wait_until(lambda: int(node.info("stats")["gossip_foreign"]) > before, "garbage is counted")
    for each in cluster:
        wait_held(each, alive=3)
        assert each.command("PING") in ("PONG", b"PONG")
