"""Three racks without stamps in virtual time: writes arrive everywhere, and what was missed is absent."""

import random

import pytest

from tests.unit.plain_server import TinyServer
from trio_dynomite.coordinator.survey import FLUSH, perform
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

NAMES = ("d1r1n1", "d1r2n1", "d1r3n1")
KEYS = [b"k%d" % number for number in range(12)]


def server_of(simulation: Simulation, seed: str) -> TinyServer:
    """A server that answers in order, each time after a while."""
    rng, timeline = random.Random(seed), simulation.timeline
    free_s = 0.0

    def later(act: object) -> None:
        nonlocal free_s
        free_s = max(free_s, timeline.now_s + rng.uniform(0.0001, 0.002))
        timeline.at(free_s, act)  # type: ignore[arg-type]

    return TinyServer(later)


def cluster(seed: int) -> Simulation:
    simulation = Simulation(layout([1, 1, 1]), seed)
    for node in simulation.nodes.values():
        node.server = server_of(simulation, f"{node.name} {seed}")  # type: ignore[assignment]
    simulation.start()
    return simulation


def held(simulation: Simulation, name: str) -> dict[bytes, bytes]:
    server = simulation.nodes[name].server
    assert isinstance(server, TinyServer)
    return server.held


def assert_alike(simulation: Simulation) -> None:
    """No two servers have different values of a key."""
    for key in KEYS:
        values = {held(simulation, name)[key] for name in NAMES if key in held(simulation, name)}
        assert len(values) <= 1, (key, values)


def write_some(simulation: Simulation, rng: random.Random, count: int) -> None:
    """Writes through any node, many under way at once."""
    for number in range(count):
        key = rng.choice(KEYS)
        args = rng.choice([[b"SET", key, b"%d" % number], [b"INCR", key], [b"DEL", key]])
        simulation.call(rng.choice(NAMES), Level.DC_ONE, args, lambda reply: None)
        simulation.run_for(rng.uniform(0, 0.002))


@pytest.mark.parametrize("level", [Level.DC_ONE, Level.DC_QUORUM])
def test_writes_are_answered_and_arrive_everywhere(level: Level) -> None:
    simulation = cluster(1)
    for name in NAMES:
        for key in KEYS:
            assert simulation.ask(name, level, b"SET", key, b"1") == b"+OK\r\n"
            assert simulation.ask(name, level, b"INCR", key) == b":2\r\n"
            have = sum(held(simulation, other).get(key) == b"2" for other in NAMES)
            assert have >= (2 if level else 1)
    simulation.run_for(0.1)
    assert all(held(simulation, name) == dict.fromkeys(KEYS, b"2") for name in NAMES)
    assert simulation.ask(NAMES[0], Level.DC_ONE, b"MGET", *KEYS) == b"*12\r\n" + b"$1\r\n2\r\n" * 12


def test_an_acknowledgement_waits_for_the_server() -> None:
    simulation = cluster(2)
    stuck = [simulation.nodes[name].server for name in NAMES[1:]]
    simulation.run_for(0.1)
    for server in stuck:
        assert isinstance(server, TinyServer)
        server.later = lambda act: None
    replies: list[bytes] = []
    leader = simulation.nodes[NAMES[0]].engine
    key = next(key for key in KEYS if leader.table.of_key(key).leads)
    simulation.call(NAMES[0], Level.DC_QUORUM, [b"SET", key, b"1"], replies.append)
    simulation.run_for(0.5)
    assert held(simulation, NAMES[0]) == {key: b"1"}
    assert not replies
    simulation.run_for(3)
    assert replies[0].startswith(b"-UNKNOWN")


@pytest.mark.parametrize("seed", range(4))
def test_a_node_that_is_cut_off_has_nothing_wrong_afterwards(seed: int) -> None:
    simulation, rng = cluster(seed), random.Random(seed)
    write_some(simulation, rng, 40)
    for name in rng.sample(NAMES, 2):
        simulation.isolate([name])
        write_some(simulation, rng, 60)
        simulation.run_for(rng.choice([0.1, 3.0]))
        write_some(simulation, rng, 60)
        simulation.network.heal()
        simulation.run_for(4.0)
        write_some(simulation, rng, 20)
    simulation.run_for(4.0)
    assert_alike(simulation)


