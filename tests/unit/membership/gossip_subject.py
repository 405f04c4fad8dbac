"""One node's gossip for tests, with others who exist in its table only."""

import random
from collections.abc import Iterable

import msgspec

from trio_dynomite.membership.gossip import Gossip, make_gossip
from trio_dynomite.membership.member import Member
from trio_dynomite.membership.messages import AnyMessage, Kind, cluster_head, decode, encode
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.model import NodeState

HEAD = cluster_head("demo", "slots")
SETTINGS = GossipSettings()


def member(name: str, incarnation: int = 10, host: str = "") -> Member:
    return Member(
        name=name,
        datacenter="dc1",
        rack="rack1",
        tokens=(7,),
        host=host or f"host-of-{name}",
        client_port=8102,
        peer_port=8101,
        admin_port=22222,
        incarnation=incarnation,
        state=NodeState.NORMAL,
    )


def gossip(*others: str, settings: GossipSettings = SETTINGS) -> Gossip:
    """The gossip of `me`, which knows `others`, at time 0, with nothing left to tell."""
    known = [member(name) for name in others]
    machine = make_gossip(member("me"), known, settings, ("demo", "slots"), random.Random(1), 0.0)
    machine.table.rumours.drop("me")
    return machine


def datagram(
    kind: Kind,
    *fields: object,
    sender: str = "a",
    members: Iterable[bytes] = (),
    told: Iterable[bytes] = (),
    incarnation: int = 10,
) -> bytes:
    return encode(HEAD, kind, member(sender, incarnation), list(members), list(told), fields)


def told(name: str, incarnation: int, status: int, *accusers: str) -> bytes:
    return msgspec.msgpack.encode((name, incarnation, status, accusers))


def sent(machine: Gossip) -> list[tuple[str, AnyMessage]]:
    """(To which host, what) of every datagram that it wants to send."""
    return [(address[0], decode(HEAD, data)) for address, data in machine.take_datagrams()]


def run(machine: Gossip, from_s: float, to_s: float, step_s: float = 0.025) -> None:
    """Ticks from one time to another."""
    for at in range(round((to_s - from_s) / step_s) + 1):
        machine.tick(from_s + at * step_s)
