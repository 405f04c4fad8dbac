"""Real nodes that know of nothing but a seed find each other, in whatever order they start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from tests.integration.cluster import QUORUM, Writers, client
from tests.integration.seeded import SeededNodes, seed
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration

NAMES = ("node1", "node2", "node3")


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[SeededNodes]:
    with SeededNodes(tmp_path) as nodes:
        yield nodes


def three_racks(seeded: SeededNodes, host: str = "127.0.0.1") -> None:
    """Three nodes in three racks, of which the first is everybody's seed."""
    for name in NAMES:
        seeded.lay_out(name, f"rack-{name}", host)
    for name in NAMES:
        seeded.configure(name, seed(seeded["node1"]))


@pytest.mark.parametrize("order", ["213", "321"])
def test_one_seed_is_enough_in_whatever_order_they_start(seeded: SeededNodes, order: str) -> None:
    three_racks(seeded)
    for number in order:
        seeded[f"node{number}"].start()
        seeded[f"node{number}"].wait_ready()
    seeded.wait_joined()

    with client(seeded["node3"], QUORUM) as three, client(seeded["node2"], QUORUM) as two:
        assert three.set("greeting", "hello")
        assert two.get("greeting") == b"hello"


def test_a_seeds_file_may_come_later(seeded: SeededNodes) -> None:
    for name in NAMES:
        seeded.lay_out(name, f"rack-{name}")
    seeds = seeded.directory / "seeds.txt"
    for name in NAMES:
        seeded.configure(name, f'{{ file = "{seeds}" }}').start()
    for name in NAMES:
        seeded[name].wait_ready()
    assert seeded["node1"].info("dynomite")["members"] == "1"

    first = seeded["node1"]
    seeds.write_text(f"{first.host}:{first.peer_port}:rack-node1:dc1:16383|\n", encoding="utf-8")
    seeded.wait_joined()

    assert seeded["node3"].info("dynomite")["members"] == "3"
    assert seeded["node2"].log_text().count("seeds.txt cannot be read") == 1


def test_clients_are_told_the_address_that_is_announced(seeded: SeededNodes) -> None:
    for name in NAMES:
        seeded.lay_out(name, f"rack-{name}")
    for name in NAMES:
        seeded.configure(name, seed(seeded["node1"]), 'announce_host = "localhost"').start()
    seeded.wait_joined()

    told = {bytes(node[0]) for part in seeded["node2"].command("CLUSTER", "SLOTS") for node in part[2:]}
    assert told == {b"localhost"}
    with RedisCluster(host="localhost", port=seeded["node3"].port) as cluster:
        assert cluster.set("greeting", "hello")
        assert cluster.get("greeting") == b"hello"


def test_three_nodes_on_ipv6_and_a_cluster_client(seeded: SeededNodes) -> None:
    three_racks(seeded, host="::1")
    for name in NAMES:
        seeded[name].start()
    seeded.wait_joined()

    with RedisCluster(host="::1", port=seeded["node2"].port) as cluster:
        for number in range(50):
            assert cluster.set(f"key:{number}", number)
        assert [cluster.get(f"key:{number}") for number in range(50)] == [b"%d" % n for n in range(50)]
        assert {node.host for node in cluster.get_nodes()} == {"::1"}
    lines = seeded["node1"].command("CLUSTER", "NODES").decode().splitlines()
    places = {f"::1:{seeded[name].port}@{seeded[name].peer_port}" for name in NAMES}
    assert {line.split()[1] for line in lines} == places


def test_a_node_joins_and_is_forgotten_while_others_write(seeded: SeededNodes) -> None:
    three_racks(seeded)
    for name in NAMES:
        seeded[name].start()
    seeded.wait_joined()
    seeded.lay_out("node4", "rack-node2")
    late = seeded.configure("node4", seed(seeded["node3"]), "tokens = [8191]")

    with Writers([seeded[name] for name in NAMES]) as writers:
        writers.wait_more()
        late.start()
        seeded.wait_joined()
        writers.wait_more()
        node4_id = late.command("CLUSTER", "MYID")
        assert str(seeded["node1"].command("CLUSTER", "FORGET", node4_id)) == (
            "ERR node4 is not known to be down: stop it first"
        )
        late.kill()
        wait_until(lambda: _forget(seeded["node1"], node4_id), "node4 is forgotten")
        seeded.wait_joined(*NAMES)
        writers.wait_more()

    assert not writers.surprises
    assert seeded["node3"].info("dynomite")["members"] == "3"
    with client(seeded["node2"], QUORUM) as two:
        for key, value in writers.acknowledged.items():
            assert two.get(key) == value


def _forget(node: LocalNode, node_id: bytes) -> bool:
    return bool(node.command("CLUSTER", "FORGET", node_id) == b"OK")


def test_nodes_that_run_alone_are_introduced_by_hand(seeded: SeededNodes) -> None:
    for name in ("node1", "node2"):
        seeded.lay_out(name, f"rack-{name}")
        seeded.configure(name, "[]").start()
    for name in ("node1", "node2"):
        seeded[name].wait_ready()
    one, two = seeded["node1"], seeded["node2"]

    assert one.command("CLUSTER", "MEET", two.host, two.port, two.peer_port) == b"OK"
    seeded.wait_joined()

    assert str(one.command("CLUSTER", "MEET", two.host, "no port")).startswith("ERR Invalid node address")
    assert str(one.command("CLUSTER", "FORGET", "0" * 40)).startswith("ERR Unknown node")
    own_id = one.command("CLUSTER", "MYID")
    assert "can't forget myself" in str(one.command("CLUSTER", "FORGET", own_id))
