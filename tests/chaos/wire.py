"""A client of the load: one connection at a time, nothing repeated, and every outcome told apart.

ACKED: the server said that it is done. REFUSED: it said that nothing was done, or nothing was sent. UNKNOWN:
it did not say, or said that it does not know. An error that belongs to none of these is a surprise, and a
broken promise.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import trio
from attrs import define, field

PATIENCE_S = 4.0
"""Longer than `timeouts.request`: a node that lives has answered by then."""
_CONNECT_S = 1.0
_REFUSALS = ("NOREPLICAS", "OVERLOADED", "TIMEOUT", "MISCONF")
_UNSURE = ("UNKNOWN",)

Argument = bytes | str | int | float
Address = tuple[str, int]


class Outcome(enum.Enum):
    """What is known of a request."""

    ACKED = "acknowledged"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class LostError(Exception):
    """The connection was lost, or nobody answered on it."""


@define(eq=False)
class Wire:
    """One connection to a node."""

    stream: trio.SocketStream
    reader: Any = field(factory=hiredis.Reader)

    @classmethod
    async def open(cls, address: Address) -> Wire:
        """Connect. Raises LostError."""
        try:
            with trio.fail_after(_CONNECT_S):
                return cls(await trio.open_tcp_stream(*address))
        except (OSError, trio.TooSlowError) as why:
            raise LostError(str(why)) from why

    async def ask(self, *args: Argument, patience_s: float = PATIENCE_S) -> Any:
        """The reply to one command; an error is returned, not raised. Raises LostError."""
        try:
            with trio.fail_after(patience_s):
                await self.stream.send_all(hiredis.pack_command(args))  # type: ignore[arg-type]
                while (reply := self.reader.gets()) is False:
                    data = await self.stream.receive_some(1 << 16)
                    if not data:
                        raise LostError("closed by the node")
                    self.reader.feed(data)
                return reply
        except (trio.BrokenResourceError, trio.ClosedResourceError, OSError, trio.TooSlowError) as why:
            raise LostError(repr(why)) from why

    async def close(self) -> None:
        """End it."""
        await trio.aclose_forcefully(self.stream)


@define(eq=False)
class Client:
    """Asks one of several nodes, and changes to another when that fails."""

    addresses: Sequence[Address]
    rng: random.Random
    count: Callable[[Outcome, str], None] = lambda outcome, why: None
    surprises: list[str] = field(factory=list)
    _wire: Wire | None = None

    async def ask(self, *args: Argument) -> tuple[Outcome, Any]:
        """What became of a command, and the reply of one that was acknowledged."""
        outcome, reply, why = await self._ask(args)
        self.count(outcome, why)
        return outcome, reply

    async def _ask(self, args: tuple[Argument, ...]) -> tuple[Outcome, Any, str]:
        try:
            if self._wire is None:
                self._wire = await Wire.open(self.rng.choice(self.addresses))
        except LostError:
            await trio.sleep(0.05)  # let the load not become a storm of connections
            return Outcome.REFUSED, None, "no connection"
        try:
            reply = await self._wire.ask(*args)
        except LostError:
            await self.close()
            return Outcome.UNKNOWN, None, "connection lost"
        if isinstance(reply, hiredis.ReplyError):
            return self._error(args, str(reply))
        return Outcome.ACKED, reply, "OK"

    def _error(self, args: tuple[Argument, ...], text: str) -> tuple[Outcome, Any, str]:
        word = text.split(" ", 1)[0]
        if word in _REFUSALS:
            return Outcome.REFUSED, None, word
        if word not in _UNSURE:
            self.surprises.append(f"{args[:3]} was answered with {text!r}")
        return Outcome.UNKNOWN, None, word

    async def close(self) -> None:
        """Leave the node; the next request goes to any."""
        if self._wire is not None:
            await self._wire.close()
            self._wire = None
