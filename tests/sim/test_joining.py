"""Nodes that come while others serve: nothing acknowledged is lost, and all end with one ring."""

import itertools

import pytest
from attrs import evolve

from tests.sim.joining import Writer, a_node, diverged, nobody_yet, wait_serving
from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.asking_seeds import PEER_PORT
from trio_dynomite.testing.contents import parsed
from trio_dynomite.testing.simulation import Simulation


@pytest.mark.parametrize("order", list(itertools.permutations(["a", "b", "c"])))
def test_one_seed_is_enough_in_whatever_order_they_start(order: tuple[str, ...]) -> None:
    simulation = nobody_yet()
    for name in "abc":
        simulation.add(a_node(name, f"rack-{name}"), seeds=["a"])
    for name in order:
        simulation.nodes[name].start()
        simulation.run_for(1.0)

    wait_serving(simulation)

    assert simulation.ask("c", Level.DC_QUORUM, b"SET", b"k", b"v") == b"+OK\r\n"
    assert simulation.ask("a", Level.DC_QUORUM, b"GET", b"k") == b"$1\r\nv\r\n"
    assert {len(node.engine.table.view.nodes) for node in simulation.nodes.values()} == {3}


def three_racks(seed: int = 1) -> Simulation:
    simulation = nobody_yet(seed)
    for name in "abc":
        simulation.add(a_node(name, f"rack-{name}"), seeds=["a"])
        simulation.nodes[name].start()
    wait_serving(simulation)
    return simulation


def test_a_node_joins_a_rack_in_the_middle_of_the_ring_while_all_write() -> None:
    simulation = three_racks()
    writers = [Writer(simulation, name) for name in "abc"]
    for writer in writers:
        writer.begin()
    simulation.run_for(1.0)

    simulation.add(a_node("d", "rack-b", (8191,)), seeds=["c"]).start()
    simulation.run_for(0.5)
    wait_serving(simulation)
    simulation.run_for(1.0)
    for writer in writers:
        writer.is_running = False
    simulation.run_for(3.0)

    simulation.run_for(5.0)
    assert simulation.nodes["d"].engine.keyspace.store.key_count(0, 8191) > 0
    assert simulation.nodes["d"].engine.keyspace.store.key_count(8192, 16383) == 0
    assert simulation.nodes["b"].engine.keyspace.store.key_count(0, 8191) == 0, "handed over"
    assert simulation.nodes["b"].engine.keyspace.store.key_count(8192, 16383) > 0
    for writer in writers:
        assert len(writer.kept) > 200
        assert not writer.refused
        writer.check(*"abcd")
    assert not diverged(simulation)
    assert all(node.engine.state is NodeState.NORMAL for node in simulation.nodes.values())


def test_nodes_join_both_datacenters_while_all_write() -> None:
    simulation = nobody_yet(seed=3)
    for datacenter in ("east", "west"):
        for number in (1, 2, 3):
            name = f"{datacenter}{number}"
            simulation.add(a_node(name, f"rack{number}", datacenter=datacenter), seeds=["east1"]).start()
    wait_serving(simulation)
    writers = [Writer(simulation, name) for name in ("east1", "west2")]
    for writer in writers:
        writer.begin()
    simulation.run_for(0.5)

    simulation.add(a_node("east4", "rack4", datacenter="east"), seeds=["west1"]).start()
    simulation.add(a_node("west4", "rack2", (5000,), datacenter="west"), seeds=["east1"]).start()
    simulation.run_for(0.5)
    wait_serving(simulation)
    for writer in writers:
        writer.is_running = False
    simulation.run_for(3.0)

    for writer in writers:
        assert not writer.refused
        writer.check("east1", "east4", "west2", "west4")
    assert not diverged(simulation)


def four_nodes() -> Simulation:
    """Three racks, of which the second is shared by two nodes."""
    simulation = three_racks()
    simulation.add(a_node("d", "rack-b", (8191,)), seeds=["a"]).start()
    simulation.run_for(0.5)
    wait_serving(simulation)
    return simulation


def test_who_is_down_and_forgotten_leaves_its_part_to_its_rack() -> None:
    simulation = four_nodes()
    writer = Writer(simulation, "c")
    writer.begin()
    simulation.run_for(0.5)
    simulation.crash("d")
    simulation.run_for(1.5)
    peer = simulation.nodes["a"].engine.roster.peers["d"]
    assert len(peer.hints)

    members = simulation.nodes["a"].engine.roster.members
    simulation.nodes["a"].turn(lambda: members.forget("d"))
    del simulation.nodes["d"]
    simulation.run_for(0.1)
    wait_serving(simulation)
    writer.is_running = False
    simulation.run_for(3.0)

    assert not peer.hints
    assert all("d" not in node.engine.roster.peers for node in simulation.nodes.values())
    assert simulation.nodes["b"].engine.keyspace.store.key_count(0, 8191) > 0
    writer.check("a", "b", "c")
    assert not diverged(simulation)


def test_who_is_up_is_not_forgotten_and_who_was_cut_off_contradicts() -> None:
    simulation = four_nodes()
    node_a = simulation.nodes["a"]
    members = node_a.engine.roster.members
    assert members.why_keep("d") == "d is not known to be down: stop it first"
    node_a.turn(lambda: members.forget("d"))
    assert "d" in node_a.engine.roster.peers

    simulation.isolate(["d"])
    simulation.run_for(2.0)
    node_a.turn(lambda: members.forget("d"))
    simulation.run_for(1.0)
    assert "d" not in simulation.nodes["c"].engine.roster.peers
    simulation.network.heal()
    simulation.run_for(3.0)
    wait_serving(simulation)

    assert all("d" in node.engine.table.view.nodes for node in simulation.nodes.values())
    assert simulation.ask("d", Level.DC_QUORUM, b"SET", b"k", b"v") == b"+OK\r\n"


