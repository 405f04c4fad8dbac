"""Asking seeds: the task that finds out who they are, and asks those who are not connected who is there.

It never ends: a seed may start later, and two halves of a cluster that know of each other by a seed only must
find each other. What goes wrong is told once, and tried again with back-off.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from attrs import define, field

from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.connecting import connect
from trio_dynomite.hub.hub import Hub
from trio_dynomite.logs import get_logger
from trio_dynomite.membership.seeds import Seed, addresses, joined
from trio_dynomite.peers.members import Address, Members
from trio_dynomite.peers.question import Question
from trio_dynomite.seeds.sources import SeedsError, Source

EAGER_S, PATIENT_S = 0.5, 5.0
"""Between two rounds, until this node knows whom it belongs to, and afterwards."""
RETRY_FIRST_S = 1.0
ANSWER_S = 5.0
"""How long a seed may take."""

log = get_logger()


@define(eq=False)
class Asking:
    """One node's."""

    hub: Hub
    members: Members
    source: Source
    connect_timeout_s: float
    seeds: list[Seed] = field(factory=list)
    wake: trio.Event = field(factory=trio.Event)
    """Set when there is a new address to ask."""
    is_read: bool = False
    """The source was read once."""
    _due_s: float = 0.0
    """When to read the source again."""
    _retry_s: float = RETRY_FIRST_S
    _told: dict[Address | str, str] = field(factory=dict)
    """What was said last of an address, and of the source."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ask, again and again, until cancelled."""
        self.members.on_met = self.wake_up
        task_status.started()
        while True:
            await self.round()
            self.wake = trio.Event()
            with trio.move_on_after(PATIENT_S if self.members.is_introduced else EAGER_S):
                await self.wake.wait()

    def wake_up(self) -> None:
        """Begin the next round at once."""
        self.wake.set()

    async def round(self) -> None:
        """Read the source if it is time, and ask everybody once."""
        if trio.current_time() >= self._due_s:
            await self._read()
        if not self.is_read and not self.members.met:
            return  # nobody knows whether there is somebody to ask
        to_ask = self._in_turn(lambda: self.members.to_ask(addresses(self.seeds)))
        async with trio.open_nursery() as questions:
            for address in to_ask:
                questions.start_soon(self._ask, address)

    async def _read(self) -> None:
        try:
            seeds = await self.source.read()
        except SeedsError as why:
            self._say("source", f"{why}; it is read again later")
            self._due_s = trio.current_time() + self._retry_s
            self._retry_s = min(self._retry_s * 2, self.source.period_s)
            return
        self._say("source", "" if seeds else "there are no seeds in it")
        self._due_s = trio.current_time() + self.source.period_s
        self._retry_s = RETRY_FIRST_S
        self.seeds, self.is_read = seeds, True

    def _say(self, who: Address | str, trouble: str) -> None:
        """Tell of trouble once, and of its end."""
        before = self._told.get(who, "")
        if trouble == before:
            return
        self._told[who] = trouble
        what = "seeds" if isinstance(who, str) else f"seed {joined(*who)}"
        if trouble:
            log.warning(f"{what}: {trouble}")
        else:
            log.info(f"{what}: all is well again")

    async def _ask(self, address: Address) -> None:
        try:
            with trio.fail_after(self.connect_timeout_s):
                sock = await connect(*address)
        except trio.TooSlowError:
            self._say(address, "connecting timed out")
            return
        except OSError as error:
            self._say(address, error.strerror or str(error))
            return
        ended = trio.Event()
        channel = Channel(self.hub, sock)
        question = Question(self.members.engine, address, channel, on_closed=ended.set)

        def open_question() -> None:
            channel.open(question)
            question.start()

        self.hub.turn(open_question)
        try:
            with trio.move_on_after(ANSWER_S):
                await ended.wait()
        finally:
            self.hub.turn(lambda: channel.close("it was asked"))
        self._say(address, question.failure or "")

    def _in_turn(self, act: Callable[[], list[Address]]) -> list[Address]:
        found: list[Address] = []
        self.hub.turn(lambda: found.extend(act()))
        return found
