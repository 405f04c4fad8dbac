"""Hints that outlive the node that keeps them, in the simulator: whoever was away gets them, counted once."""

import pytest

from trio_dynomite.model import Level
from trio_dynomite.peers.peer import Peer
from trio_dynomite.testing.lasting import SimDisk
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.storm import LastingStorm

NODES = AWAY, *KEEPERS = ["d1r1n1", "d1r2n1", "d1r3n1"]
KEYS = [b"key:%d" % number for number in range(100)]


def a_cluster() -> Simulation:
    simulation = Simulation(layout([1, 1, 1]), seed=3)
    simulation.give_disks()
    simulation.start()
    return simulation


def owed(simulation: Simulation, name: str) -> Peer:
    return simulation.nodes[name].engine.roster.peers[AWAY]


def disk(simulation: Simulation, name: str) -> SimDisk:
    found = simulation.nodes[name].disk
    assert found is not None
    return found


def write(simulation: Simulation, times: int) -> None:
    for _ in range(times):
        for at, key in enumerate(KEYS):
            assert simulation.ask(KEEPERS[at % 2], Level.DC_QUORUM, b"INCR", key)[:1] == b":"
            assert simulation.ask(KEEPERS[at % 2], Level.DC_QUORUM, b"RPUSH", b"l" + key, b"x")[:1] == b":"


def values(simulation: Simulation, name: str) -> list[bytes]:
    """What this node's own copy says."""
    asked = [[(b"GET", key), (b"LLEN", b"l" + key)] for key in KEYS]
    return [simulation.ask(name, Level.DC_ONE, *request) for both in asked for request in both]


def test_who_keeps_hints_dies_and_who_was_away_gets_them() -> None:
    simulation = a_cluster()
    write(simulation, 1)
    simulation.crash(AWAY)
    simulation.run_for(2.0)
    write(simulation, 2)
    missed = {name: len(owed(simulation, name).hints) for name in KEEPERS}
    assert sum(missed.values()) == 2 * len(KEYS)
    for name in KEEPERS:
        disk(simulation, name).is_gentle = True
        simulation.crash(name)
    for name in KEEPERS:
        simulation.restart(name)
    simulation.run_for(5.0)
    restored = {name: len(owed(simulation, name).hints) for name in KEEPERS}
    assert all(0 < restored[name] <= missed[name] for name in KEEPERS)

    simulation.restart(AWAY)
    simulation.run_for(5.0)
    assert {name: owed(simulation, name).hints.delivered for name in KEEPERS} == restored
    assert [len(owed(simulation, name).hints) for name in KEEPERS] == [0, 0]
    assert values(simulation, AWAY) == [b"$1\r\n3\r\n", b":3\r\n"] * len(KEYS)


def test_logs_that_are_told_twice_count_nothing_twice() -> None:
    simulation = a_cluster()
    simulation.crash(AWAY)
    simulation.run_for(2.0)
    write(simulation, 2)
    copies = {
        name: {target: dict(folder.files) for target, folder in disk(simulation, name).folders.items()}
        for name in KEEPERS
    }
    simulation.restart(AWAY)
    simulation.run_for(5.0)
    write(simulation, 1)
    for name in KEEPERS:
        for _ in range(2):
            simulation.crash(name)
            for target, folder in disk(simulation, name).folders.items():
                folder.files = {**copies[name].get(target, {}), **folder.files}
            simulation.restart(name)
            simulation.run_for(5.0)
            assert owed(simulation, name).hints.delivered > 0
    for name in NODES:
        assert values(simulation, name) == [b"$1\r\n3\r\n", b":3\r\n"] * len(KEYS)


@pytest.mark.parametrize("seed", range(1))
def test_a_storm_restores_hints_from_torn_logs(seed: int) -> None:
    storm = LastingStorm(seed)
    assert storm.run() == []
    restored = [note for note in storm.simulation.notes if "hints.restored" in note]
    assert any("'hints': 0" not in note for note in restored)


def test_one_that_was_away_for_too_long_is_compared_with() -> None:
    simulation = a_cluster()
    for node in simulation.nodes.values():
        node.engine.roster.hints.window_ms = 3000
    simulation.crash(AWAY)
    simulation.run_for(2.0)
    write(simulation, 1)
    simulation.run_for(3.0)
    for name in KEEPERS:
        hints = owed(simulation, name).hints
        assert (len(hints), hints.is_incomplete) == (0, True)
    write(simulation, 1)
    assert sum([owed(simulation, name).hints.expired for name in KEEPERS]) >= 2 * len(KEYS)
    assert sum([len(owed(simulation, name).hints) for name in KEEPERS]) == 0
    for node in simulation.nodes.values():
        node.engine.repair.interval_s = 60.0
        node.engine.repair._next_s = simulation.timeline.now_s + 60.0
    simulation.restart(AWAY)
    simulation.run_for(8.0)
    assert values(simulation, AWAY) == [b"$1\r\n2\r\n", b":2\r\n"] * len(KEYS)
    for name in KEEPERS:
        assert simulation.nodes[name].engine.repair.compared >= 1
        assert not owed(simulation, name).hints.is_incomplete
