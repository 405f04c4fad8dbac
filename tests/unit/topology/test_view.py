"""The view of a whole cluster: placements, ranges, shares, and what it refuses."""

import pytest

from trio_dynomite.model import Node
from trio_dynomite.topology.partitioner import make
from trio_dynomite.topology.view import Placement, View, owned_share, primary_share

SLOTS = make("slots", "")
MURMUR = make("murmur", "")
DYNO_TOKENS = (309687905, 1383429731, 2457171554, 3530913377)


def node(name: str, *tokens: int, dc: str = "dc1", rack: str = "r1") -> Node:
    return Node(
        name=name, datacenter=dc, rack=rack, tokens=tokens,
        host="127.0.0.1", client_port=6379, peer_port=8101, admin_port=22222,
    )  # fmt: skip


THREE_RACKS = [node(f"n{rack}", 16383, rack=f"r{rack}") for rack in (1, 2, 3)]
TWO_DATACENTERS = [
    *THREE_RACKS,
    node("e1", 5000, dc="dc2", rack="r1"),
    node("e2", 10000, dc="dc2", rack="r1"),
]


def test_one_node_has_the_whole_ring_in_one_range() -> None:
    view = View.of([node("n1", 77)], SLOTS)
    assert [(part.first, part.last, part.placement.all) for part in view.ranges] == [(0, 16383, ("n1",))]


def test_three_racks_of_one_node_lead_a_third_each() -> None:
    view = View.of(THREE_RACKS, SLOTS)
    assert [part.size for part in view.ranges] == [5461, 5461, 5462]
    assert {part.placement.all[0] for part in view.ranges} == {"n1", "n2", "n3"}
    assert all(sorted(part.placement.all) == ["n1", "n2", "n3"] for part in view.ranges)


def test_a_placement_answers_by_datacenter() -> None:
    placement = Placement((("dc1", ("a", "b")), ("dc2", ("c",))))
    assert placement.in_datacenter("dc1") == ("a", "b")
    assert placement.in_datacenter("dc2") == ("c",)
    assert placement.in_datacenter("elsewhere") == ()
    assert placement.all == ("a", "b", "c")
    assert placement == Placement((("dc1", ("a", "b")), ("dc2", ("c",))))
    assert len({placement, Placement(placement.replicas)}) == 1


def test_ranges_are_cut_at_the_boundaries_of_every_datacenter() -> None:
    view = View.of(TWO_DATACENTERS, SLOTS)
    owner = {p: view.placement_at(p).in_datacenter("dc2") for p in (0, 5000, 5001, 10000, 10001, 16383)}
    assert owner == {0: ("e1",), 5000: ("e1",), 5001: ("e2",), 10000: ("e2",), 10001: ("e1",), 16383: ("e1",)}
    assert {5000, 10000, 5460, 10921, 16383} == set(view.bounds)


def test_placements_by_slot_agree_with_the_ranges_and_share_objects() -> None:
    view = View.of(TWO_DATACENTERS, SLOTS)
    by_slot = view.placements_by_slot()
    assert len(by_slot) == 16384
    assert all(by_slot[slot] is view.placement_at(slot) for slot in range(16384))
    assert len({id(placement) for placement in by_slot}) == len(set(by_slot))


def test_a_hash_has_no_placements_by_slot_because_a_token_may_cut_one() -> None:
    view = View.of([node("a", 100), node("b", 200)], MURMUR)
    assert view.placement_at(100).all == ("a",)
    assert view.placement_at(101).all == ("b",)
    with pytest.raises(ValueError, match=r"use placement_at\(position\)"):
        view.placements_by_slot()


def test_a_keys_placement_follows_its_position() -> None:
    view = View.of([node("a", 12181), node("b", 16383)], SLOTS)
    assert view.placement_of(b"{foo}x").all == ("b",)  # slot 12182
    assert view.placement_of(b"{user1000}").all == ("a",)  # slot 3443


def test_dynos_test_ring_places_as_its_tokens_say() -> None:
    """The tokens of Dyno's own tests: a quarter of the ring each, wrapping to the first."""
    view = View.of([node(f"n{at}", token) for at, token in enumerate(DYNO_TOKENS)], MURMUR)
    for at, token in enumerate(DYNO_TOKENS):
        assert view.placement_at(token).all == (f"n{at}",)
        assert view.placement_at(token + 1).all == (f"n{(at + 1) % 4}",)
    shares = owned_share(view, "dc1")
    assert shares == pytest.approx(dict.fromkeys(("n0", "n1", "n2", "n3"), 0.25), abs=1e-6)


def test_dynos_ring_in_three_racks_gives_every_node_an_equal_part_to_lead() -> None:
    nodes = [
        node(f"{rack}-{at}", token, rack=rack)
        for rack in ("a", "b", "c")
        for at, token in enumerate(DYNO_TOKENS)
    ]
    view = View.of(nodes, MURMUR)
    assert all(share == pytest.approx(1 / 4, abs=1e-6) for share in owned_share(view, "dc1").values())
    assert all(share == pytest.approx(1 / 12, abs=1e-6) for share in primary_share(view, "dc1").values())


def test_racks_may_have_different_numbers_of_nodes() -> None:
    view = View.of([node("a1", 8191), node("a2", 16383), node("b", 0, rack="r2")], SLOTS)
    assert owned_share(view, "dc1") == {"a1": 0.5, "a2": 0.5, "b": 1.0}
    led = primary_share(view, "dc1")
    assert led["b"] == pytest.approx(0.5, abs=1e-3)
    assert sum(led.values()) == 1.0


def test_a_node_without_tokens_is_a_member_that_owns_nothing() -> None:
    view = View.of([node("a", 0), node("new", rack="r2")], SLOTS)
    assert view.nodes["new"].rack == "r2"
    assert owned_share(view, "dc1") == {"a": 1.0, "new": 0.0}
    assert view.placement_at(0).all == ("a",)


def test_rack_names_need_be_unique_only_within_a_datacenter() -> None:
    view = View.of([node("a", 5, dc="dc1"), node("b", 5, dc="dc2")], SLOTS)
    assert view.placement_at(3).replicas == (("dc1", ("a",)), ("dc2", ("b",)))


def test_a_view_cannot_be_changed() -> None:
    view = View.of(THREE_RACKS, SLOTS, epoch=4)
    assert view.epoch == 4
    with pytest.raises(TypeError):
        view.nodes["n9"] = THREE_RACKS[0]  # type: ignore[index]
    with pytest.raises(AttributeError):
        view.epoch = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "no node has a token"),
        ([node("a")], "no node has a token"),
        ([node("a", 1), node("a", 2)], "two nodes have the name 'a'"),
        ([node("a", 16384)], "node 'a': token 16384 is not on the ring; it must be 0 to 16383"),
        ([node("a", -1)], "node 'a': token -1 is not on the ring"),
        ([node("a", 1), node("b", 1)], "rack 'r1': token 1 is given twice, by node 'a' and by node 'b'"),
    ],
)
def test_a_membership_that_gives_no_sound_ring_is_refused_with_the_reason(
    nodes: list[Node], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        View.of(nodes, SLOTS)
