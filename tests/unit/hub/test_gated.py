"""A gated channel over a real socket: nothing leaves before it is safe, and all leaves in order."""

import socket
from collections.abc import Iterator

import pytest
from attrs import define, field

from trio_dynomite.hub.gated import GatedChannel
from trio_dynomite.hub.hub import Hub
from trio_dynomite.storage.gate import Gate


@define(eq=False)
class Line:
    """A hub with two gated channels, and the far ends of their sockets."""

    hub: Hub
    gate: Gate
    channels: list[GatedChannel] = field(factory=list)
    far: list[socket.socket] = field(factory=list)

    def received(self, data: bytes) -> None:
        """Nothing is sent to us."""

    def drained(self) -> None:
        """It was never too much."""

    def closed(self, reason: str) -> None:
        """That is no surprise."""

    def says(self, at: int, data: bytes, *, writes: bool = False) -> None:
        """In one turn: perhaps a commit, and something said on a channel."""

        def act() -> None:
            self.channels[at].write(data)
            self.gate.made += writes

        self.hub.turn(act)

    def settles(self, number: int) -> None:
        self.hub.turn(lambda: self.gate.settle(number))

    def heard(self, at: int = 0) -> bytes:
        try:
            return self.far[at].recv(1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
def line() -> Iterator[Line]:
    hub = Hub(lambda: None, lambda: None)
    line = Line(hub, Gate())
    for _ in range(2):
        near, far = socket.socketpair()
        far.setblocking(False)
        channel = GatedChannel(hub, near, gate=line.gate)
        channel.open(line)
        line.channels.append(channel)
        line.far.append(far)
    yield line
    hub.close()
    for far in line.far:
        far.close()


def test_what_is_said_without_a_write_leaves_at_once(line: Line) -> None:
    line.says(0, b"pong")
    assert line.heard() == b"pong"


def test_what_is_said_with_a_write_leaves_when_that_is_safe(line: Line) -> None:
    line.says(0, b"ok", writes=True)
    assert line.heard() == b""
    assert line.channels[0].unsent == 2
    line.settles(1)
    assert line.heard() == b"ok"
    assert not line.channels[0].unsent


def test_a_reader_waits_for_what_it_may_have_read(line: Line) -> None:
    line.says(0, b"ok", writes=True)
    line.says(1, b"value")
    assert line.heard(1) == b""
    line.settles(1)
    assert line.heard(1) == b"value"


def test_later_commits_hold_back_later_words_only(line: Line) -> None:
    line.says(0, b"1", writes=True)
    line.says(0, b"2", writes=True)
    line.says(0, b"3")
    line.settles(1)
    assert line.heard() == b"1"
    line.settles(2)
    assert line.heard() == b"23"


def test_what_is_said_in_the_turn_that_settles_keeps_its_order(line: Line) -> None:
    line.says(0, b"1", writes=True)

    def act() -> None:
        line.channels[0].write(b"2")
        line.gate.made += 1
        line.gate.settle(1)

    line.hub.turn(act)
    assert line.heard() == b"1"
    line.settles(2)
    assert line.heard() == b"2"


def test_a_channel_closes_after_its_last_words(line: Line) -> None:
    line.says(0, b"bye", writes=True)
    line.hub.turn(line.channels[0].close_when_sent)
    assert line.heard() == b""
    assert not line.channels[0].is_closed
    line.settles(1)
    assert line.heard() == b"bye"
    assert line.channels[0].is_closed


def test_a_closed_channel_is_forgotten(line: Line) -> None:
    line.says(0, b"lost", writes=True)
    line.hub.turn(line.channels[0].close)
    line.settles(1)
    assert line.heard() == b""
    assert not line.gate.held
