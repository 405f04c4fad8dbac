"""The handshake: who belongs together finds each other, and everybody else is told why not."""

import pytest
from attrs import evolve

from tests.unit.peers.peer_subject import A, B, Pair, make_pair
from trio_dynomite.config.settings import Cluster, Settings
from trio_dynomite.membership.member import encode_member
from trio_dynomite.model import NodeState
from trio_dynomite.peers.peer import Liveness
from trio_dynomite.protocol.frames import PROTOCOL, FrameReader, Kind, encode
from trio_dynomite.testing.layouts import layout


def test_two_nodes_of_one_cluster_find_each_other() -> None:
    pair = make_pair()
    wire = pair.connect(A, B)

    peer = pair.engines[A].roster.peers[B]
    assert wire.link.is_open
    assert (peer.liveness, peer.state, peer.is_serving) == (Liveness.UP, NodeState.NORMAL, True)
    assert wire.acceptor.peer is pair.engines[B].roster.peers[A]
    assert pair.engines[B].roster.peers[A].state is NodeState.NORMAL


def test_byte_by_byte() -> None:
    pair = make_pair()
    wire = pair.connect(A, B, settle=False)
    for at in range(len(wire.near.said)):
        wire.acceptor.received(wire.near.said[at : at + 1])
    for at in range(len(wire.far.said)):
        wire.link.received(wire.far.said[at : at + 1])

    assert wire.link.is_open


def elsewhere(settings: Settings, what: str) -> Settings:
    """The settings of a node that does not belong here."""
    if what == "cluster":
        return evolve(settings, cluster=Cluster(name="other", partitioner="slots"))
    if what == "partitioner":
        return evolve(settings, cluster=Cluster(partitioner="murmur"))
    first, *others = settings.nodes
    moved = evolve(first, rack="moved") if what == "rack" else evolve(first, datacenter="moved")
    return evolve(settings, nodes=(moved, *others))


@pytest.mark.parametrize("what", ["cluster", "partitioner", "rack", "datacenter"])
def test_who_was_configured_otherwise_is_refused_and_told_why(what: str) -> None:
    settings = layout([1, 1])
    pair = make_pair(settings, elsewhere(settings, what))
    wire = pair.connect(A, B)

    assert not wire.link.is_open
    assert wire.near.closed_for is not None
    assert wire.near.closed_for.startswith(f"{B} said: ")
    assert what in wire.near.closed_for or "you say dc1/rack1" in wire.near.closed_for
    assert not pair.engines[A].roster.peers[B].is_open
    assert wire.acceptor not in pair.engines[B].roster.acceptors


def hello(protocol: int = PROTOCOL, name: str = A, rack: str = "rack1") -> bytes:
    fingerprint = make_pair().engines[B].roster.settings.fingerprint
    cluster = make_pair().engines[B].roster.settings.cluster
    member = [encode_member(make_pair().engines[A].roster.members.own)] if name == A else []
    return encode(Kind.HELLO, protocol, cluster, fingerprint, name, "dc1", rack, 4, 0, 1, 0, True, *member)


def said_to(data: bytes) -> tuple[Pair, list[tuple[int, list[object]]], str | None]:
    """What B answers to somebody who says this, and why it closed the connection."""
    pair = make_pair()
    wire = pair.connect(A, B, settle=False)
    wire.acceptor.received(data)
    return pair, FrameReader().feed(wire.far.said), wire.far.closed_for


def test_a_hello_that_is_right_is_welcomed() -> None:
    _, frames, closed_for = said_to(hello())

    assert [(kind, fields[0]) for kind, fields in frames] == [(Kind.WELCOME, B)]
    assert closed_for is None


def test_fields_that_a_newer_node_adds_are_ignored() -> None:
    kind, fields = FrameReader().feed(hello())[0]
    _, frames, closed_for = said_to(encode(kind, *fields, "more", 7))

    assert frames[0][0] == Kind.WELCOME
    assert closed_for is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (hello(protocol=PROTOCOL + 1), f"you speak peer protocol {PROTOCOL + 1}, this node {PROTOCOL}"),
        (hello(name="stranger"), "no peer 'stranger' is known here"),
        (hello(name=B), f"no peer '{B}' is known here"),
        (hello(rack="rack2"), f"'{A}' is in dc1/rack1 here, you say dc1/rack2"),
    ],
    ids=["protocol", "stranger", "ourselves", "rack"],
)
def test_a_hello_that_is_wrong_is_refused(data: bytes, reason: str) -> None:
    _, frames, closed_for = said_to(data)

    assert frames == [(Kind.REFUSE, [reason])]
    assert closed_for is not None


@pytest.mark.parametrize(
    "data",
    [
        encode(Kind.PING, 4, 0, 1, 0, True),
        encode(Kind.EFFECTS, 1, []),
        encode(Kind.HELLO),
        encode(Kind.HELLO, PROTOCOL, "x"),
        encode(Kind.HELLO, *[[]] * 11),
        encode(Kind.HELLO, *[None] * 11),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\x02\x01\xc1",
    ],
    ids=["ping", "effects", "empty", "short", "arrays", "nothing", "http", "not MessagePack"],
)
def test_who_does_not_say_hello_is_shown_the_door(data: bytes) -> None:
    pair, frames, closed_for = said_to(data)

    assert closed_for is not None
    assert [kind for kind, _ in frames] in ([Kind.GOODBYE], [Kind.REFUSE])
    assert pair.engines[B].keyspace.store.key_count(0, 16383) == 0


def test_another_node_at_the_address_is_not_taken_for_the_peer() -> None:
    pair = make_pair(layout([1, 1, 1]), layout([1, 1, 1]))
    wire = pair.connect(A, B, settle=False)
    wire.link.received(encode(Kind.WELCOME, "d1r3n1", 4, 0, 1, 0, True))

    assert wire.near.closed_for == f"expected {B} there, found d1r3n1"
    assert not pair.engines[A].roster.peers[B].is_open
