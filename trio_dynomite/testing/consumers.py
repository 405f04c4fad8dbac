"""Queues: producers push items through any node, consumers block for them at any other, and some walk away.

Every acknowledged item is taken by at most one consumer that was told so, and what nobody took is still
there. Only a consumer whose reply was lost, or unknown, may have taken an item with it. Some consumers wait
without a limit through all that happens; in the end each gets an item, for nobody sleeps beside a full queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field

from trio_dynomite.protocol.replies import NULL_ARRAY
from trio_dynomite.testing.asking import LOCAL, PATIENCE_S, Fate, Request, fate_of
from trio_dynomite.testing.contents import parsed

if TYPE_CHECKING:
    from trio_dynomite.testing.workload import Asked, Workload

CONSUMERS = 4
PATIENT = 6
_COMMANDS = {"list": (b"BLPOP", b"BRPOP"), "zset": (b"BZPOPMIN", b"BZPOPMAX")}


@define(eq=False)
class Queue:
    """Two lists, or sorted sets, in one datacenter, what was put into them, and what came out."""

    workload: Workload
    key: bytes
    home: list[str]
    kind: str = "list"
    pushed: set[bytes] = field(factory=set)
    """Acknowledged."""
    perhaps: set[bytes] = field(factory=set)
    """Under way or unknown."""
    taken: Counter[bytes] = field(factory=Counter)
    lost_max: int = 0
    """Consumers whose reply is unknown: each may have taken one item with it."""
    waiting: list[tuple[Asked, list[bytes]]] = field(factory=list)
    """Consumers that wait without a limit, and for which keys."""
    number: int = 0
    kinds: ClassVar[tuple[str, ...]] = ("list", "zset")

    @property
    def keys(self) -> list[bytes]:
        """Both, of any primaries."""
        return [b"%b:a" % self.key, b"%b:b" % self.key]

    def begin(self) -> None:
        """Start everybody."""
        self._produce()
        for _ in range(CONSUMERS):
            self._consume()

    def _later(self, act: Callable[[], None], pace: float = 1.0) -> None:
        workload = self.workload
        mean_s = pace * workload.form.think_s
        if workload.is_running:
            workload.simulation.timeline.after(workload.rng.expovariate(1 / mean_s), act)

    # Producers

    def _produce(self) -> None:
        self.push(self.workload.rng.choice(self.keys))
        self._later(self._produce, 2.0)

    def push(self, key: bytes) -> None:
        """One item or two."""
        rng, items = self.workload.rng, [b"%d" % (self.number + 1), b"%d" % (self.number + 2)]
        items = items[: rng.choice((1, 1, 2))]
        self.number += len(items)
        self.perhaps.update(items)

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            if fate is not Fate.UNKNOWN:
                self.perhaps.difference_update(items)
            if fate is Fate.DONE:
                self.pushed.update(items)

        self.workload.ask(rng.choice(self.home), rng.choice(LOCAL), self._request(key, items), replied)

    def _request(self, key: bytes, items: list[bytes]) -> Request:
        if self.kind == "list":
            return [b"RPUSH", key, *items]
        return [b"ZADD", key, *[part for item in items for part in (b"1", item)]]

    # Consumers

    def _consume(self) -> None:
        """Wait for an item for a while, or without a limit; one in eight walks away before that is over."""
        rng = self.workload.rng
        timeout_s = rng.uniform(0.2, 2.0)
        keys = rng.choice(([self.keys[0]], [self.keys[1]], self.keys))
        if rng.random() < 0.1 and len(self.waiting) < PATIENT:
            self._wait(keys)
        asked = self._block(keys, timeout_s, lambda: self._later(self._consume))
        if rng.random() < 0.125:
            self.workload.simulation.timeline.after(rng.uniform(0, timeout_s), lambda: self._walk_away(asked))

    def _wait(self, keys: list[bytes]) -> None:
        """Wait without a limit."""
        self.waiting.append((self._block(keys, 0, lambda: None), keys))

    def _block(self, keys: list[bytes], timeout_s: float, then: Callable[[], None]) -> Asked:
        rng = self.workload.rng

        def replied(reply: bytes) -> None:
            fate = fate_of(reply)
            self.lost_max += fate is Fate.UNKNOWN
            found = parsed(reply) if fate is Fate.DONE else None
            if found is not None:
                self.taken[found[1]] += 1
            then()

        command = rng.choice(_COMMANDS[self.kind])
        args = [command, *keys, b"%.3f" % timeout_s]
        patience_s = timeout_s + PATIENCE_S if timeout_s else None
        return self.workload.ask(
            rng.choice(self.home), rng.choice(LOCAL), args, replied, patience_s=patience_s
        )

    def _walk_away(self, asked: Asked) -> None:
        """A client closes its connection. If it was only waiting, it has taken nothing."""
        node = asked.node

        def leave() -> None:
            client = asked.client
            blocked = node.engine.blocking.blocked.get(client) if client is not None else None
            if blocked is None:
                return
            waits = not blocked.executed and not any(stake.is_asking for stake in blocked.stakes)
            node.engine.blocking.gone(blocked.owner)
            asked.end(NULL_ARRAY[2] if waits else b"")

        node.turn(leave)

    # The end

    def finish(self) -> None:
        """Everybody else has gone: more consumers wait, and there is enough for everybody."""
        for _ in range(CONSUMERS):
            self._wait(self.keys)
        for round_ in range(1, 5):
            self.workload.simulation.timeline.after(round_ / 2, self._feed)

    def _feed(self) -> None:
        for keys in self._waiting():
            for key in keys:
                self.push(key)

    def _waiting(self) -> list[list[bytes]]:
        """What consumers wait for; those whose node has crashed do not."""
        return [keys for asked, keys in self.waiting if not asked.is_over and asked.is_reachable]

    def verdict(self, left: list[bytes]) -> str | None:
        """What is wrong, when `left` is what lies in both keys in the end."""
        # Who waited where a node crashed was told nothing, and may have been served.
        gone = [asked for asked, _ in self.waiting if not asked.is_over and not asked.is_reachable]
        lost_max = self.lost_max + len(gone)
        twice = {item for item, count in self.taken.items() if count > 1}
        back = set(left) & set(self.taken)
        strange = (set(left) | set(self.taken)) - self.pushed - self.perhaps
        lost = self.pushed - set(left) - set(self.taken)
        if twice or back or strange or len(left) != len(set(left)) or len(lost) > lost_max:
            told = f"taken twice {twice}, taken and there {back}, never pushed {strange}, lost {lost}"
            return f"{told} with {lost_max} unknown; {left} left"
        waiting = self._waiting()
        return f"consumers still wait for {waiting}" if waiting else None
