"""Sessions: replies in the order of the requests, each once, whoever has to be waited for."""

import pytest

from tests.unit.server.session_subject import Stage
from trio_dynomite.model import Level
from trio_dynomite.protocol.frames import Kind, encode
from trio_dynomite.server.paced import QUEUE_MAX

PING, PONG = ("PING",), b"+PONG\r\n"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_replies_that_are_there_leave_together(stage: Stage) -> None:
    key = stage.key_led_by("n1")

    assert stage.say(("SET", key, "v"), ("GET", key), PING) == b"+OK\r\n$1\r\nv\r\n+PONG\r\n"


def test_what_follows_a_reply_that_must_wait_waits_for_its_turn(stage: Stage) -> None:
    ours, theirs = stage.key_led_by("n1"), stage.key_led_by("n2")

    assert stage.say(PING, ("SET", theirs, "v"), ("SET", ours, "w"), PING) == PONG
    assert [args for _, _, args in stage.asked] == [[b"SET", theirs, b"v"]]
    assert stage.answer(0, b"+OK\r\n") == b"+OK\r\n+OK\r\n+PONG\r\n"
    assert stage.say(PING) == PONG


def test_replies_that_come_in_another_order_are_put_in_order(stage: Stage) -> None:
    one, two, three = (stage.key_led_by(name) for name in ("n2", "n3", "n2"))
    stage.say(("SET", one, "1"), ("SET", two, "2"), ("APPEND", three, "3"))

    assert [args[1] for _, _, args in stage.asked] == [one, three, two]
    assert stage.answer(2, b"+2\r\n") == b""
    assert stage.answer(1, b":3\r\n") == b""
    assert stage.answer(0, b"+1\r\n") == b"+1\r\n+2\r\n:3\r\n"


def test_a_read_follows_the_write_before_it_to_the_node_that_serves_it(stage: Stage) -> None:
    theirs = stage.key_led_by("n2")
    stage.say(("SET", theirs, "new"), ("GET", theirs))

    assert [args[0] for _, _, args in stage.asked] == [b"SET", b"GET"]
    stage.answer(0, b"+OK\r\n")
    stage.answer(1, b"$3\r\nnew\r\n")
    assert stage.say(("GET", theirs)) == b"$-1\r\n", "once it is answered, our own copy is as good as any"


def test_writes_that_one_frame_acknowledges_are_answered_together_and_in_order(stage: Stage) -> None:
    key = stage.key_led_by("n1")
    stage.choose(Level.DC_QUORUM)

    assert stage.say(("SET", key, "5"), ("INCR", key), ("INCR", key), PING) == b""
    assert stage.acknowledge("n2") == b"+OK\r\n:6\r\n:7\r\n+PONG\r\n"
    assert stage.acknowledge("n3") == b""


def test_a_lost_majority_fails_every_write_of_the_frame(stage: Stage) -> None:
    key = stage.key_led_by("n1")
    stage.choose(Level.DC_QUORUM)
    stage.say(("SET", key, "5"), ("INCR", key), PING)
    for name in ("n2", "n3"):
        link = stage.subject.peer(name).link
        assert link is not None
        link.closed("gone")

    replies = stage.turn().split(b"\r\n")
    assert [reply[:8] for reply in replies] == [b"-UNKNOWN", b"-UNKNOWN", b"+PONG", b""]


@pytest.mark.parametrize("command", ["KEYS", "keys"])
def test_a_look_at_every_key_waits_for_the_writes_under_way(stage: Stage, command: str) -> None:
    theirs = stage.key_led_by("n2")
    stage.say(("SET", theirs, "v"), (command, "*"), PING)
    assert stage.pipe.is_held

    assert stage.answer(0, b"+OK\r\n")[:5] == b"+OK\r\n"


class TestUnheard:
    """CLIENT REPLY OFF and SKIP."""

    def test_one_reply_is_skipped(self, stage: Stage) -> None:
        key = stage.key_led_by("n1")

        assert stage.say(("CLIENT", "REPLY", "SKIP"), ("SET", key, "v"), ("GET", key)) == b"$1\r\nv\r\n"

    def test_a_reply_that_comes_later_is_skipped_too_and_keeps_its_place(self, stage: Stage) -> None:
        theirs = stage.key_led_by("n2")
        stage.say(("CLIENT", "REPLY", "SKIP"), ("SET", theirs, "v"), ("APPEND", theirs, "w"))

        assert stage.answer(1, b":2\r\n") == b""
        assert stage.answer(0, b"+OK\r\n") == b":2\r\n"

    def test_a_skipped_write_does_not_take_its_neighbours_along(self, stage: Stage) -> None:
        key = stage.key_led_by("n1")
        stage.choose(Level.DC_QUORUM)
        stage.say(("SET", key, "1"), ("CLIENT", "REPLY", "SKIP"), ("INCR", key), ("INCR", key))

        assert stage.acknowledge("n2") == b"+OK\r\n:3\r\n"

    def test_off_and_on_again(self, stage: Stage) -> None:
        key = stage.key_led_by("n1")
        off, on = ("CLIENT", "REPLY", "OFF"), ("CLIENT", "REPLY", "ON")

        assert stage.say(off, ("SET", key, "1"), ("NOSUCH",), ("GET",), PING, on, ("GET", key)) == (
            b"+OK\r\n$1\r\n1\r\n"
        )


