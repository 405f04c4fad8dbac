"""Routes: who leads, who serves, which levels can be reached, as peers come and go."""

from random import Random

import pytest
from attrs import define, field

from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.routes import UNREACHABLE, VERIFIED
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.link import Link
from trio_dynomite.peers.peer import Liveness, Peer
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import EPOCH_MS
from trio_dynomite.topology.partitioner import redis_slot

ME, SECOND, THIRD = "d1r1n1", "d1r2n1", "d1r3n1"


class Silence:
    """A pipe that nobody reads."""

    unsent = 0
    room_made = 0

    def write(self, data: bytes) -> None: ...
    def close(self, reason: str = "") -> None: ...
    def close_when_sent(self) -> None: ...
    def hold(self, held: bool) -> None: ...


@define
class Cluster:
    """The first node of a cluster of three racks, which are all up at first."""

    engine: Engine = field(init=False)
    racks: tuple[list[int], ...] = ([1, 1, 1],)

    def __attrs_post_init__(self) -> None:
        self.engine = build_engine(layout(*self.racks), ME, EPOCH_MS, lambda event, **facts: None, Random(1))
        self.engine.begin(EPOCH_MS, 100.0)
        self.engine.set_state(NodeState.NORMAL)
        for name in self.engine.roster.peers:
            self.up(name)
        self.agree()

    def peer(self, name: str) -> Peer:
        return self.engine.roster.peers[name]

    def up(self, name: str, state: NodeState = NodeState.NORMAL) -> None:
        peer = self.peer(name)
        peer.liveness, peer.state = Liveness.UP, state
        peer.link = Link(self.engine, peer, Silence(), is_open=True)
        self.engine.routes_changed()

    def away(self, name: str, liveness: Liveness) -> None:
        peer = self.peer(name)
        peer.liveness, peer.link = liveness, None
        self.engine.routes_changed()

    def agree(self, *names: str) -> None:
        """These peers' word is fresh, and they agree with all that we think."""
        for name in names or self.engine.roster.peers:
            peer = self.peer(name)
            peer.synced, peer.vouches, peer.vouched_s = True, True, self.engine.mono_s
            peer.agreed = frozenset(range(len(self.engine.table.routes)))
        self.engine.synced()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_every_rack_leads_its_share(cluster: Cluster) -> None:
    leaders = {route.placement.all[0] for route in cluster.engine.table.routes}

    assert leaders == {ME, SECOND, THIRD}
    for route in cluster.engine.table.routes:
        first = route.placement.all[0]
        assert (route.leads, route.leader_name) == (first == ME, "" if first == ME else first)


def test_nobody_takes_the_place_of_a_primary_in_limbo(cluster: Cluster) -> None:
    route = next(route for route in cluster.engine.table.routes if route.placement.all[0] == SECOND)
    cluster.away(SECOND, Liveness.LIMBO)

    assert route.leader is cluster.peer(SECOND)
    assert not route.leads


def test_the_next_in_order_takes_the_place_of_a_primary_that_is_down(cluster: Cluster) -> None:
    for route in cluster.engine.table.routes:
        first, second = route.placement.all[:2]
        if first == ME:
            continue
        cluster.away(first, Liveness.DOWN)
        assert route.leader_name == ("" if second == ME else second)
        assert route.leads is (second == ME)
        cluster.up(first)
        assert route.leader_name == first


@pytest.mark.parametrize("state", [NodeState.JOINING, NodeState.STANDBY, NodeState.UNKNOWN])
def test_who_is_not_normal_neither_leads_nor_serves(cluster: Cluster, state: NodeState) -> None:
    cluster.up(SECOND, state)

    for route in cluster.engine.table.routes:
        assert route.leader_name != SECOND
        assert cluster.peer(SECOND) not in route.readers()
        assert cluster.peer(SECOND) in route.copies


def test_a_node_that_is_not_normal_itself_does_not_lead_or_serve(cluster: Cluster) -> None:
    cluster.engine.set_state(NodeState.STANDBY)

    assert not any(route.leads or route.serves or route.is_ready for route in cluster.engine.table.routes)


