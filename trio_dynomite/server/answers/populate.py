"""DEBUG POPULATE: many keys for a test, made like any others, a few hundred a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from trio_dynomite.commands.table import TABLE
from trio_dynomite.coordinator.lone import LoneCaller
from trio_dynomite.protocol.replies import OK, is_error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.routes import Route
    from trio_dynomite.model import Level
    from trio_dynomite.server.place import Place

_A_TURN = 500
_VALUE = b"value:%d"


@define(eq=False)
class Population(LoneCaller):
    """Keys that are being made; the caller of the SETNX of each, and who waits for it."""

    engine: Engine
    write_level: Level
    count: int
    prefix: bytes
    size: int
    """Bytes of each value, at least; 0: as many as it needs."""
    place: Place
    made: int = 0
    unanswered: int = 0
    failure: bytes | None = None
    resp: int = 2
    hops: int = 0

    @property
    def read_level(self) -> Level:
        """It reads nothing."""
        return self.write_level

    def go_on(self) -> None:
        """Ask for the next few hundred, once those before are there."""
        row = TABLE[b"setnx"]
        end = min(self.count, self.made + _A_TURN)
        self.unanswered = end - self.made + 1
        for number in range(self.made, end):
            value = (_VALUE % number).ljust(self.size, b"\0")
            args = [b"SETNX", b"%b:%d" % (self.prefix, number), value]
            reply = self.engine.submit(row, args, self)
            if reply is not None:
                self.done(reply)
        self.made = end
        self.done(OK)

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Population:
        """Who is told the reply."""
        return self

    def done(self, reply: bytes) -> None:
        """One of them is there, or was not made."""
        if is_error(reply):
            self.failure = reply
        self.unanswered -= 1
        if self.unanswered:
            return
        if self.made < self.count and self.failure is None:
            self.engine.soon(self.go_on)
        else:
            self.place.done(self.failure or OK)
