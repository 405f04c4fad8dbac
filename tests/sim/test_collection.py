"""What is deleted is forgotten by all in the end, never before all have heard of it, and does not return."""

from io import BytesIO
from typing import Any

import pytest
from attrs import define

from trio_dynomite.config.settings import Repair
from trio_dynomite.coordinator.build import in_memory
from trio_dynomite.coordinator.engine import Engine
from trio_dynomite.model import Level
from trio_dynomite.repair.collection import Collection
from trio_dynomite.storage.snapshot import load, pieces
from trio_dynomite.storage.store import Store
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import SimNode, Simulation
from trio_dynomite.topology.partitioner import Partitioner

KEYS = [b"key:%d" % number for number in range(100)]
AWAY = "d1r3n1"
SLOTS = list(range(16384))


def a_cluster(*racks: list[int], grace_s: float = 1.0) -> Simulation:
    simulation = Simulation(layout(*racks, repair=Repair(interval=0.2, tombstone_grace=grace_s)), seed=1)
    simulation.start()
    return simulation


def do(simulation: Simulation, *requests: list[bytes]) -> list[bytes]:
    """Requests at a quorum on the first node, and the replies."""
    replies: dict[int, bytes] = {}
    for at, request in enumerate(requests):
        simulation.call(
            min(simulation.nodes), Level.DC_QUORUM, request, lambda reply, at=at: replies.update({at: reply})
        )
    simulation.run_for(1.0)
    assert not [reply for reply in replies.values() if reply.startswith(b"-")]
    return [replies[at] for at in range(len(requests))]


def dead(node: SimNode) -> int:
    """What a node keeps of what is gone, keys and elements."""
    store = node.engine.keyspace.store
    bodies = [record[4] for records in store.records for record in records.values()]
    return sum(store.dead) + sum([getattr(body, "dead", 0) for body in bodies])


def all_dead(simulation: Simulation) -> list[int]:
    return [dead(node) for node in simulation.nodes.values()]


@pytest.mark.parametrize("racks", [([1],), ([1, 1, 1],), ([1, 1], [1, 1]), ([1, 2, 1],)])
def test_what_is_deleted_or_has_expired_is_forgotten_by_all(racks: tuple[list[int], ...]) -> None:
    simulation = a_cluster(*racks)
    do(simulation, *[[b"SET", key, b"v"] for key in KEYS], [b"SADD", b"s", b"a", b"b"])
    do(
        simulation,
        *[[b"DEL", key] for key in KEYS[10:]],
        [b"SREM", b"s", b"a"],
        [b"PEXPIRE", KEYS[1], b"100"],
    )
    assert min(all_dead(simulation)) > 0

    simulation.run_for(11.0)

    assert all_dead(simulation) == [0] * len(simulation.nodes)
    assert do(simulation, [b"EXISTS", *KEYS], [b"SMEMBERS", b"s"], [b"GET", KEYS[0]]) == [
        b":9\r\n",
        b"*1\r\n$1\r\nb\r\n",
        b"$1\r\nv\r\n",
    ]


@pytest.mark.parametrize("fault", ["isolate", "pause", "crash"])
def test_nothing_is_forgotten_before_a_replica_that_is_away_has_heard_of_it(fault: str) -> None:
    simulation = a_cluster([1, 1, 1])
    do(simulation, *[[b"SET", key, b"v"] for key in KEYS], [b"INCR", b"n"])
    away = simulation.nodes[AWAY]
    if fault == "isolate":
        simulation.isolate([AWAY])
    elif fault == "pause":
        away.pause()
    else:
        simulation.crash(AWAY)
    simulation.run_for(3.0)
    do(simulation, *[[b"DEL", key] for key in KEYS], [b"DEL", b"n"])
    simulation.run_for(12.0)
    here = [dead(node) for name, node in simulation.nodes.items() if name != AWAY]
    assert here == [len(KEYS) + 1] * 2
    held_by = [n.engine.repair.collection.held_by for name, n in simulation.nodes.items() if name != AWAY]
    assert held_by == [[AWAY]] * 2
    assert any("collection.held" in note for note in simulation.notes)

    if fault == "isolate":
        simulation.network.heal()
    elif fault == "pause":
        away.resume()
    else:
        simulation.restart(AWAY)
    simulation.run_for(11.0)

    assert all_dead(simulation) == [0, 0, 0]
    assert not any(node.engine.repair.collection.held_by for node in simulation.nodes.values())
    assert do(simulation, [b"EXISTS", *KEYS], [b"INCR", b"n"]) == [b":0\r\n", b":1\r\n"]
    for node in simulation.nodes.values():
        assert [record for records in node.engine.keyspace.store.records for record in records] == [b"n"]


