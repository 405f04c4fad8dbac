"""CLUSTER: what cluster clients are told, when all is well and when nodes are away."""

from itertools import pairwise
from typing import Any

import pytest

from tests.unit.server.answers_subject import Client, Subject, make_subject
from trio_dynomite.model import NodeState
from trio_dynomite.peers.peer import Liveness
from trio_dynomite.topology.partitioner import redis_slot


@pytest.fixture
def subject() -> Subject:
    return make_subject()


@pytest.fixture
def client(subject: Subject) -> Client:
    return subject.client()


def ports(entry: list[Any]) -> list[int]:
    return [node[1] for node in entry[2:]]


def node_lines(client: Client) -> dict[str, list[str]]:
    """Address → the words of its line in CLUSTER NODES."""
    lines = [line.split() for line in client.text("CLUSTER", "NODES").splitlines()]
    return {words[1]: words for words in lines}


def health(client: Client) -> dict[int, bytes]:
    """Port → health, as CLUSTER SHARDS tells it."""
    client("HELLO", "3")
    nodes = [node for shard in client("CLUSTER", "SHARDS") for node in shard[b"nodes"]]
    return {node[b"port"]: node[b"health"] for node in nodes}


def primaries(client: Client) -> dict[int, int]:
    """Slot → the port of who leads it, out of CLUSTER SLOTS."""
    return {
        slot: ports(entry)[0]
        for entry in client("CLUSTER", "SLOTS")
        for slot in range(entry[0], entry[1] + 1)
    }


def test_slots_cover_the_ring_once_with_the_acting_primary_first(subject: Subject, client: Client) -> None:
    entries = client("CLUSTER", "SLOTS")
    covered = [slot for first, last, *_ in entries for slot in range(first, last + 1)]
    assert covered == list(range(16384))
    for entry in entries:
        route = subject.engine.table.of_position(entry[0])
        leader = subject.engine.node if route.leader is None else route.leader.node
        assert ports(entry)[0] == leader.client_port
        assert sorted(ports(entry)) == [7001, 7002, 7003]


def test_slots_follow_a_fail_over_and_leave_the_dead_out(subject: Subject, client: Client) -> None:
    before = primaries(client)
    subject.down("n2")
    after = primaries(client)
    assert len(after) == 16384
    assert 7002 not in {port for entry in client("CLUSTER", "SLOTS") for port in ports(entry)}
    assert all(after[slot] == port for slot, port in before.items() if port != 7002)


def test_a_peer_whose_link_just_broke_still_leads(subject: Subject, client: Client) -> None:
    before = primaries(client)
    subject.peer("n2").liveness, subject.peer("n2").link = Liveness.LIMBO, None
    subject.engine.routes_changed()
    assert primaries(client) == before


def test_slots_are_known_before_anybody_is_heard_of() -> None:
    subject = make_subject()
    for peer in subject.engine.roster.peers.values():
        peer.liveness, peer.state, peer.link = Liveness.LIMBO, NodeState.UNKNOWN, None
    subject.engine.set_state(NodeState.JOINING)
    assert len(primaries(subject.client())) == 16384


def test_a_host_by_name_is_the_endpoint_and_in_the_metadata() -> None:
    client = make_subject(hosts=("10.0.0.1", "db2.example", "10.0.0.3")).client()
    client("HELLO", "3")
    told = {node[0]: node[3] for node in client("CLUSTER", "SLOTS")[0][2:]}
    assert told == {b"10.0.0.1": {}, b"db2.example": {b"hostname": b"db2.example"}, b"10.0.0.3": {}}
    assert "db2.example:7002@8002,db2.example" in node_lines(client)


def test_nodes_are_all_masters_of_the_slots_that_they_lead(client: Client) -> None:
    lines = node_lines(client)
    assert lines["127.0.0.1:7001@8001"][2] == "myself,master"
    assert lines["127.0.0.1:7002@8002"][2:4] == ["master", "-"]
    assert all(words[7] == "connected" for words in lines.values())
    runs = sorted(tuple(map(int, run.split("-"))) for words in lines.values() for run in words[8:])
    assert runs[0][0] == 0
    assert runs[-1][1] == 16383
    assert all(one[1] + 1 == next_[0] for one, next_ in pairwise(runs))


def test_a_dead_node_is_flagged_and_leads_nothing(subject: Subject, client: Client) -> None:
    subject.down("n2")
    subject.peer("n3").liveness, subject.peer("n3").link = Liveness.LIMBO, None
    lines = node_lines(client)
    assert lines["127.0.0.1:7002@8002"][2] == "master,fail"
    assert lines["127.0.0.1:7002@8002"][7:] == ["disconnected"]
    assert lines["127.0.0.1:7003@8003"][2] == "master,fail?"


def test_shards_have_one_master_each_and_tell_everybodys_health(subject: Subject, client: Client) -> None:
    client("HELLO", "3")
    shards = client("CLUSTER", "SHARDS")
    roles = [[node[b"role"] for node in shard[b"nodes"]] for shard in shards]
    assert roles == [[b"master", b"replica", b"replica"]] * 3
    slots = sum(
        last - first + 1 for shard in shards for first, last in zip(*[iter(shard[b"slots"])] * 2, strict=True)
    )
    assert slots == 16384
    subject.down("n2")
    subject.peer("n3").state = NodeState.JOINING
    subject.engine.routes_changed()
    assert health(client) == {7001: b"online", 7002: b"fail", 7003: b"loading"}


