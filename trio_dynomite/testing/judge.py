"""The judges: after the faults are healed, what must be true of a simulated cluster."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from trio_dynomite.data.effect import pack_record, unpack_record
from trio_dynomite.data.merge import merge
from trio_dynomite.data.record import Record
from trio_dynomite.testing.contents import contents, record_on
from trio_dynomite.testing.simulation import SimNode, Simulation
from trio_dynomite.testing.soundness import plain, unsound
from trio_dynomite.testing.workload import Workload

_MISTAKES = ("command.failed", "digest.drifted", "peer.protocol_error", "broke the peer protocol")
"""What no node may log, whatever the network does."""


def verdict(simulation: Simulation, workload: Workload) -> list[str]:
    """Every broken promise, in words; empty when all were kept."""
    return [
        *workload.faults,
        *[note for note in simulation.notes if any(mistake in note for mistake in _MISTAKES)],
        *_diverged(simulation),
        *_unsound(simulation),
        *_lost_or_resurrected(simulation, workload),
        *_shared_wrong(simulation, workload),
        *_queues_wrong(simulation, workload),
        *_left_over(simulation),
    ]


def are_alike(simulation: Simulation) -> bool:
    """Do all replicas hold the same, as far as their digests tell?"""
    for node in simulation.nodes.values():
        replica, store = node.engine.replica, node.engine.keyspace.store
        for peer in node.engine.roster.peers.values():
            other = simulation.nodes.get(peer.name)
            if other is None:
                return False  # it was forgotten, and not everybody has heard
            if peer.name > node.name and other.is_up:
                slots = replica.slots_shared_with(peer)
                if store.slot_digests(slots) != other.engine.keyspace.store.slot_digests(slots):
                    return False
    return True


def _replicas(simulation: Simulation, key: bytes) -> list[SimNode]:
    any_engine = next(iter(simulation.nodes.values())).engine
    return [simulation.nodes[name] for name in any_engine.table.of_key(key).placement.all]


def _keys(simulation: Simulation) -> set[bytes]:
    stores = [node.engine.keyspace.store for node in simulation.nodes.values()]
    here = {key for store in stores for slot in store.records for key, _ in slot.items()}
    servers = [node.server for node in simulation.nodes.values() if node.server is not None]
    return here.union(*[server.held for server in servers])


def _diverged(simulation: Simulation) -> Iterator[str]:
    """All replicas of a key have equal records; where nothing lists them, only a reader brings that about."""
    if not all(node.engine.keyspace.store.capabilities.can_list for node in simulation.nodes.values()):
        return
    for key in sorted(_keys(simulation)):
        known = {}
        for node in _replicas(simulation, key):
            known[node.name] = plain(record_on(node.engine)(key))
        first, *others = known.values()
        if any(other != first for other in others):
            yield f"replicas differ at {key!r}: {known}"


def _unsound(simulation: Simulation) -> Iterator[str]:
    """What is kept by difference is what one finds by counting."""
    for name, node in simulation.nodes.items():
        for fault in unsound(node.engine.keyspace.store):
            yield f"{name}: {fault}"


def _record(simulation: Simulation, key: bytes) -> Record:
    """What is known of a key in the end by all together; they agree by now, or `_diverged` says so."""
    known = [record_on(node.engine)(key) for node in _replicas(simulation, key)]
    return reduce(merge, [unpack_record(pack_record(record)) for record in known])


def _held(simulation: Simulation, key: bytes) -> Any:
    return contents(_record(simulation, key), _now_ms(simulation))


def _now_ms(simulation: Simulation) -> int:
    return next(iter(simulation.nodes.values())).wall_ms()


def _lost_or_resurrected(simulation: Simulation, workload: Workload) -> Iterator[str]:
    """Every target holds what its writer knows."""
    for target in workload.targets:
        held = target.held(lambda key: _record(simulation, key), _now_ms(simulation))
        if not target.is_allowed(held):
            yield f"{target.key!r} ends as {held!r}, allowed {target.allowed}"


def _shared_wrong(simulation: Simulation, workload: Workload) -> Iterator[str]:
    for shared in workload.shared:
        wrong = shared.verdict(_held(simulation, shared.key))
        if wrong is not None:
            yield f"{shared.key!r} {wrong}"


def _queues_wrong(simulation: Simulation, workload: Workload) -> Iterator[str]:
    for queue in workload.queues:
        held = [_held(simulation, key) or () for key in queue.keys]
        left = [item if queue.kind == "list" else item[0] for one in held for item in one]
        wrong = queue.verdict(left)
        if wrong is not None:
            yield f"{queue.key!r}: {wrong}"


def _left_over(simulation: Simulation) -> Iterator[str]:
    """Nothing waits for ever: requests, parked ones, hints, those who block."""
    for name, node in simulation.nodes.items():
        engine = node.engine
        routes = engine.table.routes
        left = {
            "in flight": engine.in_flight,
            "bytes of what waits": engine.waiting_bytes,
            "parked": len(engine.parking),
            "calls when something changes": len(engine.parking._calls),
            "hints": sum([len(peer.hints) for peer in engine.roster.peers.values()]),
            "blocked": len(engine.blocking.blocked),
            "guests": len(engine.blocking._guests),
            "keys waited for": len(engine.blocking.room),
            "arrivals": sum(map(len, engine.arrivals._waiting.values())),
            "waiters": sum([len(route.batch.waiting) + len(route.direct.waiting) for route in routes]),
        }
        found = {what: count for what, count in left.items() if count}
        if found:
            yield f"{name}: left over: {found}"
