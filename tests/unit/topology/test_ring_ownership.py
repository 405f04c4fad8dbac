"""Ownership in a rack, and who leads where."""

import pytest

from trio_dynomite.topology.ring import Rack, Ring

RACK = Rack.of("r1", {"n0": (0,), "n1": (1431655765,), "n2": (2863311530,)})


@pytest.mark.parametrize(
    ("position", "owner"),
    [
        (0, "n0"),
        (1, "n1"),
        (1431655765, "n1"),
        (1431655766, "n2"),
        (2863311530, "n2"),
        (2863311531, "n0"),
        (4294967295, "n0"),
    ],
)
def test_ownership_is_dynomites_worked_example(position: int, owner: str) -> None:
    assert RACK.owner(position) == owner


@pytest.mark.parametrize("position", [0, 5, 6, 2**32 - 1])
def test_a_node_alone_in_its_rack_owns_all(position: int) -> None:
    assert Rack.of("r1", {"only": (5,)}).owner(position) == "only"


def test_a_node_owns_the_stretch_below_each_of_its_tokens() -> None:
    rack = Rack.of("r1", {"a": (10, 30), "b": (20, 40)})
    assert [rack.owner(p) for p in (0, 10, 11, 20, 21, 30, 31, 40, 41)] == list("aabbaabba")


def test_a_token_given_twice_in_a_rack_is_refused_with_both_nodes() -> None:
    with pytest.raises(ValueError, match="rack 'r1': token 7 is given twice, by node 'a' and by node 'b'"):
        Rack.of("r1", {"a": (7,), "b": (3, 7)})


def test_each_rack_leads_an_equal_part_of_a_stretch_and_the_others_follow_in_rotation() -> None:
    racks = [Rack.of(name, {name: (299,)}) for name in ("x", "y", "z")]
    stretches = Ring.of(racks, 300).stretches
    assert [stretch.last for stretch in stretches] == [99, 199, 299]
    assert sorted(stretch.order for stretch in stretches) == [tuple("xyz"), tuple("yzx"), tuple("zxy")]


def test_racks_with_different_tokens_are_cut_at_the_tokens_of_both() -> None:
    ring = Ring.of(
        [Rack.of("x", {"x1": (99,), "x2": (199,)}), Rack.of("y", {"y1": (149,), "y2": (199,)})], 200
    )
    assert {frozenset(ring.order_at(p)) for p in range(100)} == {frozenset({"x1", "y1"})}
    assert {frozenset(ring.order_at(p)) for p in range(100, 150)} == {frozenset({"x2", "y1"})}
    assert {frozenset(ring.order_at(p)) for p in range(150, 200)} == {frozenset({"x2", "y2"})}


def test_stretches_shorter_than_the_racks_still_spread_the_lead() -> None:
    racks = [Rack.of(name, {name: tuple(range(12))}) for name in ("x", "y", "z")]
    leads = [Ring.of(racks, 12).order_at(position)[0] for position in range(12)]
    assert {name: leads.count(name) for name in "xyz"} == {"x": 4, "y": 4, "z": 4}
