"""Datagrams that are garbage, of others, or too long are counted and change nothing."""

import random

import pytest

from tests.unit.membership.gossip_subject import HEAD, datagram, gossip, member, sent, told
from trio_dynomite.membership.member import Status, encode_member
from trio_dynomite.membership.messages import Kind, cluster_head

HERE = ("host-of-a", 8101)
WHOLE = datagram(
    Kind.PAGE,
    bytes(8),
    b"\xff" * 8,
    [],
    False,
    members=[encode_member(member("c"))],
    told=[told("b", 10, 1, "x")],
)


@pytest.mark.parametrize(
    "data", [b"", b"\xd7", b"GET / HTTP/1.1\r\n\r\n", cluster_head("other", "slots") + WHOLE[10:]], ids=len
)
def test_what_is_not_of_this_cluster_is_counted(data: bytes) -> None:
    machine = gossip("a", "b")
    machine.receive(data, HERE, 0.0)
    assert machine.counters.foreign == 1
    assert not sent(machine)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\xc1",
        b"\x91" * 50_000,
        b"\x00" * 60_000,
        WHOLE[10:-1],
        datagram(Kind.PING, -1, "me")[10:],
        datagram(Kind.PING, 1)[10:],
        datagram(Kind.COMPARE, b"short")[10:],
        datagram(Kind.PAGE, b"", b"", [], False)[10:],
        datagram(Kind.TELL, told=[told("b", 10, 9)])[10:],
        datagram(Kind.TELL, told=[told("b", 10, 1, *"abcdefghi")])[10:],
        datagram(Kind.TELL, members=[b"\x90"])[10:],
    ],
    ids=range(12),
)
def test_what_cannot_be_read_is_counted(rest: bytes) -> None:
    machine = gossip("a", "b")
    before = machine.membership
    machine.receive(HEAD + rest, HERE, 0.0)
    assert machine.counters.malformed == 1
    assert machine.membership is before
    assert not sent(machine)


def test_damaged_datagrams_harm_nobody() -> None:
    rng = random.Random(5)
    machine = gossip("a", "b")
    originals = [
        WHOLE,
        datagram(Kind.PING, 1, "me"),
        datagram(Kind.COMPARE, bytes(8)),
        datagram(Kind.ASK, 1, "b"),
    ]
    for _ in range(5000):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(10, len(data))] = rng.randrange(256)
        machine.receive(bytes(data[: rng.randint(10, len(data))]), HERE, 0.0)
        machine.take_datagrams()
    assert machine.counters.malformed > 2000
    machine.tick(0.01)
    assert machine.membership.members["me"].status is Status.ALIVE


def test_digests_of_an_odd_number_of_parts_are_ignored() -> None:
    machine = gossip("a", "b")
    machine.receive(datagram(Kind.COMPARE, bytes(24)), HERE, 0.0)
    machine.receive(datagram(Kind.COMPARE, bytes(8 * 256)), HERE, 0.0)
    assert not sent(machine)
