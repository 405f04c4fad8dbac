"""Turns: begin, handlers, end, flush; and one socket's trouble is its own."""

import socket
from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.hub import Hub


@define(eq=False, slots=False)
class Recorder:
    name: str
    events: list[str]
    act: Callable[[bytes], None] = lambda data: None
    ends: list[str] = field(factory=list)

    def received(self, data: bytes) -> None:
        self.events.append(f"{self.name} {data.decode()}")
        self.act(data)

    def drained(self) -> None:
        self.events.append(f"{self.name} drained")

    def closed(self, reason: str) -> None:
        self.ends.append(reason)


def connect(hub: Hub, name: str, events: list[str]) -> tuple[Channel, Recorder, socket.socket]:
    near, far = socket.socketpair()
    far.setblocking(False)
    channel, handler = Channel(hub, near), Recorder(name, events)
    channel.open(handler)
    return channel, handler, far


def test_a_turn_is_begun_handled_acted_ended_and_then_flushed() -> None:
    events: list[str] = []
    hub = Hub(lambda: events.append("begin"), lambda: events.append("end"))
    channel, _, far = connect(hub, "a", events)
    far.send(b"1")

    def act() -> None:
        events.append("act")
        channel.write(b"x")

    assert hub.turn(act)
    assert events[:4] == ["begin", "a 1", "act", "end"]
    assert far.recv(10) == b"x"
    hub.close()
    far.close()


def test_with_nothing_to_do_there_is_no_turn() -> None:
    events: list[str] = []
    hub = Hub(lambda: events.append("begin"), lambda: events.append("end"))

    assert not hub.turn()
    assert events == []
    hub.close()


def test_a_handler_that_fails_costs_its_connection_and_the_others_go_on() -> None:
    events: list[str] = []
    mistakes: list[Exception] = []
    hub = Hub(lambda: None, lambda: None, on_error=mistakes.append)
    _, bad, far_bad = connect(hub, "bad", events)
    _, good, far_good = connect(hub, "good", events)
    error = RuntimeError("a mistake")

    def fail(data: bytes) -> None:
        raise error

    bad.act = fail
    far_bad.send(b"1")
    far_good.send(b"1")
    hub.turn()
    far_good.send(b"2")
    hub.turn()

    assert mistakes == [error]
    assert bad.ends == ["internal error"]
    assert good.ends == []
    assert sorted(events) == ["bad 1", "good 1", "good 2"]
    hub.close()
    far_bad.close()
    far_good.close()


def test_a_channel_closed_by_anothers_handler_in_the_same_turn_is_left_alone() -> None:
    events: list[str] = []
    hub = Hub(lambda: None, lambda: None)
    one, first, far_one = connect(hub, "one", events)
    two, second, far_two = connect(hub, "two", events)
    first.act = lambda data: two.close("by the other")
    second.act = lambda data: one.close("by the other")
    far_one.send(b"1")
    far_two.send(b"1")
    hub.turn()

    assert len(events) == 1
    assert sorted([*first.ends, *second.ends]) == ["by the other"]
    hub.close()
    far_one.close()
    far_two.close()


def test_what_is_written_while_channels_are_flushed_leaves_in_the_same_turn() -> None:
    """A flush that fails closes a channel, and its handler tells another."""
    events: list[str] = []
    hub = Hub(lambda: None, lambda: None)
    broken, loser, far_broken = connect(hub, "broken", events)
    other, _, far_other = connect(hub, "other", events)
    loser.closed = lambda reason: other.write(b"it is gone")  # type: ignore[method-assign]
    far_broken.close()
    hub.turn(lambda: broken.write(b"x"))

    assert far_other.recv(100) == b"it is gone"
    hub.close()
    far_other.close()


async def test_the_hub_serves_as_a_task() -> None:
    events: list[str] = []
    hub = Hub(lambda: None, lambda: None)
    channel, handler, far = connect(hub, "a", events)
    handler.act = lambda data: channel.write(data.upper())
    async with trio.open_nursery() as nursery:
        await nursery.start(hub.run)
        stream = trio.socket.from_stdlib_socket(far)
        with trio.fail_after(5):
            for word in (b"one", b"two", b"three"):
                await stream.send(word)
                assert await stream.recv(100) == word.upper()
        nursery.cancel_scope.cancel()
    hub.close()
    stream.close()
