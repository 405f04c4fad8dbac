"""Delivery of hints: one frame at a time, no faster than allowed, and never before live traffic."""

import pytest

from tests.unit.peers.peer_subject import A, B, Pair, Wire, acquainted
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.delivery import HINTS_A_FRAME, Delivery
from trio_dynomite.peers.peer import Peer


def missed(count: int) -> tuple[Pair, Peer, Delivery, list[bytes]]:
    """B is away and has missed so many writes."""
    pair, there, _ = acquainted()
    pair.turn(A, lambda: there.near.close("the cable was cut"))
    key = pair.key_led_by(A)
    keys = [b"{%b}%d" % (key, at) for at in range(count)]
    for name in keys:
        pair.call(A, Level.DC_ONE, b"SET", name, b"v" * 100)
    roster = pair.engines[A].roster
    assert len(roster.peers[B].hints) == count
    return pair, roster.peers[B], roster.delivery, keys


def exchange(pair: Pair, wire: Wire) -> None:
    wire.near.deliver()
    pair.turn(B)
    wire.far.deliver()
    pair.turn(A)


def test_the_next_frame_leaves_when_the_last_is_acknowledged() -> None:
    pair, peer, _, keys = missed(2 * HINTS_A_FRAME + 1)
    wire = pair.connect(A, B, settle=False)
    exchange(pair, wire)
    assert (peer.hints.delivered, len(peer.hints._taken)) == (0, HINTS_A_FRAME)
    exchange(pair, wire)
    assert (peer.hints.delivered, len(peer.hints._taken)) == (HINTS_A_FRAME, HINTS_A_FRAME)
    pair.settle()
    assert (peer.hints.delivered, len(peer.hints)) == (len(keys), 0)
    assert all(pair.record(B, key) == pair.record(A, key) for key in keys)


def test_what_was_under_way_when_the_link_broke_is_sent_again_and_counted_once() -> None:
    pair, peer, _, keys = missed(HINTS_A_FRAME + 10)
    wire = pair.connect(A, B, settle=False)
    exchange(pair, wire)
    pair.turn(A, lambda: wire.near.close("the cable was cut"))
    assert (len(peer.hints), peer.hints.delivered, peer.is_delivering) == (len(keys), 0, False)
    pair.connect(A, B)
    assert (len(peer.hints), peer.hints.delivered) == (0, len(keys))


def test_no_more_goes_in_a_second_than_is_allowed() -> None:
    pair, peer, delivery, keys = missed(4 * HINTS_A_FRAME)
    delivery.settings.hints_rate = 100_000
    pair.connect(A, B)
    first = peer.hints.delivered
    assert 0 < first < len(keys) / 2
    began_s, began_bytes = pair.now_s, delivery.sent_bytes
    while peer.hints:
        pair.now_s += 0.05
        for wire in pair.wires:
            wire.link.heard_s = pair.now_s
        pair.turn(A, pair.engines[A].tick)
        pair.settle()
        assert pair.now_s < began_s + 60
    assert (delivery.sent_bytes - began_bytes) / (pair.now_s - began_s) < 150_000


def test_a_node_that_leaves_keeps_what_is_in_files_for_the_next_time() -> None:
    pair, peer, _, _ = missed(10)
    peer.hints.is_logged = True
    pair.turn(A, lambda: pair.engines[A].set_state(NodeState.STANDBY))
    pair.connect(A, B)
    assert len(peer.hints) == 10
    peer.hints.is_logged = False
    pair.turn(A, pair.engines[A].tick)
    pair.settle()
    assert len(peer.hints) == 0


@pytest.mark.parametrize("state", [NodeState.JOINING, NodeState.WRITES_ONLY, NodeState.RESUMING])
def test_a_node_that_still_learns_delivers_nothing(state: NodeState) -> None:
    pair, peer, _, _ = missed(10)
    pair.turn(A, lambda: pair.engines[A].set_state(state))
    pair.connect(A, B)
    assert len(peer.hints) == 10


def test_much_live_traffic_goes_first() -> None:
    pair, peer, delivery, _ = missed(10)
    wire = pair.connect(A, B, settle=False)
    wire.near.deliver()
    pair.turn(B)
    delivery.settings.peer_output_max = 64 * 1000
    wire.link.unacked_bytes += 1001
    wire.far.deliver()
    pair.turn(A)
    assert (delivery.yielded, peer.is_delivering) == (1, False)
    wire.link.unacked_bytes -= 1001
    pair.turn(A, pair.engines[A].tick)
    pair.settle()
    assert len(peer.hints) == 0


def test_hints_expire_while_the_peer_is_away() -> None:
    pair, peer, _, keys = missed(10)
    roster = pair.engines[A].roster
    roster.hints.window_ms = 5000
    pair.turn(A, pair.engines[A].tick)
    assert len(peer.hints) == len(keys)
    pair.now_s += 5.1
    pair.turn(A, pair.engines[A].tick)
    assert (len(peer.hints), peer.hints.expired, peer.hints.is_incomplete) == (0, len(keys), True)
    assert [facts["hints"] for event, facts in pair.notes if event == "hints.expired"] == [len(keys)]
    pair.connect(A, B)
    assert not peer.hints.is_over
    assert pair.engines[A].repair.urgent[B].peer is peer