def test_an_old_rumour_does_not_bring_back_who_was_forgotten_and_a_new_life_does() -> None:
    simulation = four_nodes()
    node_a, node_d = simulation.nodes["a"], simulation.nodes["d"]
    rumour = node_a.engine.roster.members.known["d"]
    simulation.crash("d")
    simulation.run_for(1.5)
    node_a.turn(lambda: node_a.engine.roster.members.forget("d"))
    simulation.run_for(0.5)

    node_a.turn(lambda: node_a.engine.roster.members.hear([rumour]))
    simulation.run_for(3.0)
    assert all("d" not in simulation.nodes[name].engine.table.view.nodes for name in "abc")

    node_d.start()
    simulation.run_for(0.5)
    wait_serving(simulation)
    assert all("d" in node.engine.table.view.nodes for node in simulation.nodes.values())


def test_a_newcomer_with_a_token_that_is_taken_is_refused_and_does_not_serve() -> None:
    simulation = three_racks()
    simulation.add(a_node("d", "rack-b"), seeds=["a"]).start()
    simulation.run_for(6.0)

    assert simulation.nodes["d"].engine.state is NodeState.JOINING
    assert any("token 16383 in dc1/rack-b is b's" in note for note in simulation.notes)
    assert len(simulation.nodes["a"].engine.table.view.nodes) == 3


def test_two_that_served_alone_are_one_cluster_with_all_they_had_once_they_meet() -> None:
    simulation = nobody_yet()
    for name in "ab":
        simulation.add(a_node(name, f"rack-{name}"), seeds=[]).start()
    simulation.run_for(4.0)
    for name in "ab":
        assert simulation.ask(name, Level.DC_QUORUM, b"SET", name.encode(), b"mine") == b"+OK\r\n"

    members = simulation.nodes["b"].engine.roster.members
    simulation.nodes["b"].turn(lambda: members.meet(("a", PEER_PORT)))
    simulation.run_for(1.0)
    wait_serving(simulation)
    simulation.run_for(1.0)

    for name in "ab":
        assert simulation.ask(name, Level.DC_QUORUM, b"GET", b"a") == b"$4\r\nmine\r\n"
        assert simulation.ask(name, Level.DC_QUORUM, b"GET", b"b") == b"$4\r\nmine\r\n"
    assert not diverged(simulation)


def test_a_node_that_was_given_another_address_is_found_there() -> None:
    simulation = three_racks()
    before = simulation.nodes["a"].engine.table.view
    simulation.crash("c")
    moved = evolve(simulation.nodes["c"].engine.roster.members.own, host="c-elsewhere", incarnation=1 << 50)
    node_a = simulation.nodes["a"]
    node_a.turn(lambda: node_a.engine.roster.members.hear([moved]))
    simulation.run_for(0.1)

    view = simulation.nodes["b"].engine.table.view
    assert view.nodes["c"].host == "c-elsewhere"
    assert simulation.nodes["b"].engine.roster.peers["c"].node.host == "c-elsewhere"
    assert view.ring == before.ring
    assert node_a.engine.table.view.epoch == before.epoch + 1
    assert simulation.nodes["a"].engine.is_warm


@pytest.mark.parametrize("command", [b"SCAN", b"KEYS", b"DBSIZE"])
def test_a_walk_over_all_keys_goes_on_while_the_ring_changes(command: bytes) -> None:
    simulation = three_racks()
    keys = {b"k:%d" % number for number in range(500)}
    for key in keys:
        assert simulation.ask("a", Level.DC_QUORUM, b"SET", key, b"v") == b"+OK\r\n"
    simulation.add(a_node("d", "rack-b", (8191,)), seeds=["a"]).start()

    found: set[bytes] = set()
    cursor = b"0"
    for _ in range(100):
        if command == b"SCAN":
            cursor, keys_found = parsed(simulation.ask("b", Level.DC_ONE, b"SCAN", cursor, b"COUNT", b"20"))
            found.update(keys_found)
            if cursor == b"0":
                break
        elif command == b"KEYS":
            assert set(parsed(simulation.ask("b", Level.DC_ONE, b"KEYS", b"*"))) == keys
        else:
            assert parsed(simulation.ask("b", Level.DC_ONE, b"DBSIZE")) == len(keys)
        simulation.run_for(0.005)
    assert command != b"SCAN" or found == keys
    assert simulation.nodes["d"].engine.state is NodeState.NORMAL


def test_who_waits_for_a_key_is_served_by_its_new_primary() -> None:
    simulation = three_racks()
    replies: dict[str, bytes] = {}
    for number in range(12):
        key, name = b"queue:%d" % number, "abc"[number % 3]
        simulation.call(
            name,
            Level.DC_QUORUM,
            [b"BLPOP", key, b"other:%d" % number, b"0"],
            lambda reply, key=key: replies.update({key.decode(): reply}),  # type: ignore[misc]
        )
    simulation.run_for(0.5)

    simulation.add(a_node("d", "rack-b", (8191,)), seeds=["c"]).start()
    simulation.add(a_node("e", "rack-e"), seeds=["b"]).start()
    simulation.run_for(1.0)
    wait_serving(simulation)
    for number in range(12):
        assert simulation.ask("a", Level.DC_QUORUM, b"RPUSH", b"queue:%d" % number, b"x") == b":1\r\n"
    simulation.run_for(2.0)

    assert len(replies) == 12
    assert all(b"queue:" in reply for reply in replies.values())
