"""Links: acknowledgements, gaps, and what becomes of everything when the connection ends."""

import pytest

from tests.unit.peers.peer_subject import A, B, acquainted
from trio_dynomite.coordinator.batch import Batch
from trio_dynomite.data.effect import PUT
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.link import LOST, encode_effects
from trio_dynomite.peers.peer import Liveness
from trio_dynomite.protocol.frames import Kind, encode, frame


def test_a_quorum_write_is_answered_when_the_replica_has_it() -> None:
    pair, _, _ = acquainted()
    key = pair.key_led_by(A)
    reply = pair.call(A, Level.DC_QUORUM, b"SET", key, b"v")
    assert reply == []
    pair.settle()

    assert reply == [b"+OK\r\n"]
    assert pair.record(A, key) == pair.record(B, key)
    assert pair.record(B, key)[1] == b"v"


def test_a_write_for_the_others_keys_is_served_there() -> None:
    pair, _, _ = acquainted()
    key = pair.key_led_by(B)
    replies = [pair.call(A, Level.DC_QUORUM, b"INCR", key) for _ in range(3)]
    pair.settle()

    assert replies == [[b":1\r\n"], [b":2\r\n"], [b":3\r\n"]]
    assert pair.record(A, key) == pair.record(B, key)


def test_everything_acknowledged_is_forgotten() -> None:
    pair, there, _ = acquainted()
    for _ in range(5):
        pair.call(A, Level.DC_ONE, b"SET", pair.key_led_by(A), b"v")
    assert there.link.unacked_bytes > 0
    pair.settle()

    assert there.link.unacked_bytes == 0
    assert not there.link.has_unacknowledged


def test_a_gap_is_filled_with_the_record_before_anything_is_acknowledged() -> None:
    pair, there, _ = acquainted()
    key = pair.key_led_by(A)
    pair.call(A, Level.DC_QUORUM, b"SET", key, b"a")
    pair.settle()
    store = pair.engines[B].keyspace.store
    store.records[store.slot_of(key)].clear()
    reply = pair.call(A, Level.DC_QUORUM, b"APPEND", key, b"b")
    there.near.deliver()
    pair.turn(B)
    there.far.deliver()
    assert reply == [], "the replica has not got it yet"
    pair.settle()

    assert reply == [b":2\r\n"]
    assert pair.record(B, key) == pair.record(A, key)
    assert pair.engines[A].gaps_filled == 1


def test_when_the_link_ends_all_that_was_under_way_is_resolved_in_the_same_turn() -> None:
    pair, there, _ = acquainted()
    ours, theirs = pair.key_led_by(A), pair.key_led_by(B)
    answers: list[object] = []
    digests: list[object] = []
    written = pair.call(A, Level.DC_QUORUM, b"SET", ours, b"v")
    passed_on = pair.call(A, Level.DC_QUORUM, b"SET", theirs, b"v")
    read = pair.call(A, Level.DC_QUORUM, b"GET", b"other" + ours)
    there.link.fetch([ours], answers.append)
    there.link.sync([1], [0], answers.append)
    there.link.ask_digest(ours, lambda theirs_, ours_: digests.append(theirs_))
    pair.turn(A, lambda: there.near.close("the cable was cut"))

    assert [reply[:8] for reply in written] == [b"-UNKNOWN"]
    assert [reply[:8] for reply in passed_on] == [b"-UNKNOWN"]
    assert len(read) == 1
    assert answers == [LOST, LOST]
    assert digests == [None]
    assert pair.engines[A].in_flight == 0


def test_a_link_that_ends_twice_is_lost_once() -> None:
    pair, there, _ = acquainted()
    told: list[str] = []
    there.link.on_closed = lambda: told.append("closed")
    pair.turn(A, lambda: there.link.closed("one"))
    pair.turn(A, lambda: there.link.closed("two"))

    assert told == ["closed"]


def test_what_was_not_acknowledged_becomes_hints_and_arrives_when_the_peer_is_back() -> None:
    pair, there, _ = acquainted()
    key = pair.key_led_by(A)
    pair.call(A, Level.DC_ONE, b"SET", key, b"sent")
    pair.turn(A, lambda: there.near.close("reset"))
    pair.call(A, Level.DC_ONE, b"SET", b"{%b}2" % key, b"not even sent")
    peer = pair.engines[A].roster.peers[B]

    assert (peer.liveness, len(peer.hints)) == (Liveness.LIMBO, 2)
    assert pair.record(B, key)[1] is None
    pair.connect(A, B)
    assert len(peer.hints) == 0
    assert pair.record(B, key) == pair.record(A, key)
    assert pair.record(B, b"{%b}2" % key) == pair.record(A, b"{%b}2" % key)


def test_a_flush_that_was_missed_is_a_hint_too() -> None:
    pair, there, _ = acquainted()
    key = pair.key_led_by(A)
    pair.call(A, Level.DC_QUORUM, b"SET", key, b"old")
    pair.settle()
    pair.turn(A, lambda: there.near.close("reset"))
    keyspace = pair.engines[A].keyspace
    route = pair.engines[A].table.of_key(key)

    def flush() -> None:
        if not route.batch.effects:
            pair.engines[A].dirty.append(route)
        keyspace.effects = route.batch.effects
        slot = keyspace.store.slot_of(key)
        keyspace.flush(slot, slot)

    pair.turn(A, flush)
    pair.connect(A, B)

    assert pair.record(B, key) == pair.record(A, key)
    assert pair.record(B, key)[1] is None


