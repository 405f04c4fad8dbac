"""What the clients write, and what must be true of it afterwards.

Each load remembers what was acknowledged and what is unknown, and judges what one node holds in the end.
Elements and counters are written through both datacenters at once; lists, streams and growing strings, of
which one datacenter's changes win, through one.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from attrs import define, field

from tests.chaos.wire import Argument, Client, Outcome

ACKED, UNKNOWN = Outcome.ACKED, Outcome.UNKNOWN
_PIECES_A_KEY = 400
_serial = itertools.count(1)


class Asker(Protocol):
    """Reads of one node's own copy, after everything."""

    async def ask(self, *args: Argument) -> Any:
        """The reply."""


class Load(Protocol):
    """One kind of write."""

    name: str

    async def step(self, client: Client) -> None:
        """Write once, and remember what became of it."""

    async def check(self, node: Asker) -> list[str]:
        """What is wrong with what a node holds, in words."""

    def names(self) -> Iterator[str]:
        """All keys that it wrote."""


@define(eq=False)
class Elements:
    """Unique elements of a set, a hash or a sorted set: all that was acknowledged, and nothing invented."""

    name: str
    rng: random.Random
    keys: int = 3
    acked: dict[str, set[bytes]] = field(factory=dict)
    unsure: dict[str, set[bytes]] = field(factory=dict)

    def names(self) -> Iterator[str]:
        """Of all its keys."""
        return (f"{self.name}:{number}" for number in range(self.keys))

    async def step(self, client: Client) -> None:
        """Add one element."""
        key, element = self.rng.choice(list(self.names())), b"e%d" % next(_serial)
        outcome, _ = await client.ask(self.name, key, *self._arguments(element))
        if outcome is not Outcome.REFUSED:
            kept = self.acked if outcome is ACKED else self.unsure
            kept.setdefault(key, set()).add(element)

    def _arguments(self, element: bytes) -> list[Argument]:
        if self.name == "SADD":
            return [element]
        return [element, b"v" + element] if self.name == "HSET" else [element[1:], element]

    async def check(self, node: Asker) -> list[str]:
        """Nothing is lost, and nothing is there that nobody added."""
        wrong = []
        for key in self.names():
            held = await self._held(node, key)
            acked = self.acked.get(key, set())
            if lost := acked - held:
                wrong.append(f"{key}: LOST {len(lost)} of {len(acked)} acknowledged, as {sorted(lost)[:3]}")
            if strange := held - acked - self.unsure.get(key, set()):
                wrong.append(f"{key}: {len(strange)} that nobody added, as {sorted(strange)[:3]}")
        return wrong

    async def _held(self, node: Asker, key: str) -> set[bytes]:
        if self.name == "SADD":
            return set(await node.ask("SMEMBERS", key))
        if self.name == "HSET":
            flat = await node.ask("HGETALL", key)
            return {name for name, value in zip(flat[::2], flat[1::2], strict=True) if value == b"v" + name}
        flat = await node.ask("ZRANGE", key, 0, -1, "WITHSCORES")
        return {name for name, score in zip(flat[::2], flat[1::2], strict=True) if score == name[1:]}


@define(eq=False)
class Tallies:
    """Increments from everywhere: as many as were acknowledged, and at most those more that are unknown."""

    name: str
    rng: random.Random
    keys: int = 3
    acked: Counter[str] = field(factory=Counter)
    unsure: Counter[str] = field(factory=Counter)

    def names(self) -> Iterator[str]:
        """Of all its keys."""
        return (f"{self.name}:{number}" for number in range(self.keys))

    async def step(self, client: Client) -> None:
        """Add one to five."""
        key, by = self.rng.choice(list(self.names())), self.rng.randint(1, 5)
        request: list[Argument] = [self.name, key, by]
        if self.name == "HINCRBY":
            request = [self.name, key, "field", by]
        elif self.name == "ZINCRBY":
            request = [self.name, key, by, "member"]
        outcome, _ = await client.ask(*request)
        if outcome is not Outcome.REFUSED:
            (self.acked if outcome is ACKED else self.unsure)[key] += by

    async def check(self, node: Asker) -> list[str]:
        """acknowledged <= held <= acknowledged + unknown."""
        wrong = []
        for key in self.names():
            read = {
                "INCRBY": ["GET", key],
                "HINCRBY": ["HGET", key, "field"],
                "ZINCRBY": ["ZSCORE", key, "member"],
            }
            held = int(float(await node.ask(*read[self.name]) or 0))
            least, most = self.acked[key], self.acked[key] + self.unsure[key]
            if not least <= held <= most:
                word = "LOST" if held < least else "DOUBLED"
                wrong.append(f"{key}: {word}: {held}, acknowledged {least}, with the unknown {most}")
        return wrong


@define(eq=False)
class Pieces:
    """Unique pieces of a list, a stream or a growing string, from one datacenter: each once, and in order.

    Several writers share a key; the pieces of one stand in the order in which it wrote them."""

    name: str
    home: str
    """The datacenter."""
    acked: dict[str, list[bytes]] = field(factory=dict)
    unsure: dict[str, set[bytes]] = field(factory=dict)

    def names(self) -> Iterator[str]:
        """Those so far."""
        return iter({**self.acked, **self.unsure})

    async def step(self, client: Client) -> None:
        """Add one piece; every so often to a new key."""
        number = next(_serial)
        piece = b"p%d" % number
        key = f"{self.name}:{self.home}:{number // _PIECES_A_KEY // 10}"
        request: list[Argument] = [self.name, key, piece]
        if self.name == "APPEND":
            request = [self.name, key, piece + b";"]
        elif self.name == "XADD":
            request = [self.name, key, "*", "f", piece]
        outcome, _ = await client.ask(*request)
        if outcome is ACKED:
            self.acked.setdefault(key, []).append(piece)
        elif outcome is UNKNOWN:
            self.unsure.setdefault(key, set()).add(piece)

    async def check(self, node: Asker) -> list[str]:
        """Each acknowledged piece exactly once, an unknown one at most once."""
        wrong = []
        for key in self.names():
            held = Counter(await self._held(node, key))
            acked = self.acked.get(key, [])
            if lost := [piece for piece in acked if not held[piece]]:
                wrong.append(f"{key}: LOST {len(lost)} of {len(acked)} acknowledged, as {lost[:3]}")
            if twice := [piece for piece, count in held.items() if count > 1]:
                wrong.append(f"{key}: DOUBLED {len(twice)}, as {twice[:3]}")
            if strange := set(held) - set(acked) - self.unsure.get(key, set()):
                wrong.append(f"{key}: {len(strange)} that nobody added, as {sorted(strange)[:3]}")
        return wrong

    async def _held(self, node: Asker, key: str) -> list[bytes]:
        if self.name == "APPEND":
            text: bytes = await node.ask("GET", key) or b""
            return text.split(b";")[:-1]
        if self.name == "XADD":
            return [fields[1] for _, fields in await node.ask("XRANGE", key, "-", "+")]
        found: list[bytes] = await node.ask("LRANGE", key, 0, -1)
        return found
