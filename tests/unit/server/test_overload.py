"""What waits takes so much memory and no more: clients wait, then the newest request is refused in words."""

from tests.unit.server.session_subject import Stage
from trio_dynomite.commands.table import lookup
from trio_dynomite.model import Level

BIG = b"x" * 100_000


def answers_of(stage: Stage) -> bytes:
    sent = b""
    while more := stage.turn():
        sent += more
    return sent


def test_requests_for_another_node_wait_for_room_and_all_are_done() -> None:
    stage = Stage()
    engine = stage.subject.engine
    engine.waiting_bytes_max = 4 * len(BIG)
    key = stage.key_led_by("n2")
    sent = stage.say(*[("SET", key, BIG + b"%d" % number) for number in range(6)])
    assert sent == b""
    assert len(stage.asked) == 2, "half of the bytes"
    assert engine.waiting_bytes > 2 * len(BIG)
    for number in range(6):
        sent += stage.answer(number, b"+OK\r\n") + answers_of(stage)
    assert sent == b"+OK\r\n" * 6
    assert engine.waiting_bytes == 0


def test_a_node_whose_room_others_have_taken_refuses_and_counts() -> None:
    stage = Stage()
    engine = stage.subject.engine
    engine.waiting_bytes = engine.waiting_bytes_max
    before = engine.refused
    sent = stage.say(("SET", stage.key_led_by("n2"), "v"))
    assert sent.startswith(b"-OVERLOADED ")
    assert b"limits.request_bytes" in sent
    assert engine.refused == before + 1
    assert not stage.asked
    assert stage.say(("SET", stage.key_led_by("n1"), "v")) == b"+OK\r\n", "what needs nobody else goes on"


def test_replies_that_wait_for_a_quorum_are_not_made_by_the_thousand() -> None:
    stage = Stage()
    engine = stage.subject.engine
    key = stage.key_led_by("n1")
    stage.say(("SET", key, BIG))
    stage.acknowledge("n2")
    stage.choose(Level.DC_QUORUM)
    engine.waiting_bytes_max = 4 * len(BIG)
    assert stage.say(*[("GET", key)] * 500) == b""
    assert engine.in_flight == 2
    assert engine.waiting_bytes < 4 * len(BIG)


def test_parked_requests_count_until_they_are_over() -> None:
    stage = Stage()
    engine = stage.subject.engine
    args = [b"SET", stage.key_led_by("n2"), BIG]
    engine.table.of_key(args[1]).leader = None
    engine.parking.add(engine.table.of_key(args[1]), lookup(args), args, stage.session)
    assert len(engine.parking) == 1
    assert engine.waiting_bytes >= len(BIG)
    engine.parking.retry()
    assert engine.waiting_bytes >= len(BIG), "it waits still"
    engine._deadlines[-1][1].expire()
    engine.parking.retry()
    assert len(engine.parking) == 0
    assert engine.waiting_bytes == 0


def test_a_transaction_beyond_the_limit_ends_its_client() -> None:
    stage = Stage()
    server = stage.subject.server
    server.limits.unfinished = 5 * len(BIG)
    stage.say(("MULTI",))
    assert stage.say(*[("SET", "{a}k", BIG)] * 4) == b"+QUEUED\r\n" * 4
    sent = stage.say(("SET", "{a}k", BIG), ("PING",))
    assert sent.startswith(b"-ERR unfinished command or transaction of over 500000 bytes")
    assert sent.count(b"\r\n") == 1
    assert stage.is_ending()
    assert stage.session.transaction is None
    assert server.too_much_input == 1


def test_an_unfinished_command_beyond_the_limit_ends_its_client() -> None:
    stage = Stage()
    server = stage.subject.server
    server.limits.unfinished = 5 * len(BIG)
    sent = stage.say(("PING",)) + stage.raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$600000\r\nx")
    assert sent.startswith(b"+PONG\r\n-ERR Protocol error: unfinished command")
    assert stage.is_ending()
    assert (server.too_much_input, server.protocol_errors) == (1, 0)


def test_the_limit_can_be_changed_and_is_told() -> None:
    stage = Stage()
    assert stage.say(("CONFIG", "SET", "client-query-buffer-limit", "2mb")) == b"+OK\r\n"
    assert b"2097152" in stage.say(("CONFIG", "GET", "client-query-buffer-limit"))
    assert stage.subject.server.limits.unfinished == 2 << 20
    assert stage.say(("CONFIG", "SET", "client-query-buffer-limit", "1kb")).startswith(b"-ERR")
