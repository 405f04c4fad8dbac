"""A whole cluster in one process and in virtual time, made of the very engines that real nodes run.

Only what is outside an engine is simulated: the wall clock (skewed, and it may jump), the network, and the
task that keeps peers connected. Everything is drawn from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from attrs import define, evolve, field

from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import lookup
from trio_dynomite.config.settings import NodeSettings, Settings
from trio_dynomite.coordinator.build import build_engine, in_memory
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.several import submit_transaction, versions
from trio_dynomite.errors import CommandError
from trio_dynomite.membership.seeds import ListedSeeds
from trio_dynomite.model import Level, NodeState
from trio_dynomite.peers.peer import Peer
from trio_dynomite.protocol.replies import error
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.store import Store
from trio_dynomite.testing.asking_seeds import Turn, ask_seeds
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.lasting import SimDisk
from trio_dynomite.testing.network import Network, SimPipe, Timeline
from trio_dynomite.testing.server import SimServer
from trio_dynomite.testing.voice import Voice
from trio_dynomite.topology.partitioner import Partitioner

EPOCH_MS = 1_700_000_000_000
TICK_S = 0.05
_TURN_S = 0.0001
_RETRY_S = 0.1
_CONNECT_TIMEOUT_S = 0.5
_ASK_S = 0.3


@define(eq=False, repr=False)
class SimNode:
    """One node: an engine, its clock, and whether it runs."""

    simulation: Simulation
    name: str
    settings: Settings
    """The cluster's; or, where members come at run time, what this node alone knows at first."""
    seeds: list[str] = field(factory=list)
    """The names of the nodes that it asks who is there."""
    skew_ms: int = 0
    is_up: bool = False
    is_open: bool = False
    """It knows what its storage has, and connects."""
    life: int = 0
    """How often it was started; events of an earlier life are void."""
    engine: Engine = field(init=False)
    disk: SimDisk | None = None
    """What outlives its process; None: nothing does."""
    server: SimServer | None = None
    """Where its records are, if not with it."""
    voice: Voice = field(factory=Voice)
    """What its clients are told."""
    _has_turn_ahead: bool = False
    _is_paused: bool = False
    _waiting: list[Callable[[], None]] = field(factory=list)

    def start(self) -> None:
        """Start with nothing in memory but what is on its disk."""
        simulation = self.simulation
        self.life += 1
        self.is_up = True
        self.engine = build_engine(
            self.settings,
            self.name,
            self.wall_ms(),
            simulation.note(self.name),
            random.Random(simulation.rng.random()),
            self._store_maker(),
        )
        self.voice = Voice(self.engine.keyspace.store.gate)
        if self.server is not None:
            self.server.turn, self.server.now_ms = self.life_turn(), self.wall_ms
        if self.disk is not None:
            self.disk.attach(self.engine, simulation.note(self.name))
        self.engine.roster.on_down = self._on_down
        members = self.engine.roster.members
        members.on_joined = lambda peer: self._connect_later(peer, 0.001)
        store = self.engine.keyspace.store
        if isinstance(store, RemoteStore):
            self.turn(lambda: store.begin(self._open))
        else:
            self.turn(self._open)

    def _open(self) -> None:
        """What it has is known: now it may take part."""
        simulation, members = self.simulation, self.engine.roster.members
        self.is_open = True
        self.engine.keyspace.clock.observe(self.engine.keyspace.store.newest)
        self.engine.set_state(NodeState.JOINING)
        life = self.life
        simulation.timeline.after(simulation.rng.uniform(0, TICK_S), lambda: self._tick(life))
        for peer in self.engine.roster.peers.values():
            self._connect_later(peer, simulation.rng.uniform(0, 0.02))
        if members.is_open:
            simulation.timeline.after(simulation.rng.uniform(0, 0.02), lambda: self._ask_seeds(life))

    def _store_maker(self) -> Callable[[Partitioner], Store]:
        if self.server is not None:
            return self.server.open_store
        return in_memory if self.disk is None else self.disk.open_store

    def crash(self, *, power: bool = False) -> None:
        """Stop at once; memory is lost, and peers see their connections end when they can.

        `power`: what the node had sent and nobody has received yet is lost too."""
        self.is_up = self.is_open = False
        self.resume()
        for pipe in list(self.simulation.network.pipes):
            if pipe.owner == self.name and not pipe.is_closed:
                pipe.is_dead = power
                pipe.handler = _Nobody()
                pipe.close("the node crashed")
        if self.disk is not None:
            self.disk.crash()

    def pause(self) -> None:
        """Stand still, as under SIGSTOP: what comes waits, and is worked off in order afterwards."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            self.turn(act)

    def wall_ms(self) -> int:
        """What its wall clock says."""
        return EPOCH_MS + int(self.simulation.timeline.now_s * 1000) + self.skew_ms

    def turn(self, act: Callable[[], None]) -> None:
        """Run `act` in a turn, and what that leaves to do in further ones."""
        if not self.is_up:
            return
        if self._is_paused:
            self._waiting.append(act)
            return
        self.engine.begin(self.wall_ms(), self.simulation.timeline.now_s)
        act()
        self.engine.end()
        if self.disk is not None:
            self.disk.commit()
        self.simulation.network.flush()
        self.voice.end_turn()
        if self.engine.has_more and not self._has_turn_ahead:
            self._has_turn_ahead = True
            self.simulation.timeline.after(_TURN_S, self._turn_ahead)

    def _turn_ahead(self) -> None:
        self._has_turn_ahead = False
        self.turn(lambda: None)

    def _tick(self, life: int) -> None:
        if self.life == life and self.is_up:
            if not self._is_paused:
                self.turn(self.engine.tick)
                if self.disk is not None:
                    self.disk.tick()
            self.simulation.timeline.after(TICK_S, lambda: self._tick(life))

    def _on_down(self, peer: Peer) -> None:
        if peer.link is not None:
            peer.link.close("the peer's scope was cancelled")

    # What the supervisor of a real node does

    def _connect_later(self, peer: Peer, delay_s: float) -> None:
        life = self.life
        self.simulation.timeline.after(delay_s, lambda: self._connect(peer, life))

    def _connect(self, peer: Peer, life: int) -> None:
        if not self.is_up or self.life != life or self.engine.roster.peers.get(peer.name) is not peer:
            return
        simulation = self.simulation
        other = simulation.nodes.get(peer.name)
        cut = simulation.network.is_cut(self.name, peer.name) or simulation.network.is_cut(
            peer.name, self.name
        )
        if peer.link is not None:
            self._connect_later(peer, _RETRY_S)
        elif cut:
            simulation.timeline.after(_CONNECT_TIMEOUT_S, lambda: self._failed(peer, life, refused=False))
        elif other is None or not other.is_open:
            simulation.timeline.after(0.001, lambda: self._failed(peer, life, refused=True))
        else:
            self._join(peer, other)
            self._connect_later(peer, _RETRY_S)

    def _ask_seeds(self, life: int) -> None:
        if self.is_up and self.life == life:
            self.turn(lambda: ask_seeds(self, self.life_turn()))
            self.simulation.timeline.after(_ASK_S, lambda: self._ask_seeds(life))

    def _failed(self, peer: Peer, life: int, *, refused: bool) -> None:
        if self.is_up and self.life == life:
            self.turn(lambda: self.engine.roster.connect_failed(peer, "not reached", refused=refused))
            self._connect_later(peer, _RETRY_S)

    def _join(self, peer: Peer, other: SimNode) -> None:
        near, far = self.simulation.network.pair(self.name, other.name, self.life_turn(), other.life_turn())

        def accept() -> None:
            far.gate = other.engine.keyspace.store.peer_gate
            far.handler = other.engine.roster.accept(far)

        def open_link() -> None:
            link = self.engine.roster.open_link(peer, near)
            near.handler = link

        other.turn(accept)
        self.turn(open_link)

    def life_turn(self) -> Turn:
        """`turn`, as long as this life lasts."""
        life = self.life

        def turn(act: Callable[[], None]) -> None:
            if self.life == life:
                self.turn(act)

        return turn


class _Nobody:
    """The handler of a dead node's connections."""

    def received(self, data: bytes) -> None:
        """Nobody hears."""

    def closed(self, reason: str) -> None:
        """Nobody is told."""


