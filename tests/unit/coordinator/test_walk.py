"""Walks: every stretch of the ring once, in pieces that let others work, whatever the replicas do."""

import pytest

from tests.unit.coordinator.lone_node import lone_node
from trio_dynomite.coordinator.walk import stretches
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

FIVE = ["d1r1n1", "d1r1n2", "d1r2n1", "d1r3n1", "d1r3n2"]


@pytest.mark.parametrize("partitioner", ["slots", "murmur"])
@pytest.mark.parametrize("start", [0, 1, 5000])
@pytest.mark.parametrize("slots_max", [1000, 16384])
def test_stretches_cover_the_ring_once(partitioner: str, start: int, slots_max: int) -> None:
    engine = Simulation(layout([2, 1, 2], partitioner=partitioner), 1).nodes["d1r1n1"]
    engine.start()
    table = engine.engine.table
    ring_size = table.view.partitioner.ring_size
    at = start
    for stretch in stretches(engine.engine, slots_max, start):
        assert stretch.first == at
        assert stretch.last - stretch.first < slots_max * (ring_size // 16384)
        assert table.of_position(stretch.first) is table.of_position(stretch.last) is stretch.route
        at = stretch.last + 1

    assert at == ring_size


def test_a_walk_over_all_keys_takes_many_turns() -> None:
    lone = lone_node()
    for number in range(100):
        lone.ask(b"SET", b"key:%d" % number, b"v")
    before = lone.turns

    assert len(lone.ask(b"KEYS", b"*")) == 100
    assert lone.turns - before >= 64


@pytest.mark.parametrize("partitioner", ["slots", "murmur"])
def test_all_nodes_together_answer_for_all_keys(partitioner: str) -> None:
    simulation = Simulation(layout([2, 1, 2], partitioner=partitioner), 3)
    simulation.start()
    keys = [b"key:%d" % number for number in range(40)]
    for number, key in enumerate(keys):
        simulation.ask(FIVE[number % 5], Level.DC_QUORUM, b"SET", key, b"v")
    simulation.run_for(0.1)

    for name in FIVE:
        assert simulation.ask(name, Level.DC_ONE, b"DBSIZE") == b":40\r\n"
        assert simulation.ask(name, Level.DC_ONE, b"KEYS", b"*[13]").count(b"$") == 8
    assert simulation.ask(FIVE[1], Level.DC_QUORUM, b"FLUSHALL") == b"+OK\r\n"
    for name in FIVE:
        assert simulation.ask(name, Level.DC_QUORUM, b"DBSIZE") == b":0\r\n"
        assert simulation.ask(name, Level.DC_ONE, b"RANDOMKEY") == b"$-1\r\n"


def test_a_walk_goes_around_a_node_that_dies_under_way() -> None:
    simulation = Simulation(layout([1, 1, 1]), 4)
    simulation.start()
    for number in range(30):
        simulation.ask("d1r1n1", Level.DC_QUORUM, b"SET", b"key:%d" % number, b"v")
    simulation.run_for(0.1)
    found: list[bytes] = []
    simulation.call("d1r1n1", Level.DC_QUORUM, [b"FLUSHALL"], found.append)
    simulation.crash("d1r2n1")
    simulation.run_for(6.0)

    assert len(found) == 1
    assert found[0] == b"+OK\r\n" or found[0][:1] == b"-"
    if found[0] == b"+OK\r\n":
        assert simulation.ask("d1r3n1", Level.DC_QUORUM, b"DBSIZE") == b":0\r\n"


def test_what_cannot_be_reached_is_said_and_not_waited_for_for_ever() -> None:
    simulation = Simulation(layout([2, 2]), 5)
    simulation.start()
    for name in ("d1r1n2", "d1r2n2"):
        simulation.crash(name)
    simulation.run_for(3.0)
    reply = simulation.ask("d1r1n1", Level.DC_ONE, b"KEYS", b"*")

    assert reply[:11] in (b"-NOREPLICAS", b"-TIMEOUT a ")
