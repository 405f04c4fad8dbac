"""All clients of a simulated cluster, which remember what they were promised and judge what they find."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from attrs import define, field

from trio_dynomite.model import Level
from trio_dynomite.testing.asking import PATIENCE_S, Fate, Request, fate_of
from trio_dynomite.testing.chaos import Chaos
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.consumers import Queue
from trio_dynomite.testing.fading import Fading, FadingField, FadingHash, FadingLine, FadingScore
from trio_dynomite.testing.forms import LONG, Form
from trio_dynomite.testing.key_targets import Mixed, Movers, Twins, Unions
from trio_dynomite.testing.shared import Shared, SharedElements, SharedSequence, SharedTally, Watched
from trio_dynomite.testing.simulation import SimNode, Simulation
from trio_dynomite.testing.targets import Register, Sequence, Tally, Target
from trio_dynomite.testing.type_targets import Entries, Fields, Line, Members, Readers, Scores, Shifting

STRINGS: tuple[type[Target], ...] = (Register, Sequence, Tally)
COLLECTIONS: tuple[type[Target], ...] = (Fields, Members, Scores, Line, Entries, Readers, Shifting)
SEVERAL: tuple[type[Target], ...] = (Twins, Mixed, Movers, Unions)
EXPIRING: tuple[type[Target], ...] = (Fading, FadingHash, FadingField, FadingScore, FadingLine)
KINDS = (*STRINGS, *COLLECTIONS, *SEVERAL, *EXPIRING)


@define(eq=False)
class Asked:
    """One request that was given to a node."""

    node: SimNode
    request: Request
    on_reply: Callable[[bytes], None]
    life: int = field(init=False)
    """Of the node, when it was asked."""
    client: Client | None = None
    is_over: bool = False

    def __attrs_post_init__(self) -> None:
        self.life = self.node.life

    @property
    def is_reachable(self) -> bool:
        """Does the node live that was asked?"""
        return self.node.is_up and self.node.life == self.life

    def end(self, reply: bytes) -> None:
        """The reply, or b"" when nobody waits for it any more; what comes later is not heard."""
        if not self.is_over:
            self.is_over = True
            self.on_reply(reply)


@define(eq=False)
class Workload:
    """All clients of a run."""

    simulation: Simulation
    rng: random.Random
    form: Form = LONG
    kinds: tuple[type[Target], ...] = KINDS
    """The targets to choose from."""
    targets: list[Target] = field(factory=list)
    shared: list[Shared] = field(factory=list)
    queues: list[Queue] = field(factory=list)
    faults: list[str] = field(factory=list)
    is_running: bool = True
    requests: int = 0
    """So far."""
    _serial: int = 0
    _impatient: list[Asked] = field(factory=list)
    """Requests for whose replies clients wait only so long."""

    def start(self) -> None:
        """Begin: some kinds of targets, a fresh one for each that ends; what is shared; queues."""
        self.kinds = tuple(self.rng.sample(self.kinds, min(self.form.kinds, len(self.kinds))))
        self._replenish()
        self._share(self._drawn(self._shareable(), self.form.shared))
        for kind in self._drawn(list(Queue.kinds), self.form.queues):
            queue = Queue(self, b"queue:%b" % kind.encode(), self._home(), kind)
            self.queues.append(queue)
            queue.begin()

    def anything_goes(self) -> None:
        """Begin otherwise: nothing but chaos, and all keys are flushed now and then."""
        everywhere = sorted(self.simulation.nodes)
        self._share(
            [
                Chaos(self, b"chaos:%d" % number, everywhere, flushes=number == 0)
                for number in range(self.form.chaos)
            ]
        )

    def _shareable(self) -> list[Shared]:
        """Everything that is shared."""
        everywhere = sorted(self.simulation.nodes)
        return [
            *[SharedTally(self, b"tally:%b" % k.encode(), everywhere, k) for k in SharedTally.kinds],
            *[SharedElements(self, b"elements:%b" % k.encode(), everywhere, k) for k in SharedElements.kinds],
            *[SharedSequence(self, b"pieces:%b" % k.encode(), self._home(), k) for k in SharedSequence.kinds],
            Watched(self, b"watched", self._home()),
            Chaos(self, b"chaos", everywhere),
        ]

    def _drawn(self, everything: list[Any], counts: tuple[int, ...]) -> list[Any]:
        """So many of them, in the same order."""
        count = min(self.rng.choice(counts), len(everything))
        return [everything[place] for place in sorted(self.rng.sample(range(len(everything)), count))]

    def _share(self, shared: list[Shared]) -> None:
        self.shared.extend(shared)
        for one in shared:
            one.begin()

    def finish(self) -> None:
        """The faults are over: nothing new, but for those who wait in queues."""
        for queue in self.queues:
            queue.finish()

    def give_up(self) -> None:
        """The end: whoever has no reply by now gets none."""
        for asked in self._impatient:
            asked.end(b"")

    def _home(self) -> list[str]:
        """The nodes of a random datacenter."""
        nodes = self.simulation.settings.nodes
        datacenter = self.rng.choice(sorted({node.datacenter for node in nodes}))
        return [node.name for node in nodes if node.datacenter == datacenter]

    def _replenish(self) -> None:
        """A fresh target for each that ended, two of each kind."""
        if not self.is_running:
            return
        for kind in self.kinds:
            for _ in range(
                self.form.copies - sum([target.is_open for target in self.targets if type(target) is kind])
            ):
                self._serial += 1
                name = b"%s:%d" % (kind.__name__.lower().encode(), self._serial)
                target = kind(self, name, self._home())
                self.targets.append(target)
                target.begin()
        self.simulation.timeline.after(0.5, self._replenish)

    # Requests

    def ask(
        self,
        name: str,
        level: Level,
        request: Request,
        on_reply: Callable[[bytes], None],
        *,
        patience_s: float | None = PATIENCE_S,
        watched: list[tuple[bytes, int]] | None = None,
        refusals: tuple[bytes, ...] = (),
    ) -> Asked:
        """Give a node a request; `on_reply` is told the reply once, b"" when there was none in time.

        Any error but those of the levels, and `refusals`, is a fault."""

        def send(told: Callable[[bytes], None]) -> Client:
            if isinstance(request[0], bytes):
                return self.simulation.call(name, level, request, told)
            return self.simulation.transact(name, level, request, told, watched)

        asked = Asked(self.simulation.nodes[name], request, on_reply)

        def told(reply: bytes) -> None:
            if fate_of(reply) is Fate.WRONG and not reply.startswith(refusals or (b"no refusal",)):
                self.fault(f"{name} answered {request} with {reply!r}")
            asked.end(reply)

        return self._send(asked, send, told, patience_s)

    def watch(self, name: str, level: Level, keys: list[bytes], on_reply: Callable[[bytes], None]) -> Asked:
        """As `ask`: WATCH, answered with the versions of keys."""
        asked = Asked(self.simulation.nodes[name], [b"WATCH", *keys], on_reply)
        return self._send(
            asked, lambda told: self.simulation.versions(name, level, keys, told), asked.end, PATIENCE_S
        )

    def _send(
        self,
        asked: Asked,
        send: Callable[[Callable[[bytes], None]], Client],
        told: Callable[[bytes], None],
        patience_s: float | None,
    ) -> Asked:
        self.requests += 1
        if not asked.node.is_up:
            asked.end(_NOT_REACHED)
            return asked
        if patience_s is not None:
            self._impatient.append(asked)
            self.simulation.timeline.after(patience_s, lambda: asked.end(b""))
        asked.client = send(told)
        return asked

    def fault(self, text: str) -> None:
        """A promise was broken."""
        self.faults.append(f"{self.simulation.timeline.now_s:.4f} s: {text}")


_NOT_REACHED = b"-NOREPLICAS the node is not up\r\n"