def test_a_newer_connection_takes_the_place_of_the_old_one() -> None:
    pair, there, _ = acquainted()
    again = pair.connect(A, B)

    assert there.near.closed_for == "replaced by a newer connection"
    assert pair.engines[A].roster.peers[B].link is again.link
    assert again.link.is_open
    assert there.acceptor not in pair.engines[B].roster.acceptors


@pytest.mark.parametrize(
    "data",
    [
        encode(Kind.ACK, 1_000_000, []),
        encode(Kind.ACK),
        encode(Kind.ACK, "x", []),
        encode(Kind.DIGESTS, [1]),
        encode(Kind.RESULTS, [1]),
        encode(Kind.RESULTS, 7),
        encode(Kind.PONG, 99, 0, 0, 0, True),
        encode(Kind.PONG),
        encode(Kind.GAP, 5),
        encode(Kind.WELCOME),
        encode(Kind.RECORDS),
        frame(Kind.ACK, b"\xc1"),
    ],
    ids=lambda data: repr(data[4:12]),
)
def test_an_answer_that_cannot_be_ends_the_link_and_fails_what_was_asked(data: bytes) -> None:
    pair, there, _ = acquainted()
    answers: list[object] = []
    there.link.fetch([b"k"], answers.append)
    pair.turn(A, lambda: there.link.received(data))

    assert there.near.closed_for is not None
    assert "broke the peer protocol" in there.near.closed_for
    assert answers == [LOST]
    assert not pair.engines[A].roster.peers[B].is_open


@pytest.mark.parametrize(
    "data",
    [
        encode(Kind.RUN, [[1]]),
        encode(Kind.RUN, [[1, 9, 9, 2, 1, [b"GET", b"k"]]]),
        encode(Kind.DIGEST, 7),
        encode(Kind.FETCH, 1),
        encode(Kind.SYNC, 1, [1, 2], [0]),
        encode(Kind.SYNC, 1, [99_999], [1]),
        encode(Kind.PING, 99, 0, 0, 0, True),
        frame(Kind.EFFECTS, b"\0\0\0\0" + b"\x91\x01"),
        frame(Kind.EFFECTS, b"\0\0\0\0" + encode(0, 1, [PUT, 1, b"k"])[5:]),
        frame(Kind.EFFECTS, b"\0\0\0\0" + encode(0, 1, [PUT, 99_999, b"k", 1, b"v", 0])[5:]),
        frame(Kind.EFFECTS, b"\0\0\0\0" + encode(0, 1, [99, 1, b"k", 1, b"v", 0])[5:]),
    ],
    ids=lambda data: repr(data[4:16]),
)
def test_a_request_that_cannot_be_ends_the_connection_with_a_word(data: bytes) -> None:
    pair, _, back = acquainted()
    pair.turn(A, lambda: back.acceptor.received(data))
    pair.settle()

    assert back.far.closed_for is not None
    assert back.near.closed_for is not None
    assert "you broke the peer protocol" in back.near.closed_for


def test_an_unknown_kind_of_frame_is_ignored() -> None:
    """A newer node may say more."""
    pair, there, back = acquainted()
    pair.turn(A, lambda: there.link.received(encode(99, 1)))
    pair.turn(A, lambda: back.acceptor.received(encode(99, 1)))

    assert there.link.is_open
    assert not back.acceptor.is_closed


def test_batches_are_acknowledged_in_the_order_in_which_they_were_sent() -> None:
    pair, there, _ = acquainted()
    settled: list[int] = []
    for number in range(3):
        effects = [PUT, 1, b"k%d" % number, 1 + number, b"v", 0]
        batch = Batch(effects, on_settled=lambda ok, number=number: settled.append(number))  # type: ignore[misc]
        there.link.send_effects(encode_effects(1, effects), batch, 1, effects)
    first = there.link._acked
    pair.turn(A, lambda: there.link.received(encode(Kind.ACK, first + 2, [])))
    assert settled == [0, 1]
    pair.turn(A, lambda: there.link.received(encode(Kind.ACK, first + 2, [])))
    assert settled == [0, 1]
    pair.turn(A, lambda: there.link.received(encode(Kind.ACK, first + 3, [])))

    assert settled == [0, 1, 2]


def test_a_peer_that_leaves_in_order_is_not_asked_any_more() -> None:
    pair, _, _ = acquainted()
    pair.turn(B, lambda: pair.engines[B].set_state(NodeState.STANDBY))
    pair.settle()

    peer = pair.engines[A].roster.peers[B]
    assert peer.is_open
    assert not peer.is_serving
    assert all(route.leads for route in pair.engines[A].table.routes)


def test_a_peer_that_asks_for_more_than_it_takes_is_told_so_and_served_again_later() -> None:
    pair, _, _ = acquainted()
    key = pair.key_led_by(B)
    pair.call(B, Level.DC_ONE, b"SET", key, b"x" * 1000)
    pair.settle()
    pair.engines[B].roster.settings.peer_output_max = 3000
    replies = [pair.call(A, Level.DC_ONE, b"APPEND", key, b"") for _ in range(3)]
    reads = [pair.call(A, Level.DC_ONE, b"GETEX", key, b"PERSIST") for _ in range(6)]
    pair.settle()

    assert [reply[0][:1] for reply in replies] == [b":"] * 3
    assert [reply[0][:11] for reply in reads] == [b"$1000\r\nxxxx"] * 3 + [b"-OVERLOADED"] * 3
    assert pair.engines[B].refused == 3
    again = pair.call(A, Level.DC_ONE, b"GETEX", key, b"PERSIST")
    pair.settle()
    assert again[0].startswith(b"$1000")
