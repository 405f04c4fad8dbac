"""What must hold between nodes, and along the ring."""

import pytest

from trio_dynomite.config import Cluster, NodeSettings, checks
from trio_dynomite.config.settings import Gossip, Limits, Repair, Storage, Timeouts
from trio_dynomite.model import node_id

HASHED = Cluster(partitioner="murmur")


def numbered(*nodes: NodeSettings) -> checks.Numbered:
    return list(enumerate(nodes))


def node(name: str, base: int, rack: str = "r1", **more: object) -> NodeSettings:
    ports = {"client_port": base, "peer_port": base + 1, "admin_port": base + 2} | more
    return NodeSettings(name=name, rack=rack, **ports)  # type: ignore[arg-type]


def test_nodes_that_differ_are_right() -> None:
    nodes = numbered(node("a", 1), node("b", 11), node("c", 1, host="10.0.0.1"))

    assert list(checks.check_nodes(nodes)) == []
    assert list(checks.check_tokens(nodes, Cluster())) == []


def test_a_name_is_given_once() -> None:
    problems = list(checks.check_nodes(numbered(node("a", 1), node("b", 11), node("a", 21))))

    assert problems == [(("nodes", 2, "name"), "'a' is the name of nodes[0] too")]


def test_two_names_with_the_same_id_are_refused() -> None:
    # Found by search: names whose 32-bit hashes are equal, so that their stamps could be equal too.
    first, second = "n91300", "n669846"
    assert node_id(first) == node_id(second)

    problems = list(checks.check_nodes(numbered(node(first, 1), node(second, 11))))

    assert [place for place, _ in problems] == [("nodes", 1, "name")]
    assert "has the same 32-bit id" in problems[0][1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost"])
def test_a_port_of_a_host_is_given_once(host: str) -> None:
    problems = list(checks.check_nodes(numbered(node("a", 1), node("b", 3, host=host))))

    assert problems == [(("nodes", 1, "client_port"), "127.0.0.1:3 is taken by nodes[0].admin_port")]


def test_the_ports_of_one_node_differ() -> None:
    problems = list(checks.check_nodes(numbered(node("a", 1, peer_port=1))))

    assert problems == [(("nodes", 0, "peer_port"), "127.0.0.1:1 is taken by nodes[0].client_port")]


def test_two_nodes_are_not_announced_as_the_same_address() -> None:
    nodes = numbered(
        node("a", 1, host="10.0.0.1", announce_host="db"), node("b", 1, host="10.0.0.2", announce_host="db")
    )

    ports = [key for key in checks.PORTS if key != "memcached_port"]  # they have none
    assert {place for place, _ in checks.check_nodes(nodes)} == {("nodes", 1, key) for key in ports}


def test_two_nodes_may_do_without_memcached_and_not_share_a_port_for_it() -> None:
    without = numbered(node("a", 1), node("b", 11))
    shared = numbered(node("a", 1, memcached_port=12), node("b", 11))

    assert list(checks.check_nodes(without)) == []
    assert [place for place, _ in checks.check_nodes(shared)] == [("nodes", 1, "peer_port")]


def test_machines_that_listen_everywhere_may_use_the_same_ports() -> None:
    nodes = numbered(
        node("a", 1, host="0.0.0.0", announce_host="db1"), node("b", 1, host="0.0.0.0", announce_host="db2")
    )

    assert list(checks.check_nodes(nodes)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_node_that_listens_everywhere_must_say_where_it_is(host: str) -> None:
    problems = list(checks.check_nodes(numbered(node("a", 1, host=host))))

    assert problems == [
        (
            ("nodes", 0, "host"),
            f"nobody can connect to {host}: give announce_host, the address to reach it by",
        )
    ]


@pytest.mark.parametrize(
    ("cluster", "token", "token_max"),
    [(Cluster(), 16384, 16383), (HASHED, 2**32, 2**32 - 1), (HASHED, -1, 2**32 - 1)],
)
def test_a_token_off_the_ring_is_refused(cluster: Cluster, token: int, token_max: int) -> None:
    problems = list(checks.check_tokens(numbered(node("a", 1, tokens=(0, token))), cluster))

    assert [place for place, _ in problems] == [("nodes", 0, "tokens", 1)]
    assert f"must be from 0 to {token_max}" in problems[0][1]


@pytest.mark.parametrize(("cluster", "token"), [(Cluster(), 16383), (HASHED, 2**32 - 1)])
def test_the_last_token_is_on_the_ring(cluster: Cluster, token: int) -> None:
    assert list(checks.check_tokens(numbered(node("a", 1, tokens=(0, token))), cluster)) == []


def test_a_token_is_given_once_in_a_rack_and_freely_in_another() -> None:
    nodes = numbered(
        node("a", 1, tokens=(1, 2)),
        node("b", 11, tokens=(2,)),
        node("c", 21, rack="r2", tokens=(2,)),
        node("d", 31, datacenter="dc2", tokens=(2,)),
    )

    problems = list(checks.check_tokens(nodes, Cluster()))

    assert problems == [(("nodes", 1, "tokens", 0), "2 is a token of 'a' in the same rack too")]


def test_in_a_rack_all_nodes_give_tokens_or_none() -> None:
    nodes = numbered(node("a", 1), node("b", 11, tokens=(2,)), node("c", 21, rack="r2"))

    problems = list(checks.check_tokens(nodes, Cluster()))

    assert [place for place, _ in problems] == [("nodes", 0, "tokens")]
    assert "'b' of the same rack (dc1/r1) gives its own" in problems[0][1]


def test_an_empty_list_of_tokens_is_refused() -> None:
    problems = list(checks.check_tokens(numbered(node("a", 1, tokens=())), Cluster()))

    assert [place for place, _ in problems] == [("nodes", 0, "tokens")]


def test_a_script_may_not_outlast_its_nodes_good_name() -> None:
    problems = list(checks.check_timeouts(Timeouts(script=2.0, down_after=2.0)))

    assert [place for place, _ in problems] == [("timeouts", "script")]
    assert "shorter than timeouts.down_after (2s)" in problems[0][1]


def test_reads_are_compared_afterwards_where_records_are_at_hand() -> None:
    some = Repair(read_chance=0.5)
    assert list(checks.check_repair(some, Storage(engine="rocksdb"))) == []
    assert list(checks.check_repair(Repair(), Storage(engine="memcached"))) == []
    mixed = numbered(node("a", 1), node("b", 11, storage="redis"))
    assert list(checks.check_repair(some, Storage(), mixed)) == []

    problems = list(checks.check_repair(some, Storage(engine="memcached")))

    assert [place for place, _ in problems] == [("repair", "read_chance")]
    assert "must be 0 with storage.engine 'memcached'" in problems[0][1]


def test_a_limit_of_memory_needs_an_engine_in_memory() -> None:
    limit = Limits(max_memory=1)
    assert list(checks.check_memory(Storage(), limit)) == []
    assert list(checks.check_memory(Storage(engine="rocksdb"), Limits())) == []

    problems = list(checks.check_memory(Storage(engine="rocksdb"), limit))

    assert [place for place, _ in problems] == [("limits", "max_memory")]


@pytest.mark.parametrize(
    ("gossip", "place"),
    [
        (Gossip(), None),
        (Gossip(interval=0.1, probe_timeout=0.1), "probe_timeout"),
        (Gossip(datagram=511), "datagram"),
        (Gossip(datagram=60_001), "datagram"),
    ],
)
def test_gossip_has_time_for_others_and_room_for_a_member(gossip: Gossip, place: str | None) -> None:
    places = [found for found, _ in checks.check_gossip(gossip)]
    assert places == ([] if place is None else [("gossip", place)])
