"""The pipelined connection: every reply to whoever asked, in order; everybody told when it ends."""

from typing import Any

import hiredis
import pytest

from tests.unit.storage.servers.wire import Wire
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.pipe import LOST, ServerPipe


@pytest.fixture
def ends() -> list[str]:
    return []


@pytest.fixture
def pipe(ends: list[str]) -> ServerPipe:
    pipe = ServerPipe(ReplyScanner(), output_max=100)
    pipe.pipe = Wire(pipe)
    pipe.on_closed = ends.append
    return pipe


def test_replies_go_to_those_who_asked_in_order(pipe: ServerPipe) -> None:
    got: list[Any] = []
    pipe.send(b"a", lambda reply: got.append(("a", reply)))
    pipe.send(b"b", lambda reply: got.append(("b", reply)))
    assert pipe.waiting == 2
    pipe.received(b"+one\r\n$3\r\ntw")
    assert got == [("a", b"+one\r\n")]
    pipe.received(b"o\r\n")

    assert got == [("a", b"+one\r\n"), ("b", b"$3\r\ntwo\r\n")]
    assert (pipe.waiting, pipe.answered) == (0, 2)
    assert pipe.pipe.sent == [b"a", b"b"]  # type: ignore[attr-defined]


def test_a_reply_may_be_a_value(pipe: ServerPipe) -> None:
    got: list[Any] = []
    pipe.ask(b"a", got.append)
    pipe.send(b"b", got.append)
    pipe.ask(b"c", got.append)
    pipe.ask(b"d", got.append)
    pipe.received(b"*2\r\n:1\r\n*1\r\n$-1\r\n" + b":7\r\n" + b"-ERR no\r\n" + b"$-1\r\n")

    assert got[:2] == [[1, [None]], b":7\r\n"]
    assert isinstance(got[2], hiredis.ReplyError)
    assert got[3] is None


def test_several_requests_are_answered_together(pipe: ServerPipe) -> None:
    got: list[Any] = []
    pipe.send_all(b"abc", 3, got.append)
    pipe.send(b"d", got.append)
    pipe.received(b":1\r\n:2\r\n")
    assert not got
    pipe.received(b":3\r\n:4\r\n")

    assert got == [[b":1\r\n", b":2\r\n", b":3\r\n"], b":4\r\n"]


def test_at_the_end_everybody_is_told_once(pipe: ServerPipe, ends: list[str]) -> None:
    got: list[Any] = []
    pipe.send(b"a", got.append)
    pipe.ask(b"b", lambda value: got.append(("value", value)))
    pipe.send_all(b"cd", 2, got.append)
    pipe.send_all(b"ef", 2, got.append)
    pipe.received(b"+one\r\n:1\r\n:2\r\n")
    pipe.closed("gone")

    assert ends == ["gone"]
    assert got == [b"+one\r\n", ("value", 1), LOST, LOST]
    assert not pipe.has_room


def test_the_end_is_told_before_the_requests_hear_of_it(pipe: ServerPipe) -> None:
    order: list[str] = []
    pipe.on_closed = order.append
    pipe.send(b"a", lambda reply: order.append("request"))
    pipe.closed("gone")

    assert order == ["gone", "request"]


def test_what_is_sent_afterwards_is_lost_at_once(pipe: ServerPipe) -> None:
    got: list[Any] = []
    pipe.send(b"a", lambda reply: pipe.send(b"again", got.append))
    pipe.closed("gone")
    pipe.ask(b"b", got.append)
    pipe.send_all(b"c", 2, got.append)

    assert got == [LOST, LOST, LOST]
    assert pipe.pipe.sent == [b"a"]  # type: ignore[attr-defined]


def test_a_reply_may_ask_again(pipe: ServerPipe) -> None:
    got: list[Any] = []
    pipe.send(b"a", lambda reply: pipe.send(b"b", got.append))
    pipe.received(b"+one\r\n")
    pipe.received(b"+two\r\n")

    assert got == [b"+two\r\n"]


def test_whoever_closes_it_leaves_the_others_lost(pipe: ServerPipe, ends: list[str]) -> None:
    got: list[Any] = []
    pipe.send(b"a", lambda reply: pipe.close("enough"))
    pipe.send(b"b", got.append)
    pipe.received(b"+one\r\n+two\r\n")

    assert ends == ["enough"]
    assert got == [LOST]


@pytest.mark.parametrize("said", [b"+one\r\n+two\r\n", b"?\r\n"])
def test_a_server_that_says_what_it_should_not_is_left(
    pipe: ServerPipe, ends: list[str], said: bytes
) -> None:
    got: list[Any] = []
    pipe.send(b"a", got.append)
    pipe.received(said)

    assert len(ends) == 1
    assert "the server" in ends[0]
    assert got == [LOST]


def test_room_is_what_the_wire_has_not_taken(pipe: ServerPipe) -> None:
    assert pipe.has_room
    pipe.pipe.unsent = 100  # type: ignore[misc]

    assert not pipe.has_room
    assert pipe.unsent == 100


def test_bytes_and_room_are_signs_of_life(pipe: ServerPipe) -> None:
    before = pipe.signs_of_life
    pipe.send(b"a", lambda reply: None)
    pipe.received(b"$10\r\nabc")
    pipe.pipe.room_made += 1  # type: ignore[misc]

    assert pipe.signs_of_life == before + 2