def test_my_shard_is_the_one_that_i_lead(client: Client) -> None:
    client("HELLO", "3")
    mine = client("CLUSTER", "MYID")
    shard = next(shard for shard in client("CLUSTER", "SHARDS") if shard[b"nodes"][0][b"id"] == mine)
    assert client("CLUSTER", "MYSHARDID") == shard[b"id"] != mine
    assert len(mine) == len(shard[b"id"]) == 40


def test_the_cluster_is_ok_while_every_slot_has_a_live_replica(subject: Subject, client: Client) -> None:
    subject.down("n2")
    told = client.text("CLUSTER", "INFO")
    assert "cluster_state:ok\r\n" in told
    assert "cluster_known_nodes:3\r\ncluster_size:2\r\n" in told
    assert "cluster_nodes_fail:1\r\n" in told


def test_the_cluster_fails_when_slots_have_nobody() -> None:
    subject = one_rack()
    subject.down("n2")
    client = subject.client()
    told = client.text("CLUSTER", "INFO")
    assert "cluster_state:fail\r\n" in told
    assert "cluster_slots_ok:8192\r\n" in told
    assert len(primaries(client)) == 8192


def one_rack() -> Subject:
    """Two nodes that share a ring without copies."""
    return make_subject(hosts=("127.0.0.1",) * 2, racks=("r1", "r1"))


def test_keys_of_a_slot_are_counted_and_listed(subject: Subject, client: Client) -> None:
    keys = [b"{tag}1", b"{tag}2", b"{tag}3"]
    slot = redis_slot(b"tag")
    for key in [*keys, b"{tag}4"]:
        subject.engine.keyspace.put(key, b"value")
    subject.engine.keyspace.delete(b"{tag}4")
    assert client("CLUSTER", "KEYSLOT", keys[0]) == slot
    assert client("CLUSTER", "COUNTKEYSINSLOT", str(slot)) == 3
    assert sorted(client("CLUSTER", "GETKEYSINSLOT", str(slot), "10")) == sorted(keys)
    assert len(client("CLUSTER", "GETKEYSINSLOT", str(slot), "2")) == 2


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("COUNTKEYSINSLOT", "x"), "ERR value is not an integer or out of range"),
        (("COUNTKEYSINSLOT", "16384"), "ERR Invalid slot"),
        (("GETKEYSINSLOT", "0", "-1"), "ERR Invalid slot or number of keys"),
        (("COUNT-FAILURE-REPORTS", "foo"), "ERR Unknown node foo"),
    ],
)
def test_wrong_arguments_are_refused_in_redis_words(
    client: Client, words: tuple[str, ...], error: str
) -> None:
    assert client.error("CLUSTER", *words) == error


def test_a_failure_is_reported_by_who_found_it(subject: Subject, client: Client) -> None:
    subject.down("n2")
    dead, live = subject.peer("n2").node.cluster_id, subject.peer("n3").node.cluster_id
    assert client("CLUSTER", "COUNT-FAILURE-REPORTS", dead) == 1
    assert client("CLUSTER", "COUNT-FAILURE-REPORTS", live) == 0


def test_links_are_those_that_are_open(subject: Subject, client: Client) -> None:
    subject.down("n2")
    client("HELLO", "3")
    (link,) = client("CLUSTER", "LINKS")
    assert link[b"direction"] == b"to"
    assert link[b"node"] == subject.peer("n3").node.cluster_id.encode()


@pytest.mark.parametrize("words", [("SLOTS",), ("INFO",), ("KEYSLOT", "a"), ("HELP",)])
def test_a_hash_partitioner_has_no_cluster_commands(words: tuple[str, ...]) -> None:
    client = make_subject("murmur").client()
    assert client.error("CLUSTER", *words) == "ERR This instance has cluster support disabled"


def test_repair_is_asked_for_and_tells_what_it_does(subject: Subject, client: Client) -> None:
    client("HELLO", "3")
    for peer in subject.engine.roster.peers.values():
        peer.link = None  # there is nobody at its other end
    peers = len(subject.engine.roster.peers)

    assert client("CLUSTER", "REPAIR", "NOW") == peers
    assert client("CLUSTER", "REPAIR", "STATUS")[b"peers-waiting"] == peers
    assert client("CLUSTER", "REPAIR", "NOW", "5", "9") == peers
    assert {wanted.slots for wanted in subject.engine.repair.urgent.values()} == {range(5, 10)}


@pytest.mark.parametrize("words", ["NOW 1", "NOW 9 5", "NOW 0 16384", "LATER", "NOW x 5", "STATUS 3"])
def test_a_repair_of_nonsense_is_refused(client: Client, words: str) -> None:
    assert str(client("CLUSTER", "REPAIR", *words.split())).startswith("ERR ")