@define(eq=False, repr=False)
class Simulation:
    """A cluster under a seed."""

    settings: Settings
    seed: int
    rng: random.Random = field(init=False)
    timeline: Timeline = field(init=False)
    network: Network = field(init=False)
    nodes: dict[str, SimNode] = field(factory=dict)
    crashes: int = 0
    """So far."""
    notes: list[str] = field(factory=list)
    """What the nodes logged, with the time."""

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.timeline = Timeline(self.rng)
        self.network = Network(self.timeline)
        for node in self.settings.nodes:
            self.nodes[node.name] = SimNode(self, node.name, self.settings)

    def add(self, node: NodeSettings, seeds: list[str]) -> SimNode:
        """A node that knows of nobody but its seeds; it is started by itself."""
        cluster = evolve(self.settings.cluster, seeds=ListedSeeds(()))
        settings = evolve(self.settings, cluster=cluster, nodes=(node,))
        made = self.nodes[node.name] = SimNode(self, node.name, settings, seeds)
        return made

    def give_disks(self) -> None:
        """From their start on, nodes have disks."""
        for node in self.nodes.values():
            node.disk = SimDisk(random.Random(f"disk of {node.name} {self.seed}"))

    def give_servers(self) -> None:
        """From their start on, nodes have their records on servers that outlive them."""
        for node in self.nodes.values():
            node.server = SimServer(self.timeline, random.Random(f"server of {node.name} {self.seed}"))

    def start(self) -> None:
        """Start every node, and wait until all serve."""
        for node in self.nodes.values():
            node.start()
        self.run_for(1.0)
        assert all(node.engine.state is NodeState.NORMAL for node in self.nodes.values())

    def note(self, name: str) -> Callable[..., None]:
        """A log for node `name`."""

        def log(event: str, **pairs: object) -> None:
            self.notes.append(f"{self.timeline.now_s:9.4f} {name} {event} {pairs}")

        return log

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.timeline.run_until(self.timeline.now_s + seconds)

    def call(self, name: str, level: Level, args: list[bytes], on_reply: Callable[[bytes], None]) -> Client:
        """Give node `name` a command; `on_reply` is told the reply, if the node lives to give it."""
        return self._submit(
            name, level, on_reply, lambda engine, client: engine.submit(lookup(args), args, client)
        )

    def transact(
        self,
        name: str,
        level: Level,
        requests: list[list[bytes]],
        on_reply: Callable[[bytes], None],
        watched: list[tuple[bytes, int]] | None = None,
    ) -> Client:
        """As `call`: a transaction, unless a watched key has another version by now."""
        commands: list[tuple[Row | None, list[bytes] | bytes]] = [(lookup(args), args) for args in requests]
        return self._submit(
            name,
            level,
            on_reply,
            lambda engine, client: submit_transaction(engine, commands, watched or [], client),
        )

    def versions(
        self, name: str, level: Level, keys: list[bytes], on_reply: Callable[[bytes], None]
    ) -> Client:
        """As `call`: ask for the versions of keys, as WATCH does."""
        return self._submit(name, level, on_reply, lambda engine, client: versions(engine, keys, client))

    def _submit(
        self,
        name: str,
        level: Level,
        on_reply: Callable[[bytes], None],
        act: Callable[[Engine, Client], bytes | None],
    ) -> Client:
        node = self.nodes[name]
        client = Client(level, level, node.voice.heard_by(on_reply))

        def submit() -> None:
            try:
                reply = act(node.engine, client)
            except CommandError as refusal:
                reply = error(str(refusal))
            if reply is not None:
                client.done(reply)

        node.turn(submit)
        return client

    def ask(self, name: str, level: Level, *args: bytes, within_s: float = 5.0) -> bytes:
        """A command and its reply, letting time pass until it is there."""
        found: list[bytes] = []
        self.call(name, level, list(args), found.append)
        end = self.timeline.now_s + within_s
        while not found and self.timeline.now_s < end:
            self.run_for(0.002)
        assert found, f"no reply to {args!r} from {name} within {within_s} virtual seconds"
        return found[0]

    # Faults

    def crash(self, name: str, *, power: bool = False) -> None:
        """kill -9, or the plug pulled."""
        self.crashes += 1
        self.nodes[name].crash(power=power)

    def restart(self, name: str) -> None:
        """Start a crashed node again, with empty memory."""
        self.nodes[name].start()

    def isolate(self, names: Iterable[str]) -> None:
        """Cut these nodes off from all others, both ways."""
        inside = set(names)
        for a in inside:
            for b in set(self.nodes) - inside:
                self.network.cut(a, b)
                self.network.cut(b, a)

    def reset_connections(self, a: str, b: str) -> None:
        """Break every connection between two nodes."""
        for pipe in list(self.network.pipes):
            if {pipe.owner, pipe.other} == {a, b} and not pipe.is_closed:
                self._break(pipe)

    def _break(self, pipe: SimPipe) -> None:
        pipe.turn(lambda: pipe.lose("connection reset"))
        pipe.far.turn(lambda: pipe.far.lose("connection reset"))