def test_a_primary_is_ready_once_a_majority_agrees(cluster: Cluster) -> None:
    cluster.away(THIRD, Liveness.DOWN)
    cluster.up(THIRD)
    led = [route for route in cluster.engine.table.routes if route.leads]
    for peer in cluster.engine.roster.peers.values():
        peer.synced = False
    cluster.engine.synced()
    assert not any(route.is_ready for route in led)
    cluster.agree(SECOND)

    assert all(route.is_ready for route in led)


def test_a_primary_whose_replicas_disagree_is_not_ready(cluster: Cluster) -> None:
    for peer in cluster.engine.roster.peers.values():
        peer.agreed = frozenset()
    cluster.engine.synced()

    assert not any(route.is_ready for route in cluster.engine.table.routes)


def test_a_node_left_alone_is_ready_for_what_one_copy_can_do(cluster: Cluster) -> None:
    cluster.away(SECOND, Liveness.DOWN)
    cluster.away(THIRD, Liveness.DOWN)

    for route in cluster.engine.table.routes:
        assert route.is_ready
        assert route.acks == [0, UNREACHABLE, UNREACHABLE, UNREACHABLE]
        assert route.write_shortfall[Level.DC_ONE] is None
        assert route.read_shortfall[Level.DC_QUORUM] == "DC_QUORUM needs 2 replicas in dc1, 1 alive"


@pytest.mark.parametrize(
    ("lost", "acks"), [((), [0, 1, VERIFIED, VERIFIED]), ((THIRD,), [0, 1, VERIFIED, VERIFIED])]
)
def test_what_a_write_waits_for(cluster: Cluster, lost: tuple[str, ...], acks: list[int]) -> None:
    for name in lost:
        cluster.away(name, Liveness.DOWN)

    assert all(route.acks == [0, 1, VERIFIED, VERIFIED] for route in cluster.engine.table.routes)


def test_a_replica_that_warms_up_counts_for_writes_and_not_for_reads(cluster: Cluster) -> None:
    cluster.away(SECOND, Liveness.DOWN)
    cluster.up(THIRD, NodeState.JOINING)

    for route in cluster.engine.table.routes:
        assert route.write_shortfall[Level.DC_QUORUM] is None
        assert route.read_shortfall[Level.DC_QUORUM] is not None


def test_the_number_of_the_view_grows_with_every_change_of_a_leader_and_only_then(cluster: Cluster) -> None:
    before = cluster.engine.view_number
    cluster.engine.routes_changed()
    cluster.away(SECOND, Liveness.LIMBO)
    assert cluster.engine.view_number == before
    cluster.away(SECOND, Liveness.DOWN)

    assert cluster.engine.view_number == before + 1
    assert not any(peer.synced for peer in cluster.engine.roster.peers.values()), "all have to agree anew"


@pytest.mark.parametrize("key", [b"k", b"", b"{tag}k", b"k{tag}", b"{}k", b"{", b"\xff" * 50])
def test_locating_a_key_tells_the_keyspace_its_slot(cluster: Cluster, key: bytes) -> None:
    table, keyspace = cluster.engine.table, cluster.engine.keyspace

    assert table.locate(key) is table.of_key(key) is table.of_position(redis_slot(key))
    assert (keyspace.key, keyspace.slot) == (key, redis_slot(key))


def test_another_datacenter_has_its_own_order_and_does_not_lead_here() -> None:
    cluster = Cluster(racks=([1, 1], [1, 1, 1]))
    cluster.agree()
    for route in cluster.engine.table.routes:
        assert route.leader_name in ("", "d1r2n1")
        assert len(route.remote["dc2"]) == 3
        assert len(list(route.everywhere())) == 4
    for name in ("d2r1n1", "d2r2n1"):
        cluster.away(name, Liveness.DOWN)

    for route in cluster.engine.table.routes:
        assert route.write_shortfall[: Level.DC_EACH_SAFE_QUORUM] == [None] * 3
        assert route.write_shortfall[Level.DC_EACH_SAFE_QUORUM] is not None