def test_a_node_that_missed_more_than_hints_tell_forgets_everything() -> None:
    simulation = cluster(5)
    for key in KEYS:
        simulation.ask(NAMES[0], Level.DC_ONE, b"SET", key, b"old")
    simulation.isolate([NAMES[2]])
    simulation.run_for(3)
    for name in NAMES[:2]:
        simulation.nodes[name].engine.roster.peers[NAMES[2]].hints.bytes_max = 0
    simulation.ask(NAMES[0], Level.DC_ONE, b"SET", KEYS[0], b"new")
    assert len(held(simulation, NAMES[2])) == len(KEYS)
    simulation.network.heal()
    simulation.run_for(4.0)
    assert held(simulation, NAMES[2]) == {}


def test_a_flush_takes_what_was_under_way_before_it_everywhere() -> None:
    simulation, said = cluster(6), list[bytes]()
    node = simulation.nodes[NAMES[0]]
    table = node.engine.table
    key = next(key for key in KEYS if table.of_key(key).leads)
    range_ = next(each for each in table.view.ranges if table.of_position(each.first).leads)
    simulation.call(NAMES[0], Level.DC_ONE, [b"SET", key, b"1"], said.append)
    node.turn(lambda: perform(node.engine, [FLUSH, range_.first, range_.last, 0], said.append))
    simulation.run_for(0.5)
    assert said == [b"+OK\r\n"] * 2
    assert all(held(simulation, name) == {} for name in NAMES)


def test_a_flush_of_all_and_writes_beside_it_leave_nothing_wrong() -> None:
    simulation, rng, done = cluster(7), random.Random(7), list[bytes]()
    write_some(simulation, rng, 30)
    simulation.run_for(0.1)
    simulation.call(NAMES[0], Level.DC_ONE, [b"FLUSHALL"], done.append)
    while not done:
        write_some(simulation, rng, 1)
    simulation.run_for(0.5)
    assert_alike(simulation)


def test_what_builds_on_a_value_that_is_missing_makes_no_part_of_one() -> None:
    simulation = cluster(8)
    leader = simulation.nodes[NAMES[0]].engine
    key = next(key for key in KEYS if leader.table.of_key(key).leads)
    for _ in range(3):
        simulation.ask(NAMES[0], Level.DC_ONE, b"INCR", key)
    simulation.run_for(0.1)
    del simulation.nodes[NAMES[1]].server.held[key]  # type: ignore[union-attr]
    assert simulation.ask(NAMES[1], Level.DC_ONE, b"INCR", key) == b":4\r\n"
    simulation.run_for(0.1)
    assert [held(simulation, name).get(key) for name in NAMES] == [b"4", None, b"4"]
    del simulation.nodes[NAMES[0]].server.held[key]  # type: ignore[union-attr]
    assert simulation.ask(NAMES[1], Level.DC_ONE, b"INCR", key) == b":1\r\n"
    simulation.run_for(0.1)
    assert [held(simulation, name).get(key) for name in NAMES] == [b"1"] * 3


def test_what_a_node_has_of_slots_that_are_its_own_again_goes() -> None:
    simulation = cluster(9)
    simulation.ask(NAMES[0], Level.DC_ONE, b"SET", KEYS[0], b"old")
    simulation.run_for(0.1)
    engine = simulation.nodes[NAMES[1]].engine
    simulation.nodes[NAMES[1]].turn(engine.repair.ring_changed)
    simulation.run_for(0.1)
    assert held(simulation, NAMES[1]) == {KEYS[0]: b"old"}
    engine.replica.regained.add(1)
    simulation.nodes[NAMES[1]].turn(engine.repair.ring_changed)
    simulation.run_for(0.1)
    assert held(simulation, NAMES[1]) == {}


def test_a_crashed_node_is_empty_and_leads_again() -> None:
    simulation = cluster(7)
    for key in KEYS:
        simulation.ask(NAMES[0], Level.DC_ONE, b"SET", key, b"old")
    simulation.crash(NAMES[0])
    simulation.run_for(3)
    simulation.restart(NAMES[0])
    simulation.run_for(3)
    assert held(simulation, NAMES[0]) == {}
    assert simulation.ask(NAMES[0], Level.DC_ONE, b"GET", KEYS[0]) == b"$-1\r\n"
    assert simulation.ask(NAMES[1], Level.DC_ONE, b"GET", KEYS[0]) == b"$3\r\nold\r\n"
    for key in KEYS:
        assert simulation.ask(NAMES[1], Level.DC_ONE, b"SET", key, b"new") == b"+OK\r\n"
    simulation.run_for(0.5)
    assert all(held(simulation, name) == dict.fromkeys(KEYS, b"new") for name in NAMES)
