"""Storms over a cluster that grows and shrinks: nodes join racks or found new ones, some leave for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from attrs import define, evolve, field

from trio_dynomite.config.settings import NodeSettings, Settings
from trio_dynomite.membership.member import Status
from trio_dynomite.peers.peer import Liveness
from trio_dynomite.testing.asking_seeds import PEER_PORT
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.storm import Storm

_NODES_MAX = 9


@define(eq=False)
class GrowingStorm(Storm):
    """Everybody starts with one or two seeds; between the faults, and during some, members come and go."""

    kind: ClassVar[str] = "growing"
    layouts: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1, 1], [1, 1, 1]),
        lambda: layout([1, 1, 1], partitioner="murmur"),
        lambda: layout([1, 1], [1, 1, 1]),
    )
    few: ClassVar[tuple[Callable[[], Settings], ...]] = (
        lambda: layout([1, 1, 1]),
        lambda: layout([1, 1]),
    )
    joined: list[str] = field(factory=list)
    _serial: int = 0

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        simulation = self.simulation
        first = [node.name for node in simulation.settings.nodes]
        simulation.nodes.clear()
        for node in simulation.settings.nodes:
            simulation.add(evolve(node, host=node.name), first[:2])

    def _start(self) -> None:
        """In some order, some of them before their seeds."""
        names = list(self.simulation.nodes)
        self.rng.shuffle(names)
        for name in names:
            self.simulation.nodes[name].start()
            self.simulation.run_for(self.rng.choice((0.0, 0.1, 1.0)))
        self._recover()

    def _begin(self) -> None:
        """Every fifth with chaos and FLUSHALL instead of promises."""
        if self.seed % 5 == 4:
            self.workload.anything_goes()
        else:
            super()._begin()

    def _strike(self) -> None:
        dice = self.rng.random()
        if dice < 0.35 and len(self.simulation.nodes) < _NODES_MAX:
            self._join()
            if self.rng.random() < 0.5:
                self._recover()
                return
            self.simulation.run_for(self.rng.uniform(0.0, 0.2))
        elif dice < 0.5 and self.joined:
            self._forget(self.rng.choice(self.joined))
            self._recover()
            return
        super()._strike()

    def _join(self) -> None:
        """A node comes: into a rack that there is, at a place of the ring of its own, or with a new rack."""
        self._serial += 1
        beside = self.rng.choice(self.simulation.settings.nodes)
        is_new_rack = self.rng.random() < 0.3
        name = f"late{self._serial}"
        token = self.rng.randrange(self.simulation.settings.cluster.token_max)
        node = NodeSettings(
            name=name,
            datacenter=beside.datacenter,
            rack=f"rack-{name}" if is_new_rack else beside.rack,
            tokens=None if is_new_rack else (token,),
            host=name,
            client_port=1,
            peer_port=PEER_PORT,
            admin_port=1,
        )
        self._note(f"{name} joins {node.datacenter}/{node.rack} with {node.tokens}")
        seed = self.rng.choice(sorted(self.simulation.nodes))
        made = self.simulation.add(node, [seed])
        made.skew_ms = self.rng.randint(-300, 300)
        made.start()
        self.joined.append(name)

    def _forget(self, victim: str) -> None:
        """A node dies, and an operator says that it never comes back."""
        self._note(f"crash {victim}, which never comes back")
        self.simulation.crash(victim)
        self.simulation.run_for(self.rng.uniform(1.5, 3.0))
        teller = self.simulation.nodes[
            self.rng.choice([name for name in self.simulation.nodes if name != victim])
        ]
        members = teller.engine.roster.members
        teller.turn(lambda: members.forget(victim))
        if members.known[victim].status is not Status.FORGOTTEN:
            self.workload.fault(f"{victim} was not forgotten: {members.why_keep(victim)}")
        del self.simulation.nodes[victim]
        self.joined.remove(victim)

    def _datacenters(self) -> dict[str, list[str]]:
        """The nodes of each, as they are now."""
        found: dict[str, list[str]] = {}
        for name, node in self.simulation.nodes.items():
            found.setdefault(node.engine.node.datacenter, []).append(name)
        return found

    def _is_well(self) -> bool:
        engines = [node.engine for node in self.simulation.nodes.values()]
        if {engine.table.view.ring for engine in engines} != {engines[0].table.view.ring}:
            return False
        if not all(engine.is_warm for engine in engines):
            return False
        peers = [peer for engine in engines for peer in engine.roster.peers.values()]
        are_kin = all(peer.is_kin and peer.is_warm and peer.liveness is Liveness.UP for peer in peers)
        return are_kin and super()._is_well()
