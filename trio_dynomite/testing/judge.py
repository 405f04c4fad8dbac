"""The judges: after the faults are healed, what must be true of a simulated cluster."""

from __future__ import annotations

from trio_dynomite.data.record import ABSENT, is_live, join, text
from trio_dynomite.storage.store import SLOTS, Store
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.workload import Workload


def verdict(simulation: Simulation, workload: Workload) -> list[str]:
    """Every broken promise, in words; empty when all were kept."""
    return [
        *workload.faults,
        *_diverged(simulation),
        *_digests_wrong(simulation),
        *_lost_or_resurrected(simulation, workload),
        *_tallies_wrong(simulation, workload),
        *_pieces_wrong(simulation, workload),
        *_left_over(simulation),
    ]


def _stores(simulation: Simulation) -> dict[str, Store]:
    return {name: node.engine.keyspace.store for name, node in simulation.nodes.items()}


def _replicas(simulation: Simulation, key: bytes) -> tuple[str, ...]:
    any_engine = next(iter(simulation.nodes.values())).engine
    return tuple(any_engine.table.of_key(key).placement.all)


def _keys(simulation: Simulation) -> set[bytes]:
    return {key for store in _stores(simulation).values() for slot in store.records for key in slot}


def _diverged(simulation: Simulation) -> list[str]:
    """All replicas of a key have equal records."""
    stores, found = _stores(simulation), []
    for key in sorted(_keys(simulation)):
        records = {
            name: stores[name].get(stores[name].slot_of(key), key) for name in _replicas(simulation, key)
        }
        if len(set(records.values())) > 1:
            found.append(f"replicas differ at {key!r}: {records}")
    return found


def _digests_wrong(simulation: Simulation) -> list[str]:
    """What is kept by difference is what one finds by counting."""
    found = []
    for name, store in _stores(simulation).items():
        for slot in range(SLOTS):
            if store.records[slot] or store.sums[slot]:
                sums, dead = store.sums[slot], store.dead[slot]
                store._rebuild(slot, -1)
                if (sums, dead) != (store.sums[slot], store.dead[slot]):
                    found.append(f"{name}: digest or count of slot {slot} has drifted")
    return found


def _value(simulation: Simulation, key: bytes) -> bytes | None:
    """What the replicas hold at the end; they agree by now, or `_diverged` says so."""
    record = ABSENT
    for name in _replicas(simulation, key):
        store = simulation.nodes[name].engine.keyspace.store
        record = join(record, store.get(store.slot_of(key), key))
    return text(record) if is_live(record, simulation.nodes[next(iter(simulation.nodes))].wall_ms()) else None


def _lost_or_resurrected(simulation: Simulation, workload: Workload) -> list[str]:
    found = []
    for target in workload.targets:
        value = _value(simulation, target.key)
        if value not in target.allowed:
            found.append(f"{target.key!r} ends as {value!r}, allowed {target.allowed}")
    return found


def _tallies_wrong(simulation: Simulation, workload: Workload) -> list[str]:
    found = []
    for tally in workload.tallies:
        total = int(_value(simulation, tally.key) or 0)
        if not tally.acknowledged <= total <= tally.acknowledged + tally.unknown:
            found.append(
                f"{tally.key!r} ends as {total}: {tally.acknowledged} acknowledged, {tally.unknown} unknown"
            )
    return found


def _pieces_wrong(simulation: Simulation, workload: Workload) -> list[str]:
    found = []
    for sequence in workload.sequences:
        pieces = [piece + b"," for piece in (_value(simulation, sequence.key) or b"").split(b",")[:-1]]
        lost = sequence.acknowledged - set(pieces)
        if lost or len(pieces) != len(set(pieces)):
            found.append(f"{sequence.key!r} ends as {pieces}, lost {lost}, unknown {sequence.unknown}")
    return found


def _left_over(simulation: Simulation) -> list[str]:
    """Nothing waits for ever: requests, parked ones, hints."""
    found = []
    for name, node in simulation.nodes.items():
        engine = node.engine
        hints = sum(len(peer.hints) for peer in engine.roster.peers.values())
        if engine.in_flight or len(engine.parking) or hints:
            found.append(
                f"{name}: {engine.in_flight} in flight, {len(engine.parking)} parked, {hints} hints left"
            )
    return found
