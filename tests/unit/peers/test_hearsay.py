"""What gossip has to say about peers: who is spared, who is given up at once, who has moved."""

from random import Random

import pytest
from attrs import evolve

from tests.unit.peers.peer_subject import A, B, Pair, Wire, acquainted
from trio_dynomite.membership.events import Event, Happening
from trio_dynomite.membership.gossip import Gossip, make_gossip
from trio_dynomite.membership.member import Member, Status
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.peers.hearsay import SPARED, Hearsay
from trio_dynomite.peers.peer import Liveness, Peer

STEP_S = 0.05
DOWN_AFTER_S = 1.0


def gossiping() -> tuple[Pair, Wire, Wire, Gossip]:
    """Two connected nodes, and the gossip of the first."""
    pair, there, back = acquainted()
    engine = pair.engines[A]
    others = [Member.of(peer.node, 1) for peer in engine.roster.peers.values()]
    me = Member.of(engine.node, 1)
    gossip = make_gossip(me, others, GossipSettings(), ("c", "f"), Random(1), pair.now_s)
    engine.roster.hearsay = Hearsay(engine.roster, gossip)
    assert engine.roster.settings.down_after_s == DOWN_AFTER_S
    return pair, there, back, gossip


def peer_of(pair: Pair) -> Peer:
    return pair.engines[A].roster.peers[B]


def wait(pair: Pair, gossip: Gossip, for_s: float, *, answers: bool) -> None:
    """Time passes for A, to which nothing comes from B but answers to datagrams, if that."""
    for _ in range(round(for_s / STEP_S)):
        pair.now_s += STEP_S
        pair.turn(A, pair.engines[A].tick)
        asked = [address for address, _ in gossip.take_datagrams()]
        if answers and (peer_of(pair).node.host, peer_of(pair).node.peer_port) in asked:
            gossip.table.records[B].acked_s = pair.now_s


def put(pair: Pair, gossip: Gossip, **changes: object) -> None:
    """Gossip learns something of B."""
    known = gossip.table.records[B].member
    gossip.table.put(evolve(known, incarnation=2, **changes), pair.now_s)
    hearsay = pair.engines[A].roster.hearsay
    assert isinstance(hearsay, Hearsay)
    pair.turn(A, lambda: hearsay.hear(gossip.take_events()))


def test_a_silent_peer_that_answers_datagrams_is_in_limbo_for_longer_on_a_new_link() -> None:
    pair, there, _, gossip = gossiping()
    wait(pair, gossip, DOWN_AFTER_S + 0.4, answers=True)
    assert there.link.is_closed
    assert peer_of(pair).liveness is Liveness.LIMBO
    wait(pair, gossip, (SPARED - 1) * DOWN_AFTER_S, answers=True)
    assert peer_of(pair).liveness is Liveness.LIMBO
    wait(pair, gossip, DOWN_AFTER_S + 0.4, answers=True)
    assert peer_of(pair).liveness is Liveness.DOWN


def test_a_silent_peer_that_answers_nothing_is_down_as_ever() -> None:
    pair, _, _, gossip = gossiping()
    wait(pair, gossip, DOWN_AFTER_S - 0.4, answers=False)
    assert peer_of(pair).liveness is Liveness.UP
    wait(pair, gossip, 0.8, answers=False)
    assert peer_of(pair).liveness is Liveness.DOWN


def test_a_peer_that_is_heard_is_not_asked_by_datagrams() -> None:
    pair, _, _, gossip = gossiping()
    wait(pair, gossip, DOWN_AFTER_S / 2 - 0.2, answers=True)
    assert gossip.acked_s(B) < 0


def test_gossip_alone_puts_nobody_down() -> None:
    pair, _, _, gossip = gossiping()
    put(pair, gossip, status=Status.DEAD)
    wait(pair, gossip, 0.5, answers=False)
    assert peer_of(pair).liveness is Liveness.UP


def test_a_peer_that_left_is_down_when_its_connections_end() -> None:
    pair, there, back, gossip = gossiping()
    put(pair, gossip, status=Status.LEFT)
    wait(pair, gossip, 0.5, answers=False)
    assert peer_of(pair).liveness is Liveness.UP
    for wire in (there, back):
        wire.near.close("it is over")
        wire.far.close("it is over")
    wait(pair, gossip, 0.5, answers=False)
    assert peer_of(pair).liveness is Liveness.DOWN


def test_a_peer_that_left_and_called_again_keeps_its_time() -> None:
    """It might have had our word, as a primary, since it called."""
    pair, there, _, gossip = gossiping()
    put(pair, gossip, status=Status.LEFT)
    there.near.close("it is over")
    wait(pair, gossip, DOWN_AFTER_S - 0.2, answers=False)
    assert peer_of(pair).liveness is Liveness.LIMBO


def test_a_peer_that_moved_is_looked_for_there() -> None:
    pair, there, _, gossip = gossiping()
    called: list[Peer] = []
    pair.engines[A].roster.on_called = called.append
    put(pair, gossip, host="elsewhere", peer_port=99)
    assert (peer_of(pair).node.host, peer_of(pair).node.peer_port) == ("elsewhere", 99)
    assert there.link.is_closed
    assert called == [peer_of(pair)]
    assert "peer.moved" in [event for event, _ in pair.notes]
    put(pair, gossip, admin_port=7)
    assert called == [peer_of(pair)]


@pytest.mark.parametrize("happening", set(Happening) - {Happening.CHANGED})
def test_what_happens_is_in_the_log(happening: Happening) -> None:
    pair, _, _, gossip = gossiping()
    hearsay = pair.engines[A].roster.hearsay
    assert isinstance(hearsay, Hearsay)
    hearsay.hear([Event(happening, evolve(gossip.table.my, name="stranger"), "there:1")])
    assert pair.notes[-1] == (f"gossip.{happening.value}", {"member": "stranger", "at": "there:1"})


def test_a_peer_that_gossip_does_not_know_becomes_a_member() -> None:
    pair, _, _, gossip = gossiping()
    del gossip.table.records[B]
    wait(pair, gossip, 0.5, answers=False)
    assert B in gossip.membership.members


def test_info_counts_members_by_status() -> None:
    pair, _, _, gossip = gossiping()
    put(pair, gossip, status=Status.DEAD)
    hearsay = pair.engines[A].roster.hearsay
    assert isinstance(hearsay, Hearsay)
    facts = {name: value() for name, value in hearsay.facts().items()}
    assert (facts["gossip_members"], facts["gossip_alive"], facts["gossip_dead"]) == (2, 1, 1)
