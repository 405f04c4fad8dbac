"""A replica whose disk is full acknowledges nothing, and makes up for it when there is room."""

import pytest

from tests.unit.peers.peer_subject import A, B, acquainted
from trio_dynomite.coordinator import full_disk
from trio_dynomite.model import Level


def test_what_is_in_memory_only_is_not_acknowledged() -> None:
    pair, _, _ = acquainted()
    store = pair.engines[B].keyspace.store
    store.is_behind, store.failure = True, "No space left on device"
    pair.turn(B, pair.engines[B].tick)
    reply = pair.call(A, Level.DC_QUORUM, b"SET", pair.key_led_by(A), b"v")
    pair.settle()
    assert reply == []
    assert pair.record(B, pair.key_led_by(A))[1] == b"v", "it is there all the same"
    refused = pair.call(B, Level.DC_ONE, b"SET", pair.key_led_by(B), b"v")
    assert refused == [
        b"-MISCONF d1r2n1 cannot write to its disk: No space left on device; nothing was done\r\n"
    ]
    assert pair.call(B, Level.DC_ONE, b"GET", pair.key_led_by(A)) == [b"$1\r\nv\r\n"]

    store.is_behind, store.failure = False, None
    pair.turn(B, pair.engines[B].tick)
    pair.settle()
    assert reply == [b"+OK\r\n"]
    pair.call(B, Level.DC_ONE, b"SET", pair.key_led_by(B), b"v")
    assert not pair.engines[B].is_limited
    assert [event for event, _ in pair.notes if event.startswith("disk.")] == ["disk.full", "disk.healed"]


def test_it_hangs_up_on_its_peers_before_it_holds_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "BEHIND_MAX", 20_000)
    pair, _, _ = acquainted()
    store = pair.engines[B].keyspace.store
    store.is_behind, store.failure = True, "No space left on device"
    pair.call(A, Level.DC_ONE, b"SET", pair.key_led_by(A), b"v" * 3000)
    pair.settle()
    assert pair.engines[A].roster.peers[B].is_open

    pair.call(A, Level.DC_ONE, b"APPEND", pair.key_led_by(A), b"v" * 20_000)
    pair.turn(A, pair.engines[A].send_batches)
    pair.settle()

    assert not pair.engines[A].roster.peers[B].is_open
    assert len(pair.record(B, pair.key_led_by(A))[1]) == 3000
    store.is_behind, store.failure = False, None
    pair.turn(B, pair.engines[B].tick)
    assert pair.engines[B].disk.takes(1)
