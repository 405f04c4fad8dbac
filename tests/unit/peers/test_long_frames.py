"""Records that are long beside the limits: a link outlives one, and several do not go into one frame."""

import pytest

from tests.unit.peers.peer_subject import A, B, Pair, acquainted
from trio_dynomite.coordinator import replica
from trio_dynomite.data.effect import FIELDS
from trio_dynomite.model import Level
from trio_dynomite.peers import delivery
from trio_dynomite.peers.link import Link

LIMIT = 1000
HEARTBEAT_S, DOWN_AFTER_S = 0.3, 2.0


def impatient() -> tuple[Pair, Link, bytes]:
    """A's link to B, with little room for what is not acknowledged, and a key that A leads."""
    pair, there, _ = acquainted()
    pair.engines[A].roster.settings.peer_output_max = LIMIT
    return pair, there.link, pair.key_led_by(A)


def ticks(pair: Pair, count: int) -> None:
    for _ in range(count):
        pair.now_s += HEARTBEAT_S
        pair.turn(A, pair.engines[A].tick)


def test_one_frame_may_be_longer_than_the_limit() -> None:
    pair, link, key = impatient()
    pair.call(A, Level.DC_ONE, b"SET", key, b"v" * 5 * LIMIT)
    ticks(pair, 2)
    assert not link.is_closed
    pair.settle()

    assert not link.is_closed
    assert pair.record(B, key) == pair.record(A, key)


def test_what_waits_behind_it_is_limited() -> None:
    pair, link, key = impatient()
    for at in range(2):
        pair.call(A, Level.DC_ONE, b"SET", key, b"%d" % at * 2 * LIMIT)
        pair.turn(A, pair.engines[A].send_batches)
    ticks(pair, 2)

    assert link.is_closed


def test_a_peer_that_takes_a_long_frame_bit_by_bit_is_not_silent() -> None:
    pair, there, _ = acquainted()
    for _ in range(2 * int(DOWN_AFTER_S / HEARTBEAT_S)):
        there.near.room_made += 1
        ticks(pair, 1)
    assert not there.link.is_closed
    ticks(pair, 1 + int(DOWN_AFTER_S / HEARTBEAT_S))

    assert there.link.is_closed


def test_a_page_of_a_sync_ends_behind_a_long_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "PAGE_BYTES", LIMIT)
    pair, _, _ = acquainted()
    engine = pair.engines[A]
    for at in range(5):
        pair.turn(A, lambda at=at: engine.keyspace.put(b"%d" % at, b"v" * LIMIT))  # type: ignore[misc]
    slots = engine.replica.slots_shared_with(engine.roster.peers[B])
    looked, _, effects, *_ = engine.replica.slots_that_differ(slots, [0] * len(slots))

    assert len(effects) == FIELDS
    assert 0 < looked < len(slots)


def test_hints_of_long_records_go_one_by_one_and_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAGE_BYTES", LIMIT)
    pair, there, _ = acquainted()
    key = pair.key_led_by(A)
    keys = [b"{%b}%d" % (key, at) for at in range(5)]
    for name in keys:
        pair.call(A, Level.DC_ONE, b"SET", name, b"v" * 2 * LIMIT)
    pair.turn(A, lambda: there.near.close("the cable was cut"))
    again = pair.connect(A, B, settle=False)
    again.near.deliver()
    pair.turn(B)
    again.far.deliver()
    assert 2 * LIMIT < again.link.unacked_bytes < 4 * LIMIT, "one of them is under way"
    pair.settle()

    assert [pair.record(B, name) for name in keys] == [pair.record(A, name) for name in keys]
