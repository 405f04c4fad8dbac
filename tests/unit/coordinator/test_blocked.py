"""Blocked commands on a simulated cluster: woken from anywhere, in order, once, whoever goes away."""

from collections.abc import Iterator

import pytest

from trio_dynomite.coordinator.several import submit_transaction
from trio_dynomite.model import Level
from trio_dynomite.testing.client import Client
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

NODES = ["d1r1n1", "d1r2n1", "d1r3n1"]
KEYS = [b"a", b"b", b"c", b"d"]
QUORUM = Level.DC_QUORUM


@pytest.fixture
def cluster() -> Iterator[Simulation]:
    simulation = Simulation(layout([1, 1, 1]), 1)
    simulation.start()
    yield simulation
    simulation.run_for(3)
    for node in simulation.nodes.values():
        if node.is_up:
            assert not node.engine.blocking.room.queues
            assert not node.engine.blocking.blocked
            assert not node.engine.blocking._guests


def wait(cluster: Simulation, name: str, *args: bytes, resp: int = 2) -> list[bytes]:
    """Give a blocking command; the list that will hold its reply."""
    replies: list[bytes] = []
    cluster.call(name, QUORUM, list(args), replies.append)
    cluster.run_for(0.05)
    return replies


def leader_of(cluster: Simulation, key: bytes) -> str:
    return next(name for name in NODES if cluster.nodes[name].engine.table.of_key(key).leads)


@pytest.mark.parametrize("waiter", NODES)
@pytest.mark.parametrize("writer", NODES)
def test_a_write_through_any_node_wakes_a_client_of_any_other(
    cluster: Simulation, waiter: str, writer: str
) -> None:
    replies = wait(cluster, waiter, b"BLPOP", b"k", b"0")
    assert replies == []
    assert cluster.ask(writer, QUORUM, b"RPUSH", b"k", b"x", b"y") == b":2\r\n"
    cluster.run_for(0.1)
    assert replies == [b"*2\r\n$1\r\nk\r\n$1\r\nx\r\n"]
    assert cluster.ask(writer, QUORUM, b"LRANGE", b"k", b"0", b"-1") == b"*1\r\n$1\r\ny\r\n"


def test_first_come_first_served_wherever_they_wait(cluster: Simulation) -> None:
    leader = leader_of(cluster, b"k")
    others = [name for name in NODES if name != leader]
    order = [others[0], leader, others[1], others[0], leader]
    waiting = [wait(cluster, name, b"BLPOP", b"k", b"0") for name in order]
    for number in range(5):
        cluster.ask(leader, QUORUM, b"RPUSH", b"k", b"%d" % number)
    cluster.run_for(0.3)
    assert [replies[0][-3:-2] for replies in waiting] == [b"0", b"1", b"2", b"3", b"4"]


def test_one_push_of_many_serves_many(cluster: Simulation) -> None:
    waiting = [wait(cluster, name, b"BLPOP", b"k", b"0") for name in NODES]
    cluster.ask(NODES[0], QUORUM, b"RPUSH", b"k", b"0", b"1", b"2", b"3")
    cluster.run_for(0.3)
    assert [replies[0][-3:-2] for replies in waiting] == [b"0", b"1", b"2"]
    assert cluster.ask(NODES[1], QUORUM, b"LLEN", b"k") == b":1\r\n"


@pytest.mark.parametrize("name", NODES)
def test_a_wait_ends_at_its_timeout(cluster: Simulation, name: str) -> None:
    replies = wait(cluster, name, b"BLPOP", b"k", b"0.5")
    moved = wait(cluster, name, b"BLMOVE", b"k", b"k", b"LEFT", b"LEFT", b"0.5")
    cluster.run_for(0.3)
    assert replies == moved == []
    cluster.run_for(0.4)
    assert (replies, moved) == ([b"*-1\r\n"], [b"*-1\r\n"])
    cluster.ask(name, QUORUM, b"RPUSH", b"k", b"x")
    assert cluster.ask(name, QUORUM, b"LLEN", b"k") == b":1\r\n"


@pytest.mark.parametrize("name", NODES)
def test_a_client_that_has_gone_takes_nothing(cluster: Simulation, name: str) -> None:
    node = cluster.nodes[name]
    wait(cluster, name, b"BLPOP", b"k", b"0")
    second = wait(cluster, NODES[0], b"BLPOP", b"k", b"0")
    owner = next(iter(node.engine.blocking.blocked))
    node.turn(lambda: node.engine.blocking.gone(owner))
    cluster.ask(NODES[1], QUORUM, b"RPUSH", b"k", b"x")
    cluster.run_for(0.3)
    assert second == [b"*2\r\n$1\r\nk\r\n$1\r\nx\r\n"]


