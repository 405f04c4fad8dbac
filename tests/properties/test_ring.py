"""What holds for every ring, whatever the racks and tokens."""

from collections import defaultdict
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_dynomite.model import Node
from trio_dynomite.topology.partitioner import Partitioner, make
from trio_dynomite.topology.view import View, owned_share, primary_share

SLOTS, MURMUR = make("slots", ""), make("murmur", "")


def _node(name: str, datacenter: str, rack: str, tokens: tuple[int, ...]) -> Node:
    return Node(
        name=name, datacenter=datacenter, rack=rack, tokens=tokens,
        host="h", client_port=1, peer_port=2, admin_port=3,
    )  # fmt: skip


@st.composite
def _rack(draw: st.DrawFn, datacenter: str, rack: str, ring_size: int) -> list[Node]:
    """A rack of one to four nodes; tokens anywhere, at the ends or crowded together."""
    position = st.integers(0, ring_size - 1) | st.integers(0, 12) | st.integers(ring_size - 12, ring_size - 1)
    owner_of = draw(st.dictionaries(position, st.integers(0, 3), min_size=1, max_size=12))
    tokens: dict[int, list[int]] = defaultdict(list)
    for token, owner in owner_of.items():
        tokens[owner].append(token)
    return [_node(f"{datacenter}-{rack}-{n}", datacenter, rack, tuple(own)) for n, own in tokens.items()]


@st.composite
def _clusters(draw: st.DrawFn) -> tuple[Partitioner, list[Node]]:
    partitioner = draw(st.sampled_from([SLOTS, MURMUR]))
    nodes: list[Node] = []
    for datacenter in range(draw(st.integers(1, 3))):
        for rack in range(draw(st.integers(1, 5))):
            nodes += draw(_rack(f"dc{datacenter}", f"r{rack}", partitioner.ring_size))
    return partitioner, nodes


def _walked_owner(rack: list[Node], position: int, ring_size: int) -> str:
    """The owner found by walking up the ring, token by token, and round its end."""
    by_distance = [((token - position) % ring_size, node.name) for node in rack for token in node.tokens]
    return min(by_distance)[1]


def _racks(nodes: list[Node]) -> dict[str, dict[str, list[Node]]]:
    racks: dict[str, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    for node in nodes:
        racks[node.datacenter][node.rack].append(node)
    return racks


@given(_clusters())
def test_the_ranges_cover_the_ring_exactly_once(cluster: tuple[Partitioner, list[Node]]) -> None:
    partitioner, nodes = cluster
    ranges = View.of(nodes, partitioner).ranges
    assert ranges[0].first == 0
    assert ranges[-1].last == partitioner.ring_size - 1
    for before, after in pairwise(ranges):
        assert before.first <= before.last == after.first - 1
        assert before.placement != after.placement


@given(_clusters(), st.data())
def test_a_placement_is_the_walked_owner_of_every_rack(
    cluster: tuple[Partitioner, list[Node]], data: st.DataObject
) -> None:
    partitioner, nodes = cluster
    view = View.of(nodes, partitioner)
    tokens = [token for node in nodes for token in node.tokens]
    near = st.sampled_from(tokens).flatmap(lambda token: st.sampled_from([token - 1, token, token + 1]))
    position = data.draw(near | st.integers(0, partitioner.ring_size - 1)) % partitioner.ring_size
    placement = view.placement_at(position)
    for datacenter, racks in _racks(nodes).items():
        owners = [_walked_owner(rack, position, partitioner.ring_size) for rack in racks.values()]
        assert sorted(placement.in_datacenter(datacenter)) == sorted(owners)


@given(_clusters())
def test_every_range_has_one_node_of_each_rack_in_rotated_order(
    cluster: tuple[Partitioner, list[Node]],
) -> None:
    partitioner, nodes = cluster
    view = View.of(nodes, partitioner)
    for part in view.ranges:
        for datacenter, racks in _racks(nodes).items():
            order = [view.nodes[name].rack for name in part.placement.in_datacenter(datacenter)]
            lead = sorted(racks).index(order[0])
            assert order == sorted(racks)[lead:] + sorted(racks)[:lead]


@given(_clusters(), st.randoms(use_true_random=False))
def test_the_view_is_the_same_whatever_the_order_of_the_nodes(
    cluster: tuple[Partitioner, list[Node]], rng: Random
) -> None:
    partitioner, nodes = cluster
    shuffled = list(nodes)
    rng.shuffle(shuffled)
    assert View.of(shuffled, partitioner) == View.of(nodes, partitioner)


@given(_clusters())
def test_shares_add_up_to_a_copy_a_rack_and_one_primary(cluster: tuple[Partitioner, list[Node]]) -> None:
    partitioner, nodes = cluster
    view = View.of(nodes, partitioner)
    for datacenter, racks in _racks(nodes).items():
        owned, led = owned_share(view, datacenter), primary_share(view, datacenter)
        assert abs(sum(led.values()) - 1) < 1e-9
        assert all(led[name] <= owned[name] for name in owned)
        for rack in racks.values():
            assert abs(sum(owned[node.name] for node in rack) - 1) < 1e-9


@given(
    partitioner=st.sampled_from([SLOTS, MURMUR]),
    racks=st.integers(1, 5),
    data=st.data(),
)
def test_racks_with_equal_tokens_lead_equal_shares(
    partitioner: Partitioner, racks: int, data: st.DataObject
) -> None:
    tokens = data.draw(st.sets(st.integers(0, partitioner.ring_size - 1), min_size=1, max_size=20))
    nodes = [
        _node(f"r{rack}-{token}", "dc", f"r{rack}", (token,)) for rack in range(racks) for token in tokens
    ]
    view = View.of(nodes, partitioner)
    led = primary_share(view, "dc")
    one_position_a_part = 2 / partitioner.ring_size
    for token in tokens:
        shares = [led[f"r{rack}-{token}"] for rack in range(racks)]
        assert max(shares) - min(shares) <= one_position_a_part + 1e-12


@settings(max_examples=50)
@given(_clusters(), st.data())
def test_a_new_token_changes_the_order_only_where_it_cuts(
    cluster: tuple[Partitioner, list[Node]], data: st.DataObject
) -> None:
    partitioner, nodes = cluster
    node = data.draw(st.sampled_from(nodes))
    local = [other for other in nodes if other.datacenter == node.datacenter]
    taken = {token for other in local for token in other.tokens}
    free = st.integers(0, partitioner.ring_size - 1).filter(lambda token: token not in taken)
    token = data.draw(free)
    grown = _node("new", node.datacenter, node.rack, (token,))
    before, after = View.of(nodes, partitioner), View.of([*nodes, grown], partitioner)
    low = max((t for t in taken if t < token), default=-1)
    high = min((t for t in taken if t > token), default=partitioner.ring_size - 1)
    for position in {0, partitioner.ring_size - 1, *before.bounds, *after.bounds}:
        if not low < position <= high:
            old, new = before.placement_at(position).all, after.placement_at(position).all
            assert [before.nodes[name].rack for name in old] == [after.nodes[name].rack for name in new]
