"""What the settings say about the cluster: its members, their tokens, and which of them belong here."""

import pytest

from trio_dynomite.config import Cluster, NodeSettings, Settings
from trio_dynomite.model import node_id


def node(name: str, rack: str = "r1", **more: object) -> NodeSettings:
    return NodeSettings(name=name, rack=rack, client_port=1, peer_port=2, admin_port=3, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("partitioner", "tokens"),
    [("slots", [(5460,), (10921,), (16383,)]), ("murmur", [(0,), (1431655765,), (2863311530,)])],
)
def test_a_rack_without_tokens_shares_the_ring_evenly(
    partitioner: str, tokens: list[tuple[int, ...]]
) -> None:
    nodes = (node("a"), node("x", "r2"), node("b"), node("c"))

    members = Settings(cluster=Cluster(partitioner=partitioner), nodes=nodes).members

    assert [member.tokens for member in members if member.rack == "r1"] == tokens


def test_racks_of_the_same_name_in_two_datacenters_are_two_racks() -> None:
    members = Settings(nodes=(node("a"), node("b", datacenter="dc2"))).members

    assert [member.tokens for member in members] == [(16383,), (16383,)]


def test_a_member_keeps_its_own_tokens_and_is_known_by_its_announced_host() -> None:
    (member,) = Settings(nodes=(node("a", tokens=(7, 9), host="0.0.0.0", announce_host="db1"),)).members

    assert (member.name, member.host, member.tokens, member.id) == ("a", "db1", (7, 9), node_id("a"))
    assert (member.client_port, member.peer_port, member.admin_port) == (1, 2, 3)


def test_a_node_is_found_by_its_name() -> None:
    settings = Settings(nodes=(node("a"), node("b")))

    assert settings.node("b").name == "b"
    with pytest.raises(KeyError):
        settings.node("c")


@pytest.mark.parametrize(
    ("host", "announce_host", "local"),
    [
        ("127.0.0.1", None, True),
        ("127.9.9.9", "db2", True),
        ("::1", None, True),
        ("localhost", None, True),
        ("10.0.0.1", None, True),
        ("10.0.0.2", None, False),
        ("10.0.0.2", "10.0.0.1", False),
        ("0.0.0.0", "10.0.0.1", True),
        ("0.0.0.0", "10.0.0.2", False),
    ],
)
def test_a_node_belongs_to_the_machine_it_listens_on(
    host: str, announce_host: str | None, local: bool
) -> None:
    settings = Settings(nodes=(node("a", host=host, announce_host=announce_host),))

    assert bool(settings.local_nodes(lambda address: address == "10.0.0.1")) is local
