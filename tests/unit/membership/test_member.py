"""A member and its bytes."""

import msgspec
import pytest
from attrs import evolve

from trio_dynomite.errors import ProtocolError
from trio_dynomite.membership.member import Member, Status, decode_member, encode_member
from trio_dynomite.model import Node, NodeState

NODE = Node(
    name="node1",
    datacenter="dc1",
    rack="rack1",
    tokens=(1, 4_294_967_295),
    host="2001:db8::1",
    client_port=8102,
    peer_port=8101,
    admin_port=22222,
)
MEMBER = Member.of(NODE, 1_700_000_000_000, NodeState.NORMAL)
FIELDS = msgspec.msgpack.decode(encode_member(MEMBER))


def with_field(at: int, value: object) -> bytes:
    return msgspec.msgpack.encode([*FIELDS[:at], value, *FIELDS[at + 1 :]])


@pytest.mark.parametrize("status", Status)
def test_a_member_survives_its_bytes(status: Status) -> None:
    member = evolve(MEMBER, status=status)
    assert decode_member(encode_member(member)) == member


def test_a_member_is_its_node() -> None:
    assert MEMBER.node == NODE


def test_a_newer_version_may_add_fields() -> None:
    assert decode_member(msgspec.msgpack.encode([*FIELDS, "new"])) == MEMBER


def test_a_later_life_stands_over_a_death_and_a_death_over_a_suspicion() -> None:
    told = [
        evolve(MEMBER, incarnation=2, status=Status.ALIVE),
        evolve(MEMBER, incarnation=1, status=Status.LEFT),
        evolve(MEMBER, incarnation=1, status=Status.DEAD),
        evolve(MEMBER, incarnation=1, status=Status.SUSPECT),
        evolve(MEMBER, incarnation=1, status=Status.ALIVE),
    ]
    assert sorted(told, key=lambda member: member.precedence, reverse=True) == told


def test_a_node_of_an_older_version_does_not_speak_memcached() -> None:
    assert decode_member(msgspec.msgpack.encode(FIELDS[:-1])) == evolve(MEMBER, memcached_port=0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"garbage",
        msgspec.msgpack.encode({"name": "node1"}),
        msgspec.msgpack.encode(FIELDS[:-2]),
        with_field(0, ""),
        with_field(0, "n" * 256),
        with_field(0, b"node1"),
        with_field(3, [-1]),
        with_field(3, [0] * 4097),
        with_field(5, 65536),
        with_field(8, -1),
        with_field(8, 1 << 62),
        with_field(9, 5),
        with_field(10, 99),
        b"\x9b" + b"\xa1\xff" * 11,
        b"\x91" * 5000,
    ],
    ids=lambda data: data[:12].hex(),
)
def test_what_is_no_member_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_member(data)