@pytest.mark.parametrize("as_error", [False, True])
def test_a_client_can_be_unblocked(cluster: Simulation, as_error: bool) -> None:
    replies = wait(cluster, NODES[0], b"BRPOP", b"k", b"0")
    engine = cluster.nodes[NODES[0]].engine
    owner = next(iter(engine.blocking.blocked))
    assert engine.blocking.unblock(owner, as_error=as_error)
    assert not engine.blocking.unblock(owner, as_error=as_error)
    assert replies[0].startswith(b"-UNBLOCKED" if as_error else b"*-1")


def test_keys_of_several_primaries_are_waited_for_together(cluster: Simulation) -> None:
    assert len({leader_of(cluster, key) for key in KEYS}) > 1
    for number, key in enumerate(KEYS):
        replies = wait(cluster, NODES[number % 3], b"BLPOP", *KEYS, b"0")
        assert replies == []
        cluster.ask(NODES[0], QUORUM, b"RPUSH", key, b"x")
        cluster.run_for(0.2)
        assert replies == [b"*2\r\n$1\r\n" + key + b"\r\n$1\r\nx\r\n"]
    cluster.ask(NODES[0], QUORUM, b"RPUSH", b"c", b"there")
    assert b"there" in wait(cluster, NODES[1], b"BLPOP", *KEYS, b"0")[0]


def test_other_types_and_commands_block_too(cluster: Simulation) -> None:
    lowest = wait(cluster, NODES[0], b"BZPOPMIN", b"z", b"0")
    several = wait(cluster, NODES[1], b"BLMPOP", b"0", b"1", b"l", b"LEFT", b"COUNT", b"2")
    read = wait(cluster, NODES[2], b"XREAD", b"BLOCK", b"0", b"STREAMS", b"s", b"$")
    chained = wait(cluster, NODES[0], b"BLMOVE", b"m", b"l", b"LEFT", b"RIGHT", b"0")
    if chained:
        assert chained[0].startswith(b"-CROSSSLOT")
    cluster.ask(NODES[1], QUORUM, b"ZADD", b"z", b"1", b"one")
    cluster.ask(NODES[1], QUORUM, b"RPUSH", b"l", b"1", b"2", b"3")
    cluster.ask(NODES[1], QUORUM, b"XADD", b"s", b"5-1", b"f", b"v")
    cluster.run_for(0.3)
    assert b"one" in lowest[0]
    assert b"$1\r\n1\r\n$1\r\n2\r\n" in several[0]
    assert b"5-1" in read[0]
    for name in NODES:
        engine = cluster.nodes[name].engine
        for owner in list(engine.blocking.blocked):
            engine.blocking.unblock(owner, as_error=False)


@pytest.mark.parametrize("end", [[b"DEL", b"s"], [b"FLUSHALL"], [b"XGROUP", b"DESTROY", b"s", b"g"]])
def test_every_reader_of_a_group_hears_of_its_end(cluster: Simulation, end: list[bytes]) -> None:
    cluster.ask(NODES[0], QUORUM, b"XGROUP", b"CREATE", b"s", b"g", b"$", b"MKSTREAM")
    read = [b"XREADGROUP", b"GROUP", b"g", b"c", b"BLOCK", b"0", b"STREAMS", b"s", b">"]
    waiting = [wait(cluster, name, *read) for name in (*NODES, *NODES)]
    plain = wait(cluster, NODES[0], b"XREAD", b"BLOCK", b"2000", b"STREAMS", b"s", b"$")
    cluster.ask(NODES[1], QUORUM, *end)
    cluster.run_for(0.5)
    assert [replies[0][:8] for replies in waiting] == [b"-NOGROUP"] * 6
    assert plain == []


def test_another_type_is_nothing_to_most_and_the_end_of_a_group(cluster: Simulation) -> None:
    cluster.ask(NODES[0], QUORUM, b"XGROUP", b"CREATE", b"k", b"g", b"$", b"MKSTREAM")
    read = [b"XREADGROUP", b"GROUP", b"g", b"c", b"BLOCK", b"0", b"STREAMS", b"k", b">"]
    group = [wait(cluster, name, *read) for name in NODES]
    plain = wait(cluster, NODES[0], b"XREAD", b"BLOCK", b"900", b"STREAMS", b"k", b"$")
    pop = wait(cluster, NODES[1], b"BLPOP", b"l", b"0")
    cluster.ask(NODES[1], QUORUM, b"SET", b"k", b"v")
    cluster.ask(NODES[1], QUORUM, b"SET", b"l", b"v")
    cluster.run_for(0.3)
    assert [replies[0][:10] for replies in group] == [b"-WRONGTYPE"] * 3
    assert plain == pop == []
    cluster.ask(NODES[2], QUORUM, b"DEL", b"l")
    cluster.ask(NODES[2], QUORUM, b"RPUSH", b"l", b"x")
    cluster.run_for(0.3)
    assert len(pop) == 1


