"""The relay between the nodes of a chaos test: it passes on, and what it shall cut does not pass."""

import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import trio

from tests.chaos.relay import PEER_PORT, RelayLab
from trio_dynomite.protocol.frames import Kind, encode

HELLO = encode(Kind.HELLO, 2, "chaos", "slots", "node1")
SOON_S = 0.3


def with_relay(act: Callable[[RelayLab], Coroutine[Any, Any, None]]) -> None:
    """Run `act` beside a relay for two hosts, of which the second answers all that it hears."""

    async def main() -> None:
        lab = RelayLab(2)
        async with trio.open_nursery() as nursery:
            await lab.serve(nursery)
            (listener,) = await trio.open_tcp_listeners(PEER_PORT, host=lab.address(2))
            nursery.start_soon(trio.serve_listeners, echo, [listener])
            await act(lab)
            nursery.cancel_scope.cancel()

    trio.run(main)


async def echo(stream: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError):
        async for data in stream:
            await stream.send_all(data)


async def call(lab: RelayLab) -> trio.SocketStream:
    """Host 1 calls host 2."""
    stream = await trio.open_tcp_stream(lab.announced(2), PEER_PORT)
    await stream.send_all(HELLO)
    return stream


async def connected(lab: RelayLab) -> trio.SocketStream:
    """And is answered."""
    stream = await call(lab)
    assert await stream.receive_some() == HELLO
    return stream


async def hears(stream: trio.SocketStream) -> bytes:
    """What comes soon; nothing is b"-"."""
    with trio.move_on_after(SOON_S):
        return bytes(await stream.receive_some())
    return b"-"


@pytest.mark.parametrize("pair", [(1, 2), (2, 1)])
def test_what_is_cut_one_way_waits_and_comes_when_it_is_mended(pair: tuple[int, int]) -> None:
    async def act(lab: RelayLab) -> None:
        async with await connected(lab) as stream:
            await lab.cut([pair])
            await lab.cut([pair])
            await stream.send_all(b"hello?")
            assert await hears(stream) == b"-"
            await lab.mend([pair])
            assert await hears(stream) == b"-", "another fault lasts"
            await lab.mend([pair])
            assert await hears(stream) == b"hello?"

    with_relay(act)


def test_a_new_connection_gets_nowhere_while_it_is_cut() -> None:
    async def act(lab: RelayLab) -> None:
        await lab.cut([(1, 2)])
        async with await call(lab) as stream:
            assert await hears(stream) == b"-"
            await lab.mend([(1, 2)])
            assert await hears(stream) == HELLO

    with_relay(act)


def test_others_are_not_touched_and_what_is_delayed_comes_late() -> None:
    async def act(lab: RelayLab) -> None:
        async with await connected(lab) as stream:
            await lab.cut([(2, 2)])
            await stream.send_all(b"now")
            assert await hears(stream) == b"now"
            await lab.delay([(1, 2)], 2 * SOON_S)
            await stream.send_all(b"later")
            assert await hears(stream) == b"-"
            with trio.fail_after(5):
                assert await stream.receive_some() == b"later"

    with_relay(act)


def test_connections_are_reset() -> None:
    async def act(lab: RelayLab) -> None:
        async with await connected(lab) as stream:
            await lab.reset(2, 1)
            with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
                await stream.receive_some()

    with_relay(act)


def test_datagrams_come_from_the_announced_address_and_are_lost_in_a_cut() -> None:
    async def act(lab: RelayLab) -> None:
        first, second = [trio.socket.socket(type=socket.SOCK_DGRAM) for _ in range(2)]
        with first, second:
            await first.bind((lab.address(1), PEER_PORT))
            await second.bind((lab.address(2), PEER_PORT))
            await lab.cut([(1, 2)])
            await first.sendto(b"lost", (lab.announced(2), PEER_PORT))
            await trio.sleep(SOON_S)
            await lab.mend([(1, 2)])
            await first.sendto(b"heard", (lab.announced(2), PEER_PORT))
            with trio.fail_after(5):
                assert await second.recvfrom(100) == (b"heard", (lab.announced(1), PEER_PORT))

    with_relay(act)
