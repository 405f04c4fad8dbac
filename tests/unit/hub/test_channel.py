"""Channels over real sockets: all arrives in order, nobody is read from for ever, handlers are told once."""

import socket
from collections.abc import Iterator

import pytest
from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.hub import Hub

PIECE = 1 << 16


@define(eq=False, slots=False)
class Handler:
    """Keeps what it is told; `answer` says what to write for bytes that come."""

    channel: Channel
    echo: int = 0
    got: bytearray = field(factory=bytearray)
    ends: list[str] = field(factory=list)
    times_drained: int = 0

    def received(self, data: bytes) -> None:
        assert not self.ends, "bytes after the end"
        self.got += data
        if self.echo:
            self.channel.write(data * self.echo)

    def drained(self) -> None:
        self.times_drained += 1

    def closed(self, reason: str) -> None:
        self.ends.append(reason)


@define(eq=False)
class Line:
    """A hub with one channel, and the other end of its socket."""

    hub: Hub
    far: socket.socket
    handler: Handler

    @property
    def channel(self) -> Channel:
        return self.handler.channel

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.hub.turn(lambda: None)

    def send(self, data: bytes) -> int:
        """What the socket takes of `data`."""
        try:
            return self.far.send(data)
        except BlockingIOError:
            return 0

    def read(self) -> bytes:
        """All that has come to the far end."""
        found = b""
        try:
            while piece := self.far.recv(1 << 20):
                found += piece
        except BlockingIOError:
            pass
        return found

    def is_at_an_end(self) -> bool:
        try:
            return self.far.recv(1) == b""
        except BlockingIOError:
            return False


def make_line(output_max: int = 1 << 20, echo: int = 0) -> Line:
    hub = Hub(lambda: None, lambda: None)
    near, far = socket.socketpair()
    far.setblocking(False)
    channel = Channel(hub, near, output_max=output_max)
    handler = Handler(channel, echo)
    channel.open(handler)
    return Line(hub, far, handler)


@pytest.fixture
def line() -> Iterator[Line]:
    line = make_line()
    yield line
    line.hub.close()
    line.far.close()


def test_bytes_go_both_ways(line: Line) -> None:
    line.send(b"hello")
    line.turn()
    line.channel.write(b"a")
    line.channel.write(b"b")
    assert line.read() == b"", "nothing leaves before the turn ends"
    line.turn()

    assert line.handler.got == b"hello"
    assert line.read() == b"ab"
    assert line.channel.unsent == 0


def test_what_the_socket_does_not_take_at_once_follows_in_order(line: Line) -> None:
    data = b"".join([b"%07d\n" % number for number in range(500_000)])
    line.channel.write(data)
    line.turn()
    assert 0 < line.channel.unsent < len(data)
    line.turn()
    assert line.channel.room_made == 0, "the other side takes nothing"
    line.channel.write(b"the end")
    found = b""
    for _ in range(500):
        found += line.read()
        line.turn()

    assert found == data + b"the end"
    assert line.channel.unsent == 0
    assert line.channel.room_made > 0


def test_a_held_channel_is_not_read_until_it_is_let_go(line: Line) -> None:
    line.channel.hold(True)
    line.send(b"hello")
    line.turn(3)
    assert line.handler.got == b""
    line.channel.hold(False)
    line.turn()

    assert line.handler.got == b"hello"


def test_a_peer_that_does_not_read_one_great_answer_is_not_read_from_until_it_does(line: Line) -> None:
    line.channel.write(b"x" * (4 << 20))
    line.turn()
    line.send(b"more")
    line.turn(3)
    assert line.handler.got == b""
    for _ in range(200):
        line.read()
        line.turn()

    assert line.handler.got == b"more"
    assert line.handler.times_drained == 1


def test_the_other_side_ends(line: Line) -> None:
    line.far.close()
    line.turn(3)

    assert line.handler.ends == ["closed by the other side"]
    assert line.channel.is_closed


def test_the_other_side_resets_while_something_is_unsent(line: Line) -> None:
    line.channel.write(b"x" * (8 << 20))
    line.turn()
    line.far.close()
    line.turn(3)

    assert len(line.handler.ends) == 1
    assert line.channel.unsent == 0


def test_the_other_side_resets_while_the_channel_is_held(line: Line) -> None:
    line.channel.hold(True)
    line.far.close()
    line.turn(3)

    assert line.handler.ends == ["connection lost"]


def test_closing_twice_tells_once_and_nothing_more_leaves(line: Line) -> None:
    line.channel.write(b"unsent")
    line.channel.close("enough")
    line.channel.close("again")
    line.channel.write(b"late")
    line.channel.hold(False)
    line.channel.close_when_sent()
    line.turn(2)

    assert line.handler.ends == ["enough"]
    assert line.read() == b""
    assert line.is_at_an_end()


def test_close_when_sent_sends_everything_first(line: Line) -> None:
    data = b"y" * (4 << 20)
    line.channel.write(data)
    line.channel.close_when_sent()
    found = b""
    for _ in range(500):
        line.turn()
        found += line.read()

    assert len(found) == len(data)
    assert line.handler.ends == ["closed here"]


def test_close_when_sent_with_nothing_unsent_closes_now(line: Line) -> None:
    line.channel.close_when_sent()

    assert line.handler.ends == ["closed here"]


def test_a_handler_that_closes_while_it_is_given_bytes_is_given_no_more(line: Line) -> None:
    line.handler.received = lambda data: line.channel.close("seen enough")  # type: ignore[method-assign]
    line.send(b"hello")
    line.turn(3)

    assert line.handler.ends == ["seen enough"]


def test_closing_the_hub_closes_every_channel_once(line: Line) -> None:
    line.hub.close()

    assert len(line.handler.ends) == 1
    assert line.is_at_an_end()
