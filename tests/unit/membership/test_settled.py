"""Which nodes the ring has, by what is told of members."""

from typing import Any

import pytest
from attrs import evolve

from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.settled import is_on_ring, nodes_of, why_not_beside

RING = 16384


def member(name: str, **changed: Any) -> Member:
    told = Member(
        name=name,
        datacenter="dc1",
        rack="rack1",
        tokens=(100,),
        host="10.0.0.1",
        client_port=1,
        peer_port=2,
        admin_port=3,
        incarnation=7,
    )
    return evolve(told, **changed)


def test_all_are_in_the_ring_but_those_who_were_forgotten() -> None:
    members = [
        member("b", rack="rack2"),
        member("a"),
        member("c", rack="rack3", status=Status.DEAD),
        member("d", rack="rack4", status=Status.LEFT),
        member("e", rack="rack5", status=Status.FORGOTTEN),
    ]

    assert [node.name for node in nodes_of(members)] == ["a", "b", "c", "d"]
    assert nodes_of(members) == nodes_of(reversed(members))


def test_of_two_nodes_with_one_token_the_first_by_name_keeps_it() -> None:
    nodes = {node.name: node.tokens for node in nodes_of([member("b", tokens=(100, 200)), member("a")])}

    assert nodes == {"a": (100,), "b": (200,)}


def test_what_a_forgotten_node_had_is_free() -> None:
    gone = member("a", status=Status.FORGOTTEN)

    assert [node.tokens for node in nodes_of([gone, member("b")])] == [(100,)]
    assert why_not_beside(member("b"), [gone], RING) is None


@pytest.mark.parametrize(
    ("newcomer", "reason"),
    [
        (member("b"), "token 100 in dc1/rack1 is a's"),
        (member("b", tokens=(RING,)), "is not on the ring"),
        (member("b", rack="rack2"), None),
        (member("b", datacenter="dc2"), None),
        (member("b", tokens=(101,)), None),
        (member("a", tokens=(100, 5)), None),
    ],
)
def test_who_cannot_be_in_a_ring_is_told_why(newcomer: Member, reason: str | None) -> None:
    told = why_not_beside(newcomer, [member("a")], RING)

    assert told is None if reason is None else told is not None and reason in told


def test_tokens_are_on_the_ring_or_not() -> None:
    assert is_on_ring(member("a", tokens=(0, RING - 1)), RING)
    assert not is_on_ring(member("a", tokens=(0, RING)), RING)
