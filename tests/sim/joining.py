"""What the tests of joining share: nodes that come while a cluster runs, writers, what must be true then."""

from __future__ import annotations

from attrs import define, field

from trio_dynomite.config.settings import Cluster, NodeSettings, Repair, Settings, Timeouts
from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.asking_seeds import PEER_PORT
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.soundness import plain

TIMEOUTS = Timeouts(request=2.0, heartbeat=0.2, down_after=1.0, warm_up=3.0)


def a_node(
    name: str, rack: str, tokens: tuple[int, ...] | None = None, datacenter: str = "dc1"
) -> NodeSettings:
    return NodeSettings(
        name=name,
        rack=rack,
        datacenter=datacenter,
        tokens=tokens,
        host=name,
        client_port=1,
        peer_port=PEER_PORT,
        admin_port=1,
    )


def nobody_yet(seed: int = 1, cluster: Cluster | None = None) -> Simulation:
    """A cluster whose nodes are still to come."""
    settings = Settings(cluster=cluster or Cluster(), timeouts=TIMEOUTS, repair=Repair(interval=0), nodes=())
    return Simulation(settings, seed)


def are_serving(simulation: Simulation, *names: str) -> bool:
    nodes = [simulation.nodes[name] for name in names or simulation.nodes]
    rings = {node.engine.table.view.ring for node in nodes}
    return len(rings) == 1 and all(
        node.engine.state is NodeState.NORMAL
        and node.engine.is_warm
        and all(
            peer.is_serving and peer.is_warm and peer.is_kin for peer in node.engine.roster.peers.values()
        )
        and not any(route.formers or route.cold for route in node.engine.table.routes)
        for node in nodes
    )


def wait_serving(simulation: Simulation, *names: str, within_s: float = 10.0) -> None:
    end = simulation.timeline.now_s + within_s
    while not are_serving(simulation, *names):
        assert simulation.timeline.now_s < end, "\n".join(simulation.notes)
        simulation.run_for(0.05)


@define(eq=False)
class Writer:
    """Sets keys through one node, and pushes to one list, at one level; remembers what was promised."""

    simulation: Simulation
    name: str
    level: Level = Level.DC_QUORUM
    kept: dict[bytes, bytes] = field(factory=dict)
    pushed: list[bytes] = field(factory=list)
    doubtful: int = 0
    refused: list[bytes] = field(factory=list)
    is_running: bool = True
    _at: int = 0

    def begin(self) -> None:
        self._next()

    def _next(self) -> None:
        if not self.is_running:
            return
        self._at += 1
        value = b"%b:%d" % (self.name.encode(), self._at)
        is_push = self._at % 4 == 0
        args = [b"RPUSH", b"list:" + self.name.encode(), value] if is_push else [b"SET", value, value]
        self.simulation.call(self.name, self.level, args, lambda reply: self._told(reply, value, is_push))

    def _told(self, reply: bytes, value: bytes, is_push: bool) -> None:
        if reply.startswith(b"-"):
            if reply.startswith(b"-UNKNOWN"):
                self.doubtful += 1
            else:
                self.refused.append(reply)
        elif is_push:
            self.pushed.append(value)
        else:
            self.kept[value] = value
        self.simulation.timeline.after(0.002, self._next)

    def check(self, *through: str) -> None:
        """All that was promised is there, whoever is asked."""
        for name in through:
            for key, value in self.kept.items():
                reply = self.simulation.ask(name, Level.DC_QUORUM, b"GET", key)
                assert reply == b"$%d\r\n%b\r\n" % (len(value), value), (name, key, reply)
            key = b"list:" + self.name.encode()
            found = self.simulation.ask(name, Level.DC_QUORUM, b"LRANGE", key, b"0", b"-1")
            assert all(b"\r\n%b\r\n" % value in found for value in self.pushed), (name, found)


def diverged(simulation: Simulation) -> list[str]:
    """Keys that some replica lacks, or holds otherwise."""
    engine = next(iter(simulation.nodes.values())).engine
    stores = {name: node.engine.keyspace.store for name, node in simulation.nodes.items() if node.is_up}
    keys = {key for store in stores.values() for slot in store.records for key, _ in slot.items()}
    found = []
    for key in sorted(keys):
        names = engine.table.of_key(key).placement.all
        known = [plain(stores[name].get(stores[name].slot_of(key), key)) for name in names]
        if any(record != known[0] for record in known):
            found.append(f"{key!r}: {dict(zip(names, known, strict=True))}")
    return found
