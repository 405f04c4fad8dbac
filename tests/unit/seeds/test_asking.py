"""The task that asks seeds: trouble is told once, tried again with back-off, and ends nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from attrs import define, field
from structlog.testing import capture_logs

from trio_dynomite.membership.seeds import Seed
from trio_dynomite.seeds.asking import RETRY_FIRST_S, Asking
from trio_dynomite.seeds.sources import SeedsError


@define
class Sources:
    """A source that says in turn what it is told to say."""

    said: list[list[Seed] | str]
    period_s: float = 30.0
    reads: int = 0

    async def read(self) -> list[Seed]:
        self.reads += 1
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, str):
            raise SeedsError(said)
        return said


@define
class Everybody:
    """Members of whom one only has to know whom to ask."""

    asked: list[list[tuple[str, int]]] = field(factory=list)
    met: dict[tuple[str, int], None] = field(factory=dict)
    is_introduced: bool = False
    on_met: Callable[[], None] = lambda: None
    engine: Any = None

    def to_ask(self, seeds: list[tuple[str, int]]) -> list[tuple[str, int]]:
        self.asked.append(seeds)
        return seeds


class Turns:
    """A hub that runs what it is given."""

    def turn(self, act: Callable[[], None]) -> None:
        act()


def asking(*said: list[Seed] | str) -> tuple[Asking, Sources, Everybody]:
    source, members = Sources(list(said)), Everybody()
    return Asking(Turns(), members, source, 1.0), source, members  # type: ignore[arg-type]


async def a_closed_port() -> int:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port: int = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


async def test_trouble_with_the_source_is_told_once_and_it_is_read_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    task, source, members = asking("no answer", "no answer", [], [])
    with capture_logs() as logs:
        await task.round()
        await task.round()
        assert source.reads == 1, "not before its time"
        for _ in range(3):
            await trio.sleep(RETRY_FIRST_S * 2)
            await task.round()

    assert [line["event"] for line in logs] == [
        "seeds: no answer; it is read again later",
        "seeds: there are no seeds in it",
    ]
    assert not members.asked[0]


async def test_nobody_is_asked_before_the_source_was_read_unless_by_hand(
    autojump_clock: trio.testing.MockClock,
) -> None:
    task, _, members = asking("no answer")
    await task.round()
    assert not members.asked

    members.met["127.0.0.1", await a_closed_port()] = None
    await task.round()
    assert members.asked == [[]]


async def test_a_seed_that_does_not_listen_is_told_once() -> None:
    port = await a_closed_port()
    task, _, _ = asking([Seed("127.0.0.1", port)])
    with capture_logs() as logs:
        for _ in range(3):
            await task.round()

    (line,) = logs
    assert line["event"].startswith(f"seed 127.0.0.1:{port}: ")
    assert line["event"].endswith("Connection refused")


async def test_it_asks_at_once_when_there_is_somebody_new(autojump_clock: trio.testing.MockClock) -> None:
    task, _, members = asking([])
    members.is_introduced = True
    async with trio.open_nursery() as nursery:
        await nursery.start(task.run)
        await trio.testing.wait_all_tasks_blocked()
        rounds = len(members.asked)
        members.on_met()
        await trio.testing.wait_all_tasks_blocked()
        assert len(members.asked) == rounds + 1
        await trio.sleep(5.5)
        assert len(members.asked) == rounds + 2, "and patiently otherwise"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("trouble", ["no answer", "garbage"])
async def test_what_was_known_of_seeds_stays_known(
    trouble: str, autojump_clock: trio.testing.MockClock
) -> None:
    port = await a_closed_port()
    task, _, members = asking([Seed("127.0.0.1", port)], trouble)
    await task.round()
    await trio.sleep(31)
    await task.round()

    assert members.asked == [[("127.0.0.1", port)]] * 2
