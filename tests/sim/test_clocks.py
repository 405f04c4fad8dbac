"""A clock that is wrong (anomaly A10): its node steps back, and no stamp of its time gets anywhere."""

import pytest

from trio_dynomite.config.settings import Repair
from trio_dynomite.data.record import newest
from trio_dynomite.data.stamp import milliseconds
from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

HOUR_MS = 3_600_000
KEYS = [b"key:%d" % number for number in range(60)]


def a_cluster(*racks: int) -> Simulation:
    simulation = Simulation(layout(list(racks), drift_s=1.0), seed=3)
    simulation.start()
    return simulation


def write(simulation: Simulation, value: bytes) -> list[bytes]:
    """Every key at a quorum, through every node in turn; the replies."""
    replies: list[bytes] = []
    names = sorted(simulation.nodes)
    for at, key in enumerate(KEYS):
        request = [b"SET", key, value, b"PX", b"600000"]
        simulation.call(names[at % len(names)], Level.DC_QUORUM, request, replies.append)
    simulation.run_for(4.0)
    return replies


def newest_ms(simulation: Simulation) -> int:
    """The time of the newest stamp that any node has."""
    stores = [node.engine.keyspace.store for node in simulation.nodes.values()]
    return max(
        [
            milliseconds(newest(record))
            for store in stores
            for records in store.records
            for record in records.values()
        ]
    )


def true_ms(simulation: Simulation) -> int:
    return min([node.wall_ms() for node in simulation.nodes.values() if not node.skew_ms])


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS, 3000])
def test_a_node_whose_clock_jumps_neither_leads_nor_serves_until_it_is_right_again(jump_ms: int) -> None:
    simulation = a_cluster(1, 1, 1)
    assert write(simulation, b"before") == [b"+OK\r\n"] * len(KEYS)
    victim = simulation.nodes[min(simulation.nodes)]

    victim.skew_ms = jump_ms
    replies = write(simulation, b"during")

    assert set(replies) == {b"+OK\r\n"}
    assert victim.engine.state is NodeState.WRITES_ONLY
    assert not any(route.is_ready for route in victim.engine.table.routes)
    assert victim.engine.roster.clocks.is_off
    assert newest_ms(simulation) < true_ms(simulation) + 1000
    assert any("clock.off" in note for note in simulation.notes)

    victim.skew_ms = 0
    simulation.run_for(5.0)
    assert victim.engine.state is NodeState.NORMAL
    assert write(simulation, b"after") == [b"+OK\r\n"] * len(KEYS)
    assert newest_ms(simulation) < true_ms(simulation) + 1000
    stores = [node.engine.keyspace.store for node in simulation.nodes.values()]
    assert all(store.get(store.slot_of(key), key)[1] == b"after" for store in stores for key in KEYS)


def test_what_was_written_by_a_wrong_clock_can_be_overwritten() -> None:
    """Of two nodes nobody knows which is wrong: both follow the one that is ahead."""
    simulation = a_cluster(1, 1)
    first, second = simulation.nodes.values()
    first.skew_ms = HOUR_MS
    simulation.run_for(1.0)
    assert write(simulation, b"ahead") == [b"+OK\r\n"] * len(KEYS)

    first.skew_ms = 0
    simulation.run_for(3.0)

    assert write(simulation, b"now") == [b"+OK\r\n"] * len(KEYS)
    for node in (first, second):
        store = node.engine.keyspace.store
        assert all(store.get(store.slot_of(key), key)[1] == b"now" for key in KEYS)


def test_a_node_that_starts_with_a_wrong_clock_does_not_serve() -> None:
    simulation = a_cluster(1, 1, 1)
    name = min(simulation.nodes)
    simulation.crash(name)
    simulation.run_for(2.0)
    simulation.nodes[name].skew_ms = HOUR_MS
    simulation.restart(name)
    simulation.run_for(5.0)

    assert simulation.nodes[name].engine.state.is_warming
    assert set(write(simulation, b"v")) <= {b"+OK\r\n"}
    assert newest_ms(simulation) < true_ms(simulation) + 1000


def test_what_a_node_gives_once_its_clock_was_put_right_is_of_the_present() -> None:
    """It started with a wrong one, and had not served: no stamp of that time is left in it."""
    simulation = a_cluster(1, 1, 1)
    name = min(simulation.nodes)
    simulation.crash(name)
    simulation.run_for(2.0)
    simulation.nodes[name].skew_ms = 10 * 365 * 24 * HOUR_MS
    simulation.restart(name)
    simulation.run_for(3.0)
    simulation.nodes[name].skew_ms = 0
    simulation.run_for(3.0)

    assert simulation.nodes[name].engine.state is NodeState.NORMAL
    assert set(write(simulation, b"v")) == {b"+OK\r\n"}
    assert newest_ms(simulation) < true_ms(simulation) + 1000


@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_was_ahead_for_a_while_has_let_nothing_expire(restarts: bool) -> None:
    """An expired record has the digest of a living one: nobody would ever tell what it was."""
    simulation = Simulation(layout([1, 1, 1], drift_s=1.0), seed=3)
    simulation.give_disks()
    simulation.start()
    write(simulation, b"before")
    simulation.ask("d1r1n1", Level.DC_QUORUM, b"HSET", b"hash", b"field", b"v")
    simulation.ask("d1r1n1", Level.DC_QUORUM, b"HPEXPIRE", b"hash", b"600000", b"FIELDS", b"1", b"field")
    victim = simulation.nodes["d1r2n1"]

    if restarts:
        simulation.crash(victim.name)
    victim.skew_ms = 10 * HOUR_MS
    if restarts:
        simulation.restart(victim.name)
    simulation.run_for(3.0)
    victim.skew_ms = 0
    simulation.run_for(3.0)

    assert victim.engine.state is NodeState.NORMAL
    for key in KEYS:
        assert simulation.ask(victim.name, Level.DC_ONE, b"GET", key) == b"$6\r\nbefore\r\n"
    assert simulation.ask(victim.name, Level.DC_ONE, b"HGET", b"hash", b"field") == b"$1\r\nv\r\n"


def test_a_clock_that_leaps_ahead_makes_no_cutoff_of_that_time() -> None:
    """Of two nodes neither knows who is wrong; what nobody has heard of yet must not be taken for old."""
    simulation = Simulation(layout([1, 1], repair=Repair(interval=0.1, tombstone_grace=0.5)), seed=3)
    simulation.start()
    write(simulation, b"v")
    for key in KEYS:
        simulation.ask("d1r1n1", Level.DC_QUORUM, b"DEL", key)
    node = simulation.nodes["d1r1n1"]
    collection = node.engine.repair.collection
    collection.round, collection._next_s = None, 0.0

    node.skew_ms = HOUR_MS
    node.turn(node.engine.tick)

    assert collection.round is not None
    assert milliseconds(collection.round.cutoff) < true_ms(simulation)
