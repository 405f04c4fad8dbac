"""A node that starts empty learns a part from each of the others, neighbours first, nothing twice."""

from collections.abc import Iterator

import pytest

from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

KEYS, VALUE_BYTES = 2000, 1000


def test_no_record_is_learned_from_two_peers() -> None:
    simulation = Simulation(layout([1, 1, 1]), seed=5)
    simulation.start()
    first, _, late = simulation.nodes
    for number in range(KEYS):
        simulation.call(
            first, Level.DC_QUORUM, [b"SET", b"key:%d" % number, b"v" * VALUE_BYTES], lambda reply: None
        )
    simulation.run_for(2.0)
    simulation.crash(late)
    simulation.run_for(2.0)
    before = simulation.network.sent
    simulation.restart(late)
    simulation.run_for(5.0)

    store = simulation.nodes[late].engine.keyspace.store
    assert store.key_count(0, len(store.records) - 1) == KEYS
    a_key = (simulation.network.sent - before) / KEYS
    assert VALUE_BYTES < a_key < 1.6 * VALUE_BYTES


def fill(simulation: Simulation, keys: int = KEYS) -> None:
    for number in range(keys):
        request = [b"SET", b"key:%d" % number, b"v" * VALUE_BYTES]
        simulation.call(min(simulation.nodes), Level.DC_QUORUM, request, lambda reply: None)
    simulation.run_for(3.0)


def states_until_normal(simulation: Simulation, name: str) -> Iterator[NodeState]:
    """The states that a node goes through, each once."""
    last = None
    for _ in range(2000):
        state = simulation.nodes[name].engine.state
        if state is not last:
            yield state
        last = state
        if state is NodeState.NORMAL:
            return
        simulation.run_for(0.005)


def test_it_copies_from_its_own_datacenter() -> None:
    simulation = Simulation(layout([1, 1, 1], [1, 1, 1]), seed=5)
    simulation.start()
    fill(simulation)
    late, *others = sorted(simulation.nodes, reverse=True)
    simulation.crash(late)
    simulation.run_for(2.0)
    simulation.restart(late)
    simulation.run_for(5.0)

    assert simulation.nodes[late].engine.state is NodeState.NORMAL
    lines = [note for note in simulation.notes if "sync.done" in note and late in note.split()[1]]
    assert (
        sum([f"'peer': '{name}'" in line for line in lines for name in others if name.startswith("d1")]) == 0
    )
    assert len(lines) == 2


@pytest.mark.parametrize("is_restored", [False, True])
def test_its_state_tells_what_it_does_and_meanwhile_it_serves_no_reads(is_restored: bool) -> None:
    simulation = Simulation(layout([1, 1, 1]), seed=5)
    simulation.start()
    fill(simulation, 6000)
    late = max(simulation.nodes)
    simulation.crash(late)
    simulation.run_for(2.0)
    simulation.restart(late)
    engine = simulation.nodes[late].engine
    engine.keyspace.store.is_restored = is_restored
    seen = []
    for state in states_until_normal(simulation, late):
        seen.append(state)
        assert state is NodeState.NORMAL or not any(route.serves for route in engine.table.routes)

    copying = NodeState.RESUMING if is_restored else NodeState.WRITES_ONLY
    assert seen == [NodeState.JOINING, copying, NodeState.NORMAL]
    assert engine.keyspace.store.key_count(0, 16383) == 6000


def test_it_takes_writes_meanwhile_and_goes_on_where_it_was_when_a_peer_goes_away() -> None:
    simulation = Simulation(layout([1, 1, 1]), seed=5)
    simulation.start()
    fill(simulation)
    first, second, late = sorted(simulation.nodes)
    simulation.crash(late)
    simulation.run_for(2.0)
    simulation.restart(late)
    states = states_until_normal(simulation, late)
    assert [next(states), next(states)] == [NodeState.JOINING, NodeState.WRITES_ONLY]
    simulation.reset_connections(late, second)
    replies: list[bytes] = []
    simulation.call(first, Level.DC_QUORUM, [b"SET", b"meanwhile", b"v"], replies.append)
    simulation.run_for(5.0)

    assert replies == [b"+OK\r\n"]
    assert simulation.nodes[late].engine.state is NodeState.NORMAL
    assert simulation.nodes[late].engine.keyspace.store.key_count(0, 16383) == KEYS + 1
