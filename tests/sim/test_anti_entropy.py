"""Anti-entropy: replicas that differ though nobody noticed agree again, and no reader sees an older value."""

import pytest

from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import SimNode, Simulation

KEYS = [b"key:%d" % number for number in range(300)]


def a_cluster(*racks: list[int], interval_s: float = 1.0) -> Simulation:
    simulation = Simulation(layout(*racks), seed=1)
    simulation.start()
    for node in simulation.nodes.values():
        node.engine.repair.interval_s = interval_s
    return simulation


def forget(node: SimNode, keys: list[bytes]) -> None:
    """Lose records behind the node's back, as a lost frame would."""
    store = node.engine.keyspace.store
    for key in keys:
        slot = store.slot_of(key)
        record = store.records[slot].pop(key, None)
        if record is not None:
            store._rebuild(slot, -1)


def holds(node: SimNode) -> dict[bytes, object]:
    store = node.engine.keyspace.store
    return {key: store.get(store.slot_of(key), key) for key in KEYS}


def fill(simulation: Simulation) -> None:
    names = sorted(simulation.nodes)
    for at, key in enumerate(KEYS):
        simulation.call(names[at % len(names)], Level.DC_QUORUM, [b"SET", key, b"v"], lambda reply: None)
    simulation.run_for(2.0)


@pytest.mark.parametrize("racks", [([1, 1, 1],), ([1, 1], [1, 1]), ([1, 2, 1],)])
def test_what_was_lost_silently_comes_back_from_all_sides(racks: tuple[list[int], ...]) -> None:
    simulation = a_cluster(*racks)
    fill(simulation)
    before = {name: holds(node) for name, node in simulation.nodes.items()}
    for at, node in enumerate(simulation.nodes.values()):
        forget(node, KEYS[at * 50 : at * 50 + 80])
    assert any(holds(node) != before[name] for name, node in simulation.nodes.items())

    simulation.run_for(30.0)

    assert {name: holds(node) for name, node in simulation.nodes.items()} == before
    assert sum([node.engine.repair.repaired for node in simulation.nodes.values()]) >= 80


def test_replicas_that_agree_say_so_and_move_nothing() -> None:
    simulation = a_cluster([1, 1, 1])
    fill(simulation)
    simulation.run_for(5.0)
    for node in simulation.nodes.values():
        assert set(node.engine.repair.agreed_s) == set(node.engine.roster.peers)
        assert node.engine.repair.repaired == 0


def test_under_load_nothing_that_is_only_under_way_is_moved() -> None:
    simulation = a_cluster([1, 1, 1], interval_s=0.3)
    names = sorted(simulation.nodes)
    for number in range(3000):
        request = [b"SET", KEYS[number % len(KEYS)], b"%d" % number]
        simulation.call(names[number % 3], Level.DC_QUORUM, request, lambda reply: None)
        simulation.run_for(0.003)
    moved = sum([node.engine.repair.repaired for node in simulation.nodes.values()])
    assert sum([node.engine.repair.compared for node in simulation.nodes.values()]) >= 9
    assert moved < 100


def test_a_flush_that_one_has_missed_reaches_it() -> None:
    simulation = a_cluster([1, 1, 1])
    fill(simulation)
    first, *others = simulation.nodes.values()
    stamp = first.engine.keyspace.clock.next()
    for node in others:
        node.engine.keyspace.store.flush(0, 16383, stamp)
    simulation.run_for(15.0)
    assert first.engine.keyspace.store.key_count(0, 16383) == 0


def test_a_digest_that_drifted_is_found_and_mended() -> None:
    simulation = a_cluster([1, 1, 1])
    fill(simulation)
    node = next(iter(simulation.nodes.values()))
    store = node.engine.keyspace.store
    slot = store.slot_of(KEYS[0])
    right = store.sums[slot]
    store.sums[slot] += 1
    node.engine.repair._first_slot = slot - 1
    simulation.run_for(1.0)
    assert store.sums[slot] == right
    assert node.engine.repair.drifted == 1


def test_a_repair_that_is_asked_for_is_made_at_once_on_every_node() -> None:
    simulation = a_cluster([1, 1, 1], interval_s=0)
    fill(simulation)
    before = {name: holds(node) for name, node in simulation.nodes.items()}
    for at, node in enumerate(simulation.nodes.values()):
        forget(node, KEYS[at * 50 : at * 50 + 80])
    engines = [node.engine for node in simulation.nodes.values()]
    for engine in engines:
        assert engine.repair.repair(None) == 2

    simulation.run_for(12.0)

    assert {name: holds(node) for name, node in simulation.nodes.items()} == before
    assert [engine.repair.compared for engine in engines] == [2, 2, 2]
    assert not any(engine.repair.urgent or engine.repair.comparison for engine in engines)


def test_a_repair_of_some_slots_leaves_the_others_and_counts_as_no_agreement() -> None:
    simulation = a_cluster([1, 1, 1], interval_s=0)
    fill(simulation)
    first, *_ = simulation.nodes.values()
    forget(first, KEYS)
    store = first.engine.keyspace.store
    some = range(8192)
    first.engine.repair.repair(some)

    simulation.run_for(6.0)

    known = [key for key in KEYS if key in store.records[store.slot_of(key)]]
    assert known == [key for key in KEYS if store.slot_of(key) in some]
    assert not first.engine.repair.agreed_s
