"""Keys of one writer, and readers who must never see the past: SET and DEL.

A key belongs to a datacenter. Its writer makes version after version; a reader notes the newest acknowledged
version before it asks, and must find that one or a newer one. After a write whose outcome is unknown the key
is left alone (that write may come true at any time later), and only its last two values may be found.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

from attrs import define, field

from tests.chaos.loads import Asker
from tests.chaos.wire import Client, Outcome

_VERSIONS_MAX = 40


@define(eq=False)
class Register:
    """One key: its versions, and what became of them."""

    key: str
    values: list[bytes | None] = field(factory=lambda: [None])
    """By version; None where it was deleted."""
    acked: int = 0
    """The newest acknowledged version."""
    is_done: bool = False

    def allows(self, value: bytes | None, since: int) -> bool:
        """May a read that began when version `since` was acknowledged find this?"""
        return value in self.values[since:]

    def complaint(self, value: bytes | None, since: int) -> str:
        """What is wrong with it."""
        word = "RESURRECTED" if self.values[since] is None else "STALE"
        return f"{word} {self.key}: found {value!r}, version {since} was acknowledged: {self.values[since]!r}"


@define(eq=False)
class Registers:
    """Registers of one datacenter, and their readers."""

    home: str
    rng: random.Random
    name: str = "SET DEL"
    current: Register | None = None
    is_writing: bool = False
    done: list[Register] = field(factory=list)
    recent: deque[Register] = field(factory=lambda: deque(maxlen=8))
    reads: int = 0
    wrong: list[str] = field(factory=list)

    def names(self) -> Iterator[str]:
        """Those so far."""
        return (register.key for register in self.done)

    async def step(self, client: Client) -> None:
        """The next version, or a read."""
        if self.is_writing or self.rng.random() < 0.6:
            await self.read(client)
            return
        if self.current is None or self.current.is_done:
            self.current = Register(f"register:{self.home}:{len(self.done)}")
            self.done.append(self.current)
            self.recent.append(self.current)
        self.is_writing = True
        try:
            await self._write(client, self.current)
        finally:
            self.is_writing = False

    async def _write(self, client: Client, register: Register) -> None:
        version = len(register.values)
        deletes = self.rng.random() < 0.3
        register.values.append(None if deletes else b"%d" % version)
        request = ["DEL", register.key] if deletes else ["SET", register.key, str(version)]
        outcome, _ = await client.ask(*request)
        if outcome is Outcome.ACKED:
            register.acked = version
        elif outcome is Outcome.REFUSED:
            register.values.pop()
        register.is_done = outcome is Outcome.UNKNOWN or version >= _VERSIONS_MAX

    async def read(self, client: Client) -> None:
        """Find the newest acknowledged version or a newer one."""
        if not self.recent:
            return
        register = self.rng.choice(self.recent)
        since = register.acked
        outcome, value = await client.ask("GET", register.key)
        if outcome is Outcome.ACKED:
            self.reads += 1
            if not register.allows(value, since):
                self.wrong.append(register.complaint(value, since))

    async def check(self, node: Asker) -> list[str]:
        """Each holds its last version."""
        wrong = []
        for register in self.done:
            value = await node.ask("GET", register.key)
            if not register.allows(value, register.acked):
                wrong.append("at the end: " + register.complaint(value, register.acked))
        return wrong
