"""Storms: random faults on a cluster under load, calm, then judgement. A kind and a number replay one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import ClassVar

from attrs import define, field

from trio_dynomite.config.settings import Repair, Settings
from trio_dynomite.model import NodeState
from trio_dynomite.testing.forms import LONG, SHORT, Form
from trio_dynomite.testing.judge import are_alike, verdict
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.workload import Workload

LAYOUTS: tuple[Callable[[], Settings], ...] = (
    lambda: layout([1, 1, 1]),
    lambda: layout([1, 1, 1], [1, 1, 1]),
    lambda: layout([2, 1, 2]),
    lambda: layout([1, 1, 1], partitioner="murmur"),
    lambda: layout([1, 1, 1, 1, 1]),
    lambda: layout([1, 1], [1, 1, 1]),
)
FEW_NODES: tuple[Callable[[], Settings], ...] = (
    lambda: layout([1, 1, 1]),
    lambda: layout([1, 1]),
    lambda: layout([1, 1, 1], partitioner="murmur"),
    lambda: layout([2, 1]),
)
_CALM_S = 8.0
_LOOK_S = 0.05
_SETTLE_S = 2.5
"""Until every request that had no answer has been given up."""
_FINISH_S = 3.5


@define(eq=False)
class Storm:
    """One run: every kind of client, one fault at a time."""

    kind: ClassVar[str] = "storm"
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = LAYOUTS
    few: ClassVar[tuple[Callable[[], Settings], ...]] = FEW_NODES
    """Those of short storms."""
    calm_s: ClassVar[float] = 0.0
    """So long nothing happens before the end, whatever the form."""
    seed: int
    form: Form = LONG
    rng: random.Random = field(init=False)
    simulation: Simulation = field(init=False)
    workload: Workload = field(init=False)
    is_partial: bool = field(init=False)
    """Cuts may also be one-way, or between two nodes only: then several may think that they lead a key."""
    happened: list[str] = field(factory=list)
    is_last: bool = False
    """The last fault is under way."""
    converged_s: float = 0.0
    """From the end of the last fault, and of all writes, until all replicas held the same."""

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(f"{self.kind} {self.seed}")
        layouts = self.few if self.form is SHORT else self.layouts
        self.simulation = Simulation(layouts[self.seed % len(layouts)](), self.seed)
        self.is_partial = (self.seed + self.seed // len(layouts)) % 2 == 1
        self.workload = Workload(self.simulation, random.Random(f"load {self.seed}"), self.form)

    def run(self) -> list[str]:
        """The broken promises."""
        simulation = self.simulation
        for node in simulation.nodes.values():
            node.skew_ms = self.rng.randint(-300, 300)
        self._start()
        self._begin()
        end = simulation.timeline.now_s + self.rng.choice(self.form.strike_s)
        while simulation.timeline.now_s < end:
            simulation.run_for(self.rng.uniform(0.05, 0.8))
            self._strike()
        self.is_last = True
        simulation.run_for(self.form.last_s)
        self._strike()
        self._calm()
        return verdict(simulation, self.workload)

    def _start(self) -> None:
        """Start the nodes."""
        self.simulation.start()

    def _begin(self) -> None:
        """Start the clients."""
        self.workload.start()

    def _strike(self) -> None:
        """One fault in one datacenter, then recovery: quorums promise to survive one at a time."""
        victim = self.rng.choice(sorted(self.simulation.nodes))
        faults = [self._crash, self._isolate, self._slow, self._pause]
        if self.is_partial:
            faults += [self._one_way, self._pair]
        if len(self._datacenters()) > 1:
            faults.append(self._part)
        if self.rng.random() < 0.3:
            self._disturb(victim)
        self.rng.choice(faults)(victim)
        self.simulation.network.heal()
        self._recover()

    def _note(self, text: str) -> None:
        self.happened.append(f"{self.simulation.timeline.now_s:9.4f} {text}")

    def _crash(self, victim: str) -> None:
        power = self.rng.random() < 0.5
        self._note(f"{'pull the plug of' if power else 'crash'} {victim}")
        if self.rng.random() < 0.5:
            for name in self.simulation.nodes:
                self.simulation.network.slow[name] = self.rng.choice((0.0, 0.01, 0.05))
            self.simulation.run_for(self.rng.uniform(0.1, 0.5))
        self.simulation.crash(victim, power=power)
        self.simulation.run_for(self.rng.choice((0.01, 0.3, 2.5)))
        self._note(f"restart {victim}")
        self.simulation.restart(victim)

    def _pause(self, victim: str) -> None:
        self._note(f"pause {victim}")
        self.simulation.nodes[victim].pause()
        self.simulation.run_for(self.rng.uniform(0.1, 2.5))
        self._note(f"resume {victim}")
        self.simulation.nodes[victim].resume()

    def _isolate(self, victim: str) -> None:
        self._note(f"isolate {victim}")
        self.simulation.isolate([victim])
        self.simulation.run_for(self.rng.uniform(0.1, 3.5))

    def _datacenters(self) -> dict[str, list[str]]:
        """The nodes of each."""
        found: dict[str, list[str]] = {}
        for node in self.simulation.settings.nodes:
            found.setdefault(node.datacenter, []).append(node.name)
        return found

    def _part(self, victim: str) -> None:
        """Cut a whole datacenter off; on both sides life goes on, and perhaps a node fails as well."""
        datacenters = self._datacenters()
        cut_off = next(name for name, nodes in datacenters.items() if victim in nodes)
        self._note(f"cut {cut_off} off")
        self.simulation.isolate(datacenters[cut_off])
        self.simulation.run_for(self.rng.uniform(0.1, 2.0))
        for nodes in datacenters.values():
            if self.rng.random() < 0.3:
                self.rng.choice((self._crash, self._slow, self._pause))(self.rng.choice(nodes))
        self.simulation.run_for(self.rng.choice((0.0, 0.5, 2.0)))
        self._note(f"{cut_off} is back")

    def _one_way(self, victim: str) -> None:
        outward = self.rng.random() < 0.5
        self._note(f"one-way cut {'from' if outward else 'to'} {victim}")
        for other in self.simulation.nodes:
            if other != victim:
                self.simulation.network.cut(*((victim, other) if outward else (other, victim)))
        self.simulation.run_for(self.rng.uniform(0.1, 3.0))

    def _pair(self, victim: str) -> None:
        other = self.rng.choice([name for name in self.simulation.nodes if name != victim])
        self._note(f"cut {victim} and {other}")
        self.simulation.network.cut(victim, other)
        self.simulation.network.cut(other, victim)
        self.simulation.run_for(self.rng.uniform(0.1, 3.0))

    def _slow(self, victim: str) -> None:
        self._note(f"slow {victim}")
        self.simulation.network.slow[victim] = self.rng.uniform(0.02, 0.4)
        self.simulation.run_for(self.rng.uniform(0.1, 1.0))

    def _disturb(self, victim: str) -> None:
        node = self.simulation.nodes[victim]
        if self.rng.random() < 0.5:
            node.skew_ms += self.rng.randint(-400, 400)
            self._note(f"clock of {victim} jumps to skew {node.skew_ms} ms")
        else:
            other = self.rng.choice([name for name in self.simulation.nodes if name != victim])
            self._note(f"reset connections of {victim} and {other}")
            self.simulation.reset_connections(victim, other)

    def _recover(self) -> None:
        """Let the cluster find itself again before the next fault; after the last one that is timed."""
        if self.is_last:
            return
        for _ in range(100):
            self.simulation.run_for(0.1)
            if self._is_well():
                return
        self.workload.fault(f"not recovered 10 s after: {self.happened[-1]}")

    def _is_well(self) -> bool:
        for node in self.simulation.nodes.values():
            peers = node.engine.roster.peers.values()
            if node.engine.state is not NodeState.NORMAL:
                return False
            if not all(peer.is_serving and peer.synced and not peer.hints for peer in peers):
                return False
            if not all(route.is_ready for route in node.engine.table.routes if route.leads):
                return False
        return True

    def _until_alike(self) -> float:
        """Wait until all replicas hold the same; how long that took."""
        began_s = self.simulation.timeline.now_s
        while not are_alike(self.simulation) and self.simulation.timeline.now_s < began_s + _CALM_S:
            self.simulation.run_for(_LOOK_S)
        return self.simulation.timeline.now_s - began_s

    def _calm(self) -> None:
        self.simulation.network.heal()
        self.workload.is_running = False
        self.converged_s = self._until_alike()
        self.simulation.run_for(
            max(self.form.calm_s - self.converged_s, self.calm_s - self.converged_s, _SETTLE_S)
        )
        self.workload.finish()
        self.simulation.run_for(_FINISH_S)
        self._until_alike()  # they may be forgetting what is dead, one after the other
        self.workload.give_up()


@define(eq=False)
class PartedStorm(Storm):
    """Datacenters that lose sight of each other again and again, while everybody writes on all sides."""

    kind: ClassVar[str] = "parted"
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1], [1, 1, 1]),
        lambda: layout([1, 1], [1, 1], [1, 1]),
        lambda: layout([1, 2, 1], [1, 1, 2]),
    )
    few: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1], [1, 1]),
        lambda: layout([1, 1], [1, 1], partitioner="murmur"),
    )

    def _strike(self) -> None:
        self._part(self.rng.choice(sorted(self.simulation.nodes)))
        self.simulation.network.heal()
        self._recover()


@define(eq=False)
class SuccessionStorm(Storm):
    """Clocks are far apart, and it is always the primary of a key that all clients write which is away."""

    kind: ClassVar[str] = "succession"
    calm_s: ClassVar[float] = _CALM_S
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1, 1, 1, 1]),
    )
    few: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1, 1, 1, 1]),
        lambda: layout([1, 1]),
    )

    def _strike(self) -> None:
        for node in self.simulation.nodes.values():
            node.skew_ms = self.rng.randint(-3000, 3000)
        self.simulation.run_for(self.rng.uniform(0.0, 0.5))
        engine = next(iter(self.simulation.nodes.values())).engine
        (_, (primary, *_)), *_ = engine.table.of_key(self._key()).placement.replicas
        self.rng.choice((self._isolate, self._pause, self._cut_and_pause))(primary)
        self.simulation.network.heal()
        self._recover()

    def _key(self) -> bytes:
        """The list that all clients write; in a short storm another key, should there be none."""
        shared = [one.key for one in self.workload.shared]
        return b"pieces:list" if b"pieces:list" in shared else shared[0]

    def _cut_and_pause(self, victim: str) -> None:
        """What it has just sent stays on its way until another leads."""
        self.simulation.isolate([victim])
        self.simulation.run_for(self.rng.uniform(0.0, 0.3))
        self._pause(victim)


@define(eq=False)
class FlushedStorm(Storm):
    """Keys of which nobody knows what they hold, and all of them are flushed now and then: replicas agree."""

    kind: ClassVar[str] = "flushed"

    def _begin(self) -> None:
        self.workload.anything_goes()


@define(eq=False)
class LastingStorm(Storm):
    """Nodes have disks. One crashes, or all do; whatever that leaves of the logs of hints is told."""

    kind: ClassVar[str] = "lasting"

    def __attrs_post_init__(self) -> None:
        Storm.__attrs_post_init__(self)
        self.simulation.give_disks()

    def _strike(self) -> None:
        if self.rng.random() < 0.2:
            self._blackout()
        else:
            super()._strike()

    def _blackout(self) -> None:
        names = sorted(self.simulation.nodes)
        self._note("crash all")
        for name in names:
            self.simulation.crash(name, power=True)
            self.simulation.run_for(self.rng.choice((0.0, 0.01, 0.3)))
        self.rng.shuffle(names)
        for name in names:
            self.simulation.restart(name)
            self.simulation.run_for(self.rng.choice((0.0, 0.3, 1.5)))
        self._recover()


_HASTY = Repair(interval=0.1, tombstone_grace=0.3)


@define(eq=False)
class CollectingStorm(Storm):
    """What is deleted is forgotten within seconds, between faults: nothing comes back, no count is lost."""

    kind: ClassVar[str] = "collecting"
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1], repair=_HASTY),
        lambda: layout([1, 1], [1, 1], repair=_HASTY),
        lambda: layout([2, 1, 2], repair=_HASTY),
    )
    few: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1], repair=_HASTY),
        lambda: layout([1, 1], [1, 1], repair=_HASTY),
        lambda: layout([1, 1], repair=_HASTY),
    )

    def _recover(self) -> None:
        super()._recover()
        if not self.is_last:
            self.simulation.run_for(self.rng.choice((0.0, 2.0, 4.0)))


@define(eq=False)
class ServedStorm(CollectingStorm):
    """Nodes have their records on servers; a server outlives its node, or goes with it and all that it has.

    In some storms what is deleted is forgotten within seconds, in others all is flushed now and then."""

    kind: ClassVar[str] = "served"
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1], [1, 1], repair=_HASTY),
        lambda: layout([2, 1, 2]),
        lambda: layout([1, 1, 1], repair=_HASTY),
    )
    few: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1], [1, 1], repair=_HASTY),
        lambda: layout([1, 1], repair=_HASTY),
    )

    def __attrs_post_init__(self) -> None:
        Storm.__attrs_post_init__(self)
        self.simulation.give_servers()

    def _begin(self) -> None:
        if self.seed % 3 == 1:
            self.workload.anything_goes()
        else:
            super()._begin()

    def _crash(self, victim: str) -> None:
        server = self.simulation.nodes[victim].server
        assert server is not None
        server.is_lost_with_node = self.rng.random() < 0.5
        super()._crash(victim)

    def _slow(self, victim: str) -> None:
        """Or its server refuses to write, and the node may crash with what was refused."""
        server = self.simulation.nodes[victim].server
        assert server is not None
        if self.rng.random() < 0.5:
            super()._slow(victim)
            return
        self._note(f"the server of {victim} is full")
        server.is_full = True
        self.simulation.run_for(self.rng.uniform(0.1, 3.5))
        if self.rng.random() < 0.3:
            self._crash(victim)
        self._note(f"the server of {victim} has room")
        server.is_full = False
