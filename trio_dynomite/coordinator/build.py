"""An engine from settings: a node's mind and all that hangs on it, without a socket."""

from collections.abc import Callable

from trio_dynomite.commands.record import Chance
from trio_dynomite.config import Settings
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.coordinator.fetching import FetchingEngine
from trio_dynomite.coordinator.plain import PlainEngine
from trio_dynomite.coordinator.routes import make_routes
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.handoff.hints import HintBudget
from trio_dynomite.membership.member import Member
from trio_dynomite.peers.members import Members
from trio_dynomite.peers.roster import Roster, RosterSettings, make_peer
from trio_dynomite.repair.read_repair import Sampling
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.plain import PlainStore
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import Partitioner, make
from trio_dynomite.topology.view import View


def in_memory(partitioner: Partitioner) -> Store:
    """A new store of the memory engine."""
    return MemoryStore(partitioner.slot)


def build_engine(
    settings: Settings,
    name: str,
    now_ms: int,
    log: Callable[..., None],
    rng: Chance,
    make_store: Callable[[Partitioner], Store] = in_memory,
) -> Engine:
    """A node's engine and all that hangs on it, without a socket."""
    members = settings.members
    node = next(member for member in members if member.name == name)
    partitioner = make(settings.cluster.partitioner, settings.cluster.hash_tag)
    clock = HybridClock(node.id)
    clock.advance(now_ms)
    store = make_store(partitioner)
    clock.observe(store.newest)
    fingerprint = f"{partitioner.fingerprint}, primaries: {settings.cluster.primaries}"
    if not store.capabilities.has_types:
        fingerprint += ", memcached storage"  # who keeps more could not rely on it
    elif isinstance(store, PlainStore):
        fingerprint += ", redis.stamps: false"  # who has stamps understands nothing of what is said there
    roster_settings = _roster_settings(settings, fingerprint)
    hints = HintBudget(settings.limits.hints, int(settings.hints.max_window * 1000), now_ms=now_ms)
    others = [member for member in members if member.name != name]
    peers = {member.name: make_peer(member, roster_settings, hints) for member in others}
    keyspace = StoreKeyspace(store, clock, origin=clock.next(), rng=rng)
    if isinstance(store, RemoteStore):
        store.observe = clock.observe
    clock.last = max(node.id, store.newest)  # whether our wall clock is right we shall hear from the others
    engine = _kind(store, settings.repair.read_chance)(
        node,
        keyspace,
        make_routes(View.of(members, partitioner, spread=settings.cluster.spreads), node, peers, keyspace),
        settings.timeouts.request,
        settings.limits.requests_in_flight,
        settings.limits.request_bytes,
        log,
        now_ms=now_ms,
    )
    engine.roster = Roster(engine, roster_settings, peers, hints)
    own = Member.of(node, now_ms)
    known = {member.name: Member.of(member, 0) for member in members}
    engine.roster.members = Members(engine, {**known, name: own})
    if settings.cluster.seeds is not None:
        engine.roster.members.open(settings.timeouts.warm_up)
    if store.capabilities.can_list:  # else nobody can tell what differs
        engine.repair.interval_s, engine.repair.rate = settings.repair.interval, settings.repair.rate
        engine.repair.collection.grace_s = settings.repair.tombstone_grace
    if isinstance(engine, FetchingEngine):
        engine.cold.lasts_s = settings.memcached.warm_up
    if isinstance(engine, Sampling):
        engine.chance = settings.repair.read_chance
    engine.eviction.configure(limit=settings.limits.max_memory, policy=settings.limits.max_memory_policy)
    return engine


def _kind(store: Store, read_chance: float) -> type[Engine]:
    if isinstance(store, RemoteStore):
        return FetchingEngine
    if isinstance(store, PlainStore):
        return PlainEngine
    return Sampling if read_chance else Engine


def _roster_settings(settings: Settings, fingerprint: str) -> RosterSettings:
    return RosterSettings(
        cluster=settings.cluster.name,
        fingerprint=fingerprint,
        spreads=settings.cluster.spreads,
        heartbeat_s=settings.timeouts.heartbeat,
        down_after_s=settings.timeouts.down_after,
        clock_drift_max_ms=int(settings.timeouts.max_clock_drift * 1000),
        warm_up_s=settings.timeouts.warm_up,
        peer_output_max=settings.limits.peer_output,
        hints_per_peer_max=settings.limits.hints_per_peer,
        hints_rate=settings.hints.rate,
    )