def test_a_move_hears_that_its_destination_is_of_another_type(cluster: Simulation) -> None:
    cluster.ask(NODES[0], QUORUM, b"SET", b"{k}to", b"v")
    moves = [wait(cluster, name, b"BLMOVE", b"{k}", b"{k}to", b"LEFT", b"LEFT", b"0") for name in NODES]
    assert moves == [[], [], []]
    cluster.ask(NODES[0], QUORUM, b"RPUSH", b"{k}", b"x")
    cluster.run_for(0.3)
    assert [replies[0][:10] for replies in moves] == [b"-WRONGTYPE"] * 3
    assert cluster.ask(NODES[0], QUORUM, b"LLEN", b"{k}") == b":1\r\n"


def test_a_wait_moves_on_when_the_primary_dies(cluster: Simulation) -> None:
    leader = leader_of(cluster, b"k")
    others = [name for name in NODES if name != leader]
    waiting = [wait(cluster, name, b"BLPOP", b"k", b"0") for name in others]
    cluster.crash(leader)
    cluster.run_for(3)
    assert waiting == [[], []]
    cluster.ask(others[1], QUORUM, b"RPUSH", b"k", b"0", b"1")
    cluster.run_for(0.3)
    assert sorted(replies[0][-3:-2] for replies in waiting) == [b"0", b"1"]
    cluster.restart(leader)
    cluster.run_for(3)


def test_a_waiter_whose_node_dies_is_passed_over(cluster: Simulation) -> None:
    leader = leader_of(cluster, b"k")
    victim, other = [name for name in NODES if name != leader]
    wait(cluster, victim, b"BLPOP", b"k", b"0")
    second = wait(cluster, other, b"BLPOP", b"k", b"0")
    cluster.crash(victim)
    cluster.run_for(3)
    cluster.ask(leader, QUORUM, b"RPUSH", b"k", b"x")
    cluster.run_for(0.3)
    assert len(second) == 1
    cluster.restart(victim)
    cluster.run_for(3)


def test_a_push_from_another_datacenter_wakes() -> None:
    simulation = Simulation(layout([1, 1, 1], [1, 1, 1]), 1)
    simulation.start()
    replies = wait(simulation, "d1r2n1", b"BLPOP", b"k", b"0")
    simulation.ask("d2r1n1", QUORUM, b"RPUSH", b"k", b"x")
    simulation.run_for(0.5)
    assert len(replies) == 1


def test_a_reader_is_shown_only_what_a_quorum_has(cluster: Simulation) -> None:
    leader = leader_of(cluster, b"k")
    replies = wait(cluster, leader, b"XREAD", b"BLOCK", b"0", b"STREAMS", b"k", b"$")
    for name in NODES:
        cluster.network.slow[name] = 0.0 if name == leader else 0.3
    cluster.call(leader, Level.DC_ONE, [b"XADD", b"k", b"1-1", b"f", b"v"], lambda reply: None)
    cluster.run_for(0.2)
    assert replies == []
    cluster.run_for(2)
    assert b"1-1" in replies[0]


def test_a_transaction_does_not_block_and_wakes_when_it_is_over(cluster: Simulation) -> None:
    from trio_dynomite.commands.table import lookup

    replies = wait(cluster, NODES[2], b"BLPOP", b"k", b"0")
    answers: list[bytes] = []
    node = cluster.nodes[NODES[0]]
    requests = [[b"RPUSH", b"k", b"x"], [b"LPOP", b"k"], [b"BLPOP", b"k", b"0"], [b"RPUSH", b"k", b"y"]]
    client = Client(QUORUM, QUORUM, answers.append)

    def submit() -> None:
        reply = submit_transaction(node.engine, [(lookup(args), args) for args in requests], [], client)
        if reply is not None:
            client.done(reply)

    node.turn(submit)
    cluster.run_for(0.3)
    assert answers == [b"*4\r\n:1\r\n$1\r\nx\r\n*-1\r\n:1\r\n"]
    assert replies == [b"*2\r\n$1\r\nk\r\n$1\r\ny\r\n"]
