"""A node: the composition root. Every part is made here, and every task started here, by name.

`run` reads as a list, in start order. Stop runs in reverse: stop accepting, finish what clients wait for,
tell the peers goodbye, close everything.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio
from attrs import define, field

from trio_dynomite import collector, durable
from trio_dynomite.config import Gossip, Settings
from trio_dynomite.coordinator.build import build_engine
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.errors import NoRoomError
from trio_dynomite.handoff.keeper import HintKeeper
from trio_dynomite.handoff.tending import HintTask
from trio_dynomite.hub.channel import Channel
from trio_dynomite.hub.hub import Hub
from trio_dynomite.logs import get_logger
from trio_dynomite.membership.events import Event
from trio_dynomite.membership.gossip import make_gossip
from trio_dynomite.membership.member import Member
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.membership.task import GossipTask
from trio_dynomite.model import Node, NodeState
from trio_dynomite.peers.hearsay import Hearsay
from trio_dynomite.peers.peer import Peer
from trio_dynomite.peers.supervisor import Supervisor
from trio_dynomite.protocol.replies import error
from trio_dynomite.protocol.requests import Limits
from trio_dynomite.seeds.asking import Asking
from trio_dynomite.seeds.sources import source_of
from trio_dynomite.served import Service, service_of
from trio_dynomite.server.listener import Listener, endpoint
from trio_dynomite.server.memcached.service import Memcached
from trio_dynomite.server.server import Server
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.snapshotter import Snapshotter

if TYPE_CHECKING:
    from trio_dynomite.storage.rocksdb.backups import Backups
    from trio_dynomite.storage.rocksdb.syncing import Syncing
    from trio_dynomite.storage.rocksdb.tidying import Tidying

TICK_S = 0.05
_DRAIN_POLL_S = 0.01
_FAREWELL_S = 0.6
"""How long to wait until every peer has learned that we leave and has nothing more on its way."""

log = get_logger()


def wall_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def gossip_settings(settings: Gossip) -> GossipSettings:
    """`[gossip]`, as the machine wants it."""
    return GossipSettings(
        interval_s=settings.interval,
        probe_timeout_s=settings.probe_timeout,
        indirect_probes=settings.indirect_probes,
        suspicion_multiplier=settings.suspicion_multiplier,
        fanout=settings.fanout,
        exchange_interval_s=settings.exchange_interval,
        dead_interval_s=settings.dead_interval,
        remember_s=settings.remember,
        datagram_bytes=settings.datagram,
    )


@define(eq=False)
class NodeProcess:
    """One node in this process: the engine, the hub, the listeners and the tasks."""

    settings: Settings
    name: str
    managed: ManagedServer | None = None
    """The server that keeps its records, if it has one of its own; it outlives this life."""
    engine: Engine = field(init=False)
    hub: Hub = field(init=False)
    server: Server = field(init=False)
    keeper: HintKeeper | None = field(init=False)
    """Of the hints in files."""
    snapshots: Snapshotter | None = field(init=False)
    """Of a store in memory."""
    service: Service | None = field(init=False)
    """The server that keeps its records, if it does not keep them itself."""
    disk_tasks: tuple[Syncing, Tidying, Backups] | None = field(init=False)
    """Of a RocksDB."""
    services: trio.Nursery = field(init=False)
    """All tasks of the running node."""
    supervisors: dict[str, Supervisor] = field(factory=dict)
    peer_listener: Listener = field(init=False)
    client_listener: Listener = field(init=False)
    memcached: Memcached = field(init=False)
    memcached_listener: Listener | None = None
    """Of memcached's clients, if there is a port for them."""
    hearsay: Hearsay = field(init=False)
    gossip: GossipTask = field(init=False)
    is_normal: trio.Event = field(factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        self.settings = settings = self.settings.of_node(self.name)
        self.engine = engine = build_engine(
            settings,
            self.name,
            wall_ms(),
            log.info,
            random.Random(),
            durable.store_maker(settings, self.name),
        )
        self.keeper = durable.make_keeper(settings, engine)
        self.hub = Hub(
            lambda: engine.begin(wall_ms(), time.monotonic()),
            self._end,
            lambda: engine.has_more,
            self._on_error,
        )
        self.snapshots = durable.make_snapshotter(settings, engine, self.hub.turn)
        self.service = service_of(settings, self.managed, self.hub, engine.keyspace.store)
        self.disk_tasks = durable.make_disk_tasks(settings, engine, self.hub.turn)
        self.server = Server(
            engine,
            settings,
            Limits(
                bulk=settings.limits.bulk,
                multibulk=settings.limits.multibulk,
                inline=settings.limits.inline,
                unfinished=settings.limits.client_input,
            ),
            secrets.token_hex(20),
            wall_ms(),
            settings.consistency.read,
            settings.consistency.write,
        )
        self.server.snapshots = self.disk_tasks[2] if self.disk_tasks else self.snapshots
        for peer in engine.roster.peers.values():
            self._supervise(peer)
        engine.roster.members.on_joined = self._on_joined
        engine.roster.members.on_left = lambda peer: self.supervisors.pop(peer.name).stop()
        engine.on_state = self._on_state
        engine.roster.on_down = self._on_down
        engine.roster.on_called = self._on_called
        self._make_listeners(engine.node)
        self._make_gossip(engine.node)

    def _make_listeners(self, node: Node) -> None:
        settings = self.settings.node(self.name)
        limits, gate = self.settings.limits, self.engine.keyspace.store.gate
        self.peer_listener = Listener(
            self.hub,
            settings.host,
            node.peer_port,
            self._accept_peer,
            2 * limits.peer_output,
            self.engine.keyspace.store.peer_gate,
        )
        self.client_listener = Listener(
            self.hub, settings.host, node.client_port, self._accept_client, limits.client_output, gate
        )

        self.memcached = Memcached(self.server, limits.item_size)
        if node.memcached_port:
            self.memcached_listener = Listener(
                self.hub,
                settings.host,
                node.memcached_port,
                self._accept_memcached,
                limits.client_output,
                gate,
            )

    def _make_gossip(self, node: Node) -> None:
        roster = self.engine.roster
        machine = make_gossip(
            Member.of(node, wall_ms(), self.engine.state),
            [Member.of(peer.node, 0) for peer in roster.peers.values()],
            gossip_settings(self.settings.gossip),
            (roster.settings.cluster, roster.settings.fingerprint),
            random.Random(),
            time.monotonic(),
        )
        self.hearsay = roster.hearsay = Hearsay(roster, machine)
        host = self.settings.node(self.name).host
        self.gossip = GossipTask(machine, host, node.peer_port, time.monotonic, self._on_gossip)

    def _on_gossip(self, events: list[Event]) -> None:
        self.hub.turn(lambda: self.hearsay.hear(events))

    def _end(self) -> None:
        self.engine.end()
        if self.server.touched:
            # A reply may let commands run that waited for it, and those have effects to send.
            self.server.end()
            self.engine.end()
        if self.keeper is not None:
            self.keeper.commit()

    def _on_error(self, error: Exception) -> None:
        """A handler ran into a mistake of ours; its connection is closed and the others go on."""
        if isinstance(error, NoRoomError):  # no mistake: the node ends for it
            return
        self.engine.internal_errors += 1
        log.error("a connection was closed by a mistake in the node", exc_info=error)

    # What connects

    def _accept_peer(self, channel: Channel, address: str) -> None:
        channel.open(self.engine.roster.accept(channel))

    def _accept_client(self, channel: Channel, address: str) -> None:
        local = endpoint(channel.sock.getsockname())
        session = self.server.open_session(channel, address, local)
        channel.open(session)
        if len(self.server.sessions) + len(self.memcached.sessions) > self.settings.limits.clients:
            self.server.rejected += 1
            channel.write(error("ERR max number of clients reached"))
            channel.close_when_sent()

    def _accept_memcached(self, channel: Channel, address: str) -> None:
        session = self.memcached.open_session(channel, address)
        channel.open(session)
        self.memcached.refuse_if_too_many(session)

    def _on_state(self, state: NodeState) -> None:
        self.gossip.gossip.announce(time.monotonic(), state=state)
        if state is NodeState.NORMAL:
            self.is_normal.set()

    def _on_down(self, peer: Peer) -> None:
        self.supervisors[peer.name].scope.cancel()

    def _on_called(self, peer: Peer) -> None:
        if not peer.is_open:
            self.supervisors[peer.name].wake.set()

    def _supervise(self, peer: Peer) -> Supervisor:
        supervisor = Supervisor(self.hub, self.engine.roster, peer, self.settings.timeouts.connect)
        self.supervisors[peer.name] = supervisor
        return supervisor

    def _on_joined(self, peer: Peer) -> None:
        self.services.start_soon(self._supervise(peer).run)

    # Tasks

    async def _ask_seeds(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find out who is in the cluster, where the configuration does not tell."""
        if self.settings.cluster.seeds is None:
            task_status.started()
            return
        source = source_of(self.settings.cluster.seeds)
        asking = Asking(self.hub, self.engine.roster.members, source, self.settings.timeouts.connect)
        await asking.run(task_status=task_status)

    async def _tick(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deadlines, heartbeats and expiry, a few times a second."""
        task_status.started()
        while True:
            self.hub.turn(self.server.tick)
            while self.engine.has_more:
                await trio.lowlevel.checkpoint()
                self.hub.turn()
            await trio.sleep(TICK_S)

    async def run(self, stop: trio.Event, task_status: trio.TaskStatus[None]) -> None:
        """Start everything in order, serve until `stop`, and end in order."""
        pauses = collector.tune(self.engine.keyspace.store.freeze)
        self.server.statistics = self._statistics(pauses)
        try:
            async with trio.open_nursery() as services:
                self.services = services
                await services.start(self.hub.run)
                if self.service is not None:
                    await self._open_storage(self.service, stop)
                self.hub.turn(lambda: self.engine.set_state(NodeState.JOINING))
                await services.start(self._tick)
                if self.keeper is not None:
                    services.start_soon(self._hint_task(self.keeper).run, name="hints")
                if self.snapshots is not None:
                    services.start_soon(self.snapshots.run, name="snapshots")
                for task in self.disk_tasks or ():
                    services.start_soon(task.run, name=type(task).__name__.lower())
                self.peer_listener.open()
                await services.start(self.gossip.run, name="gossip")
                for supervisor in list(self.supervisors.values()):
                    await services.start(supervisor.run)
                await services.start(self._ask_seeds)
                async with trio.open_nursery() as starting:
                    starting.start_soon(self._stop_early, stop, starting.cancel_scope)
                    await self.is_normal.wait()
                    starting.cancel_scope.cancel()
                if not stop.is_set():
                    self.client_listener.open()
                    if self.memcached_listener is not None:
                        self.memcached_listener.open()
                    log.info("ready", clients=endpoint((self.engine.node.host, self.engine.node.client_port)))
                    task_status.started()
                    await stop.wait()
                await self._drain()
                services.cancel_scope.cancel()
            if self.snapshots is not None:
                await self.snapshots.last()
        finally:
            self.hub.close()
            if self.keeper is not None:
                self.keeper.commit()
            self.engine.keyspace.store.close()
            collector.forget(pauses)

    async def _open_storage(self, service: Service, stop: trio.Event) -> None:
        """Learn what the server has; when it is lost, this life is over."""
        service.on_lost = self.services.cancel_scope.cancel
        async with trio.open_nursery() as starting:
            starting.start_soon(self._stop_early, stop, self.services.cancel_scope)
            await self.services.start(service.run, name="storage")
            starting.cancel_scope.cancel()
        self.engine.keyspace.clock.observe(self.engine.keyspace.store.newest)

    def _hint_task(self, keeper: HintKeeper) -> HintTask:
        return HintTask(keeper, self.engine.roster.hint_queues, self.hub.turn)

    async def _stop_early(self, stop: trio.Event, starting: trio.CancelScope) -> None:
        await stop.wait()
        starting.cancel()

    async def _drain(self) -> None:
        """Take no more, finish what is under way, and say goodbye."""
        self.client_listener.close()
        if self.memcached_listener is not None:
            self.memcached_listener.close()
        self.hub.turn(lambda: self.engine.set_state(NodeState.STANDBY))
        start_s = self.engine.mono_s
        with trio.move_on_after(_FAREWELL_S):
            while not self.engine.roster.have_heard_since(start_s):
                await trio.sleep(_DRAIN_POLL_S)  # the hub has no event for it
        while self.engine.in_flight or len(self.engine.parking) or self._unacknowledged():
            await trio.sleep(_DRAIN_POLL_S)
        self.hub.turn()
        self.gossip.leave()

    def _unacknowledged(self) -> int:
        links = [peer.link for peer in self.engine.roster.peers.values() if peer.link is not None]
        gate = self.engine.keyspace.store.gate
        waiting = 0 if gate is None else gate.made - gate.safe
        return waiting + sum(link.unacked_bytes for link in links if link.is_open)

    def _statistics(self, pauses: collector.Pauses) -> Mapping[str, object]:
        return {
            "turns": lambda: self.hub.turns,
            "turn_ms_max": lambda: round(self.hub.turn_ms_max, 2),
            **(self.keeper.statistics() if self.keeper is not None else {}),
            "gc_pauses": lambda: pauses.count,
            "gc_pause_ms_max": lambda: round(pauses.ms_max, 2),
            "gc_pause_ms_total": lambda: round(pauses.ms_total, 2),
            **(self.service.statistics() if self.service is not None else {}),
            **self.hearsay.facts(),
        }
