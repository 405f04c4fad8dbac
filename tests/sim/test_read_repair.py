"""Reads at DC_ONE that are compared afterwards: the client has its answer, the replicas agree soon."""

import pytest

from trio_dynomite.config.settings import Repair
from trio_dynomite.model import Level
from trio_dynomite.repair.read_repair import UNDER_WAY_MAX, Sampling
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

KEYS = [b"key:%d" % number for number in range(200)]


def a_cluster(chance: float) -> Simulation:
    simulation = Simulation(layout([1, 1, 1], repair=Repair(interval=0, read_chance=chance)), seed=5)
    simulation.start()
    for key in KEYS:
        simulation.call("d1r1n1", Level.DC_QUORUM, [b"SET", key, b"v"], lambda reply: None)
    simulation.run_for(2.0)
    return simulation


def forget_all(simulation: Simulation, name: str) -> None:
    store = simulation.nodes[name].engine.keyspace.store
    for key in KEYS:
        store.forget(store.slot_of(key), key)


def lacking(simulation: Simulation, name: str) -> int:
    store = simulation.nodes[name].engine.keyspace.store
    return sum([key not in store.records[store.slot_of(key)] for key in KEYS])


def read_all(simulation: Simulation, name: str) -> list[bytes]:
    replies: list[bytes] = []
    for key in KEYS:
        simulation.call(name, Level.DC_ONE, [b"GET", key], replies.append)
        simulation.run_for(0.01)
    simulation.run_for(1.0)
    return replies


@pytest.mark.parametrize("reader", ["d1r1n1", "d1r2n1", "d1r3n1"])
def test_what_a_replica_lacks_comes_back_when_it_is_read_anywhere(reader: str) -> None:
    simulation = a_cluster(chance=1.0)
    forget_all(simulation, "d1r2n1")
    replies = read_all(simulation, reader)

    assert lacking(simulation, "d1r2n1") == 0
    assert set(replies) == ({b"$-1\r\n"} if reader == "d1r2n1" else {b"$1\r\nv\r\n"})
    assert read_all(simulation, "d1r2n1") == [b"$1\r\nv\r\n"] * len(KEYS)


def test_of_so_many_reads_so_many_are_compared() -> None:
    simulation = a_cluster(chance=0.3)
    forget_all(simulation, "d1r2n1")
    read_all(simulation, "d1r1n1")

    engine = simulation.nodes["d1r1n1"].engine
    assert isinstance(engine, Sampling)
    assert 30 < engine.compared < 90
    assert engine.under_way == engine.in_flight == 0
    assert lacking(simulation, "d1r2n1") == len(KEYS) - engine.compared


def test_it_ends_with_its_peer_and_there_are_never_too_many() -> None:
    simulation = a_cluster(chance=1.0)
    simulation.isolate(["d1r3n1"])
    for _ in range(3):
        for key in KEYS:
            simulation.call("d1r1n1", Level.DC_ONE, [b"GET", key], lambda reply: None)
    engine = simulation.nodes["d1r1n1"].engine
    assert isinstance(engine, Sampling)
    assert engine.under_way == UNDER_WAY_MAX

    simulation.run_for(4.0)

    assert engine.under_way == engine.in_flight == 0