class TestTheEnd:
    def test_a_protocol_error_comes_after_the_replies_to_what_was_before_it(self, stage: Stage) -> None:
        assert stage.raw(b"PING\r\n*1\r\n:5\r\nPING\r\n") == (
            PONG + b"-ERR Protocol error: expected '$', got ':'\r\n"
        )
        assert stage.is_ending()

    def test_a_protocol_error_waits_for_the_replies_before_it(self, stage: Stage) -> None:
        theirs = stage.key_led_by("n2")
        stage.say(("SET", theirs, "v"))

        assert stage.raw(b"*x\r\n") == b""
        assert stage.pipe.is_held
        assert not stage.is_ending()
        assert stage.answer(0, b"+OK\r\n") == b"+OK\r\n-ERR Protocol error: invalid multibulk length\r\n"
        assert stage.is_ending()

    def test_commands_before_a_protocol_error_are_run_though_they_wait(self, stage: Stage) -> None:
        theirs = stage.key_led_by("n2")
        stage.raw(b"SET %b v\r\nKEYS nothing*\r\nPING\r\n*x\r\n" % theirs)
        found = stage.answer(0, b"+OK\r\n")
        for _ in range(200):
            for at in range(1, len(stage.asked)):
                found += stage.answer(at, b"*0\r\n")
            found += stage.turn()

        assert found == b"+OK\r\n*0\r\n+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"
        assert stage.is_ending()

    def test_quit_waits_for_the_replies_before_it_and_nothing_after_it_is_run(self, stage: Stage) -> None:
        ours, theirs = stage.key_led_by("n1"), stage.key_led_by("n2")

        assert stage.say(("SET", theirs, "v"), ("QUIT",), ("SET", ours, "late")) == b""
        assert not stage.is_ending()
        assert stage.answer(0, b"+1\r\n") == b"+1\r\n+OK\r\n"
        assert stage.is_ending()
        assert stage.subject.engine.keyspace.get(ours) is None

    def test_replies_that_come_after_the_client_left_go_nowhere(self, stage: Stage) -> None:
        theirs = stage.key_led_by("n2")
        stage.say(("SET", theirs, "v"), PING)
        stage.pipe.close("reset")

        assert stage.answer(0, b"+OK\r\n") == b""
        assert stage.session.id not in stage.subject.server.sessions
        assert stage.session.remote_writes == {}
        assert stage.subject.engine.in_flight == 0


class TestTooMuch:
    def test_beyond_so_many_waiting_replies_nothing_more_is_read(self, stage: Stage) -> None:
        theirs = stage.key_led_by("n2")
        total = QUEUE_MAX + 500
        stage.say(*[("APPEND", theirs, "x")] * total)
        assert stage.pipe.is_held
        found = b""
        at = 0
        while at < len(stage.asked):
            link = stage.subject.peer("n2").link
            assert link is not None
            batch = stage.asked[at : at + 1000]
            at += len(batch)
            link.received(encode(Kind.RESULTS, [[number, b":%d\r\n" % number, 0] for _, number, _ in batch]))
            found += stage.turn() + stage.turn()

        assert len(stage.asked) == total
        assert found == b"".join([b":%d\r\n" % number for _, number, _ in stage.asked])
        assert not stage.pipe.is_held

    def test_great_replies_are_given_over_several_turns_in_order(self, stage: Stage) -> None:
        key = stage.key_led_by("n1")
        value = "v" * 300_000
        stage.say(("SET", key, value))
        found = stage.say(*[("GET", key), PING] * 20)
        for _ in range(20):
            found += stage.turn()

        one = b"$300000\r\n" + value.encode() + b"\r\n" + PONG
        assert found == one * 20
        assert not stage.pipe.is_held

    def test_nothing_more_is_run_while_the_client_does_not_read(self, stage: Stage) -> None:
        key = stage.key_led_by("n1")
        stage.say(("SET", key, "v" * 300_000))
        stage.pipe.unsent = stage.subject.server.settings.limits.client_output + 1
        first = stage.say(*[("GET", key)] * 20)
        for _ in range(5):
            assert stage.turn() == b""
        assert stage.pipe.is_held
        stage.pipe.unsent = 0
        stage.session.drained()
        for _ in range(20):
            first += stage.turn()

        assert first.count(b"$300000\r\n") == 20
