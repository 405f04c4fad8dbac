"""A primary that was away and leads again: what it did before counts only if nobody led in between."""

import pytest

from trio_dynomite.data.stamp import milliseconds
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

KEY = b"list"


def a_cluster() -> tuple[Simulation, str, str]:
    """Three racks, the primary of KEY and its successor."""
    simulation = Simulation(layout([1, 1, 1]), seed=1)
    simulation.start()
    engine = next(iter(simulation.nodes.values())).engine
    (_, names), *_ = engine.table.of_key(KEY).placement.replicas
    return simulation, names[0], names[1]


def push(simulation: Simulation, name: str, value: bytes) -> bytes:
    return simulation.ask(name, Level.DC_QUORUM, b"RPUSH", KEY, value)


@pytest.mark.parametrize("skew_ms", [0, 60_000])
def test_a_successor_overrules_what_its_predecessor_did_unheard(skew_ms: int) -> None:
    simulation, primary, successor = a_cluster()
    simulation.nodes[primary].skew_ms = skew_ms
    simulation.run_for(1.0)
    assert push(simulation, primary, b"before") == b":1\r\n"

    simulation.isolate([primary])
    simulation.run_for(0.3)
    unheard: list[bytes] = []
    simulation.call(primary, Level.DC_QUORUM, [b"RPUSH", KEY, b"unheard"], unheard.append)
    simulation.run_for(1.5)
    assert push(simulation, successor, b"after") == b":2\r\n"
    simulation.network.heal()
    simulation.run_for(3.0)

    assert unheard[0].startswith(b"-UNKNOWN")
    for name in simulation.nodes:
        assert simulation.ask(name, Level.DC_ONE, b"LINDEX", KEY, b"1") == b"$5\r\nafter\r\n"


@pytest.mark.parametrize("level", [Level.DC_QUORUM, Level.DC_SAFE_QUORUM])
def test_a_write_that_its_successor_never_heard_of_is_not_acknowledged_later(level: Level) -> None:
    simulation, primary, successor = a_cluster()
    assert push(simulation, primary, b"before") == b":1\r\n"

    simulation.isolate([primary])
    late: list[bytes] = []
    simulation.call(primary, level, [b"RPUSH", KEY, b"late"], late.append)
    simulation.nodes[primary].pause()
    simulation.run_for(1.6)
    assert push(simulation, successor, b"after") == b":2\r\n"
    simulation.network.heal()
    simulation.nodes[primary].resume()
    simulation.run_for(4.0)

    assert simulation.ask(primary, Level.DC_QUORUM, b"LINDEX", KEY, b"1") == b"$5\r\nafter\r\n"
    assert late[0].startswith(b"-UNKNOWN")


def test_a_clock_that_leaps_holds_a_primary_up_until_the_others_have_heard() -> None:
    simulation, primary, successor = a_cluster()
    simulation.run_for(1.0)
    assert push(simulation, primary, b"before") == b":1\r\n"

    simulation.isolate([primary])
    simulation.nodes[primary].skew_ms = 60_000
    assert not push(simulation, primary, b"unheard").startswith(b":")
    simulation.run_for(1.5)
    assert push(simulation, successor, b"after") == b":2\r\n"
    simulation.network.heal()
    simulation.run_for(3.0)

    assert simulation.ask(primary, Level.DC_QUORUM, b"LINDEX", KEY, b"1") == b"$5\r\nafter\r\n"


def test_a_clock_that_leaps_does_not_outrun_every_clock_that_the_others_know() -> None:
    simulation, primary, _ = a_cluster()
    node = simulation.nodes[primary]
    node.skew_ms = -3000
    simulation.run_for(1.0)

    node.skew_ms = 3000
    simulation.run_for(0.5)

    assert abs(milliseconds(node.engine.keyspace.clock.last) - node.wall_ms()) < 100
