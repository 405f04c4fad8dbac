"""Scatter: one command on keys of several owners, split by route and put together again.

Each part is a request of its own with its own level and outcome; together they are not atomic. A part that
fails fails the whole, with the part's own error, and what the others did stays (Dynomite §4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from trio_dynomite.commands.refusals import wrong_arity
from trio_dynomite.commands.row import Row, Spread
from trio_dynomite.coordinator.batch import Batch, Waiter
from trio_dynomite.model import Level
from trio_dynomite.protocol.replies import OK, array, error, integer, is_error

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Caller, Engine
    from trio_dynomite.coordinator.routes import Route


@define(eq=False)
class Part:
    """The part of a command that one route serves; the caller of it and who waits for it."""

    whole: Scatter
    read_level: Level
    write_level: Level
    resp: int
    hops: int
    keys_at: list[int] = field(factory=list)
    """Which of the whole command's keys it has, counting from 0."""
    reply: bytes = b""
    away: Route | None = None
    reading: Route | None = None

    @property
    def remote_writes(self) -> Mapping[Route, int]:
        """Those of the whole command's caller."""
        return self.whole.caller.remote_writes

    def wait(self, away: Route | None = None, reading: Route | None = None) -> Part:
        """Who is told the reply."""
        self.away, self.reading = away, reading
        self.whole.caller.note(away, reading, 1)
        return self

    def block(self) -> Part:
        """Parts do not block."""
        return self.wait()

    def wait_for(self, batch: Batch, need: int, reply: bytes) -> None:
        """`reply` may be sent when `batch` has `need` acknowledgements."""
        batch.waiting.append((need, self, reply))

    def note(self, away: Route | None, reading: Route | None, change: int) -> None:
        """Parts have no parts."""

    def done(self, reply: bytes) -> None:
        """The part's reply."""
        self.reply = reply
        if self.away is not None or self.reading is not None:
            self.whole.caller.note(self.away, self.reading, -1)
        self.whole.part_done()


@define(eq=False)
class Scatter:
    """A command under way in parts."""

    row: Row
    caller: Caller
    parts: list[Part] = field(factory=list)
    missing: int = 0
    waiter: Waiter | None = None
    """None while the parts are being sent."""

    def part_done(self) -> None:
        """One more part has its reply."""
        self.missing -= 1
        if not self.missing and self.waiter is not None:
            self.waiter.done(self.joined())

    def joined(self) -> bytes:
        """The whole reply."""
        replies = [part.reply for part in self.parts]
        for reply in replies:
            if is_error(reply):
                return reply
        if self.row.spread is Spread.SUM:
            return integer(sum([int(reply[1:-2]) for reply in replies]))
        if self.row.spread is Spread.SCATTER:
            return OK
        return self._gathered()

    def _gathered(self) -> bytes:
        placed: dict[int, bytes] = {}
        for part in self.parts:
            placed.update(zip(part.keys_at, split_array(part.reply), strict=True))
        return array([placed[at] for at in sorted(placed)])


def submit(engine: Engine, row: Row, args: list[bytes], caller: Caller) -> bytes | None:
    """Split a command by the routes of its keys; a command of one route goes whole."""
    if (len(args) - row.first) % row.step:
        # Before it is split: the whole pairs of an MSET must not be written when one lacks its value.
        return error(wrong_arity(row.name))
    groups = _group(engine, row, args)
    if len(groups) == 1:
        return engine.submit_to(next(iter(groups)), row, args, caller)
    scatter = Scatter(row, caller, missing=len(groups))
    for route, keys_at in groups.items():
        part = Part(scatter, caller.read_level, caller.write_level, caller.resp, caller.hops, keys_at)
        scatter.parts.append(part)
        reply = engine.submit_to(route, row, _part_args(row, args, keys_at), part)
        if reply is not None:
            part.done(reply)
    if not scatter.missing:
        return scatter.joined()
    scatter.waiter = caller.wait()
    return None


def _group(engine: Engine, row: Row, args: list[bytes]) -> dict[Route, list[int]]:
    groups: dict[Route, list[int]] = {}
    of_key = engine.table.of_key
    for at, key in enumerate(row.keys(args)):
        groups.setdefault(of_key(key), []).append(at)
    return groups


def _part_args(row: Row, args: list[bytes], keys_at: list[int]) -> list[bytes]:
    """The name and the arguments of the keys at these places (MSET: each with its value)."""
    part = [args[0]]
    for at in keys_at:
        start = row.first + at * row.step
        part += args[start : start + row.step]
    return part


def split_array(reply: bytes) -> list[bytes]:
    """The elements of an encoded array of bulk strings and nulls."""
    elements: list[bytes] = []
    at = reply.index(b"\n") + 1
    while at < len(reply):
        end = reply.index(b"\n", at) + 1
        if reply[at : at + 1] == b"$" and reply[at + 1 : at + 2] != b"-":
            end += int(reply[at + 1 : end]) + 2
        elements.append(reply[at:end])
        at = end
    return elements
