"""The task that keeps a server connected, in virtual time: back-off, silence, pings, and what it tells."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from tests.unit.storage.servers.wire import Wire
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.connection import BACKOFF_MAX_S, Connection
from trio_dynomite.storage.servers.handshake import Step, failed
from trio_dynomite.storage.servers.pipe import LOST, ServerPipe


@define(eq=False)
class Server:
    """Answers as it is told; remembers when it was called, and what the engine heard."""

    answers: bool = True
    refuses: str = ""
    takes_s: float = 0.0
    greeting: bytes = b"+OK\r\n"
    called_s: list[float] = field(factory=list)
    wires: list[Wire] = field(factory=list)
    heard: list[str] = field(factory=list)
    logged: list[str] = field(factory=list)

    async def dial(self) -> "Server":
        self.called_s.append(trio.current_time())
        await trio.sleep(self.takes_s)
        if self.refuses:
            raise OSError(111, self.refuses)
        return self

    def open(self, handler: object) -> Wire:
        assert isinstance(handler, ServerPipe)
        self.wires.append(Wire(handler))
        return self.wires[-1]

    @property
    def said(self) -> list[bytes]:
        """What was sent on the last connection and not answered yet."""
        return self.wires[-1].sent

    def turn(self, act: Callable[[], None]) -> None:
        """A turn: what was sent is answered."""
        act()
        while self.answers and self.wires and self.said:
            self.wires[-1].handler.received(self.greeting if self.said.pop(0) == b"hello" else b"+OK\r\n")

    def connection(self) -> Connection:
        return Connection(
            address="the server",
            dial=self.dial,
            turn=self.turn,
            new_scanner=ReplyScanner,
            steps=lambda greeted: [Step(b"hello", failed)],
            ping=b"ping",
            on_up=lambda pipe: self.heard.append("up"),
            on_down=lambda reason: self.heard.append(f"down: {reason}"),
            log=lambda event, **facts: self.logged.append(str(facts.get("reason", event))),
            connect_timeout_s=1.0,
            silent_after_s=2.0,
            output_max=100,
        )


@asynccontextmanager
async def kept(server: Server) -> AsyncIterator[Connection]:
    """A connection that its task keeps."""
    connection = server.connection()
    async with trio.open_nursery() as nursery:
        await nursery.start(connection.run)
        yield connection
        nursery.cancel_scope.cancel()


async def test_it_is_up_once_it_is_greeted(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        assert connection.pipe is not None
        assert (connection.mistake, connection.times_up) == ("", 1)
    assert server.heard == ["up", "down: the node stops"]


async def test_who_is_not_there_is_called_again_ever_more_rarely(autojump_clock: MockClock) -> None:
    server = Server(refuses="Connection refused")
    async with kept(server) as connection:
        await trio.sleep(60)
        pauses = [
            later - earlier for earlier, later in zip(server.called_s, server.called_s[1:], strict=False)
        ]
        assert pauses[0] <= 0.1
        assert min(pauses[8:]) >= BACKOFF_MAX_S / 2
        assert max(pauses) <= BACKOFF_MAX_S
        assert server.logged == ["Connection refused"], "the same reason is told once"
        server.refuses = ""
        connection.wake.set()
        await trio.testing.wait_all_tasks_blocked()
        assert connection.pipe is not None, "whoever knows better need not wait"
    assert server.heard[0] == "up"


async def test_calling_takes_only_so_long(autojump_clock: MockClock) -> None:
    server = Server(takes_s=100)
    async with kept(server) as connection:
        await trio.sleep(1.01)
        assert connection.mistake == "connecting timed out"


async def test_a_greeting_that_is_refused_is_no_connection(autojump_clock: MockClock) -> None:
    server = Server(greeting=b"-LOADING wait\r\n")
    async with kept(server) as connection:
        await trio.sleep(1)
        assert connection.mistake == "the server LOADING wait"
        assert connection.pipe is None
        server.greeting = b"+OK\r\n"
        await trio.sleep(3)
        assert connection.pipe is not None
    assert server.heard[0] == "up"
    assert len(server.called_s) > 2


async def test_a_server_that_is_asked_nothing_is_pinged(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        pipe = connection.pipe
        assert pipe is not None
        await trio.sleep(10)
        assert connection.pipe is pipe
        assert pipe.answered == pytest.approx(20, abs=2)


async def test_silence_ends_it_and_those_who_wait_are_told(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        server.answers = False
        replies: list[object] = []
        pipe = connection.pipe
        assert pipe is not None
        server.turn(lambda: pipe.send(b"get", replies.append))
        await trio.sleep(1.9)
        assert not replies
        await trio.sleep(0.7)
        assert replies == [LOST]
        assert server.heard == ["up", "down: the server was silent for 2 s"]
        server.answers = True
        await trio.sleep(5)
        assert server.heard[-1] == "up"


async def test_one_that_takes_a_long_request_bit_by_bit_lives(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        pipe = connection.pipe
        assert pipe is not None
        server.answers = False
        server.turn(lambda: pipe.send(b"a long one", lambda reply: None))
        for _ in range(20):
            await trio.sleep(0.4)
            server.wires[-1].room_made += 1
        assert connection.pipe is pipe
    assert server.heard[1:] == ["down: the node stops"]


async def test_one_that_is_too_slow_for_too_long_is_given_up(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        wire = server.wires[-1]
        for _ in range(6):
            wire.unsent = 0 if wire.unsent else 101
            await trio.sleep(1)
        assert server.heard == ["up"], "it catches up now and then"
        wire.unsent = 101
        await trio.sleep(3)
        assert "down: the server is too slow: 101 bytes wait for it" in server.heard


async def test_a_lost_connection_is_made_again_at_once(autojump_clock: MockClock) -> None:
    server = Server()
    async with kept(server) as connection:
        await connection.wait_up()
        pipe = connection.pipe
        assert pipe is not None
        pipe.close("cut")
        assert connection.pipe is None
        await trio.sleep(0.11)
        assert connection.pipe not in (None, pipe)
    assert server.heard == ["up", "down: cut", "up", "down: the node stops"]