def test_a_replica_that_was_told_nothing_adopts_the_cutoff_when_it_is_compared_with() -> None:
    simulation = a_cluster([1, 1, 1])
    do(simulation, *[[b"SET", key, b"v"] for key in KEYS])
    do(simulation, *[[b"DEL", key] for key in KEYS])
    deaf = simulation.nodes[AWAY].engine
    deaf.broadcasts.listeners[b"cutoff"] = lambda values: True

    simulation.run_for(20.0)

    assert all_dead(simulation) == [0, 0, 0]


def test_counts_on_a_tombstone_and_on_a_cutoff_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = a_cluster([1], [1])
    do(simulation, [b"INCRBY", b"n", b"5"], [b"HINCRBY", b"h", b"f", b"5"], [b"HSET", b"h", b"g", b"1"])
    do(simulation, [b"DEL", b"n"], [b"HDEL", b"h", b"f"])
    here, there = simulation.nodes.values()
    honest, lazy = Collection._work, there.engine.repair.collection
    # It has heard of the cutoff, and has not got round to it.
    monkeypatch.setattr(Collection, "_work", lambda self: None if self is lazy else honest(self))
    simulation.run_for(8.0)
    assert (dead(here), dead(there)) == (0, 2)
    simulation.isolate([min(simulation.nodes)])
    for name in simulation.nodes:
        for _ in range(3):
            for request in ([b"INCR", b"n"], [b"HINCRBY", b"h", b"f", b"1"]):
                simulation.call(name, Level.DC_ONE, request, lambda reply: None)
    simulation.run_for(3.0)

    simulation.network.heal()
    monkeypatch.undo()
    simulation.run_for(10.0)

    assert do(simulation, [b"GET", b"n"], [b"HGET", b"h", b"f"]) == [b"$1\r\n6\r\n"] * 2


@define
class OldSnapshot:
    """In the place of a node's disk: a snapshot that it made long ago."""

    data: bytes

    @classmethod
    def of(cls, node: SimNode) -> "OldSnapshot":
        store, partitioner = node.engine.keyspace.store, node.engine.table.view.partitioner
        return cls(b"".join(pieces(store, {"partitioner": partitioner.fingerprint})))

    def open_store(self, partitioner: Partitioner) -> Store:
        store = in_memory(partitioner)
        load(BytesIO(self.data).read, store, partitioner.fingerprint)
        return store

    def attach(self, engine: Engine, log: Any) -> None:
        """It holds no hints."""

    def commit(self) -> None:
        """Nothing is written to it."""


def test_a_snapshot_from_before_a_collection_brings_nothing_back() -> None:
    simulation = a_cluster([1, 1, 1])
    do(
        simulation,
        *[[b"SET", key, b"v"] for key in KEYS],
        [b"SADD", b"s", b"a", b"b"],
        [b"INCRBY", b"n", b"5"],
    )
    old = OldSnapshot.of(simulation.nodes[AWAY])
    do(simulation, *[[b"DEL", key] for key in KEYS], [b"SREM", b"s", b"a"], [b"DEL", b"n"])
    simulation.run_for(11.0)
    assert all_dead(simulation) == [0, 0, 0]
    simulation.crash(AWAY)
    do(simulation, [b"SET", KEYS[0], b"new"], [b"SADD", b"s", b"c"], [b"INCR", b"n"])

    simulation.nodes[AWAY].disk = old  # type: ignore[assignment]
    simulation.restart(AWAY)
    simulation.nodes[AWAY].disk = None
    simulation.run_for(5.0)

    assert do(simulation, [b"EXISTS", *KEYS], [b"SCARD", b"s"], [b"GET", b"n"], [b"GET", KEYS[0]]) == [
        b":1\r\n",
        b":2\r\n",
        b"$1\r\n1\r\n",
        b"$3\r\nnew\r\n",
    ]
    assert (
        len({tuple(node.engine.keyspace.store.slot_digests(SLOTS)) for node in simulation.nodes.values()})
        == 1
    )
    assert any("sync.dropped" in note for note in simulation.notes)
