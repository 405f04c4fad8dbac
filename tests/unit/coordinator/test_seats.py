"""Who waits at another node is not forgotten there, whichever of the two connections between them ends."""

from collections.abc import Iterator

import pytest

from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

NODES = ["d1r1n1", "d1r2n1", "d1r3n1"]
QUORUM = Level.DC_QUORUM
SERVED = [b"*2\r\n$1\r\nk\r\n$1\r\nx\r\n"]


@pytest.fixture
def cluster() -> Iterator[Simulation]:
    simulation = Simulation(layout([1, 1, 1]), 1)
    simulation.start()
    yield simulation
    simulation.run_for(3)
    for node in simulation.nodes.values():
        assert not node.engine.blocking.room.queues
        assert not node.engine.blocking._guests


@pytest.fixture
def leader(cluster: Simulation) -> str:
    return next(name for name in NODES if cluster.nodes[name].engine.table.of_key(b"k").leads)


def wait(cluster: Simulation, name: str) -> list[bytes]:
    """A client of `name` blocks; the list that will hold its reply."""
    replies: list[bytes] = []
    cluster.call(name, QUORUM, [b"BLPOP", b"k", b"0"], replies.append)
    cluster.run_for(0.05)
    return replies


def push(cluster: Simulation, leader: str) -> None:
    assert cluster.ask(leader, QUORUM, b"RPUSH", b"k", b"x") == b":1\r\n"
    cluster.run_for(0.3)


def test_one_whose_node_stood_still_for_a_while(cluster: Simulation, leader: str) -> None:
    waiter = next(name for name in NODES if name != leader)
    replies = wait(cluster, waiter)
    cluster.nodes[waiter].pause()
    cluster.run_for(2.5)
    cluster.nodes[waiter].resume()
    cluster.run_for(3)
    push(cluster, leader)
    assert replies == SERVED


@pytest.mark.parametrize("end", ["primary's", "waiter's"])
@pytest.mark.parametrize("pause_s", [0.0, 2.0], ids=["pushed at once", "pushed later"])
def test_one_between_whose_node_and_the_primary_one_connection_ends(
    cluster: Simulation, leader: str, end: str, pause_s: float
) -> None:
    waiter = next(name for name in NODES if name != leader)
    replies = wait(cluster, waiter)
    here, there = (leader, waiter) if end == "primary's" else (waiter, leader)
    link = cluster.nodes[here].engine.roster.peers[there].link
    assert link is not None
    cluster.nodes[here].turn(lambda: link.close("a test"))
    cluster.run_for(pause_s)
    push(cluster, leader)
    assert replies == SERVED


def test_a_request_that_arrives_after_its_connection_was_given_up_keeps_no_place(
    cluster: Simulation, leader: str
) -> None:
    waiter = next(name for name in NODES if name != leader)
    cluster.isolate([waiter])
    replies = wait(cluster, waiter)
    cluster.run_for(3)
    cluster.network.heal()
    cluster.run_for(3)
    assert replies[0].startswith(b"-UNKNOWN")


def test_one_who_is_called_because_another_has_left_takes_one_item(cluster: Simulation, leader: str) -> None:
    waiter = next(name for name in NODES if name != leader)
    wait(cluster, waiter)
    replies = wait(cluster, leader)
    assert cluster.ask(leader, Level.DC_ONE, b"RPUSH", b"k", b"x", b"y") == b":2\r\n"
    blocking = cluster.nodes[waiter].engine.blocking
    cluster.nodes[waiter].turn(lambda: blocking.gone(next(iter(blocking.blocked))))
    cluster.run_for(0.3)
    assert replies == SERVED
    assert cluster.ask(leader, QUORUM, b"LRANGE", b"k", b"0", b"-1") == b"*1\r\n$1\r\ny\r\n"


@pytest.mark.parametrize("level", [Level.DC_ONE, QUORUM], ids=str)
def test_one_who_was_called_while_it_asked_elsewhere_takes_one_item(
    cluster: Simulation, leader: str, level: Level
) -> None:
    table = cluster.nodes[leader].engine.table
    elsewhere = next(key for key in (b"a", b"b", b"c", b"d") if not table.of_key(key).leads)
    replies: list[bytes] = []
    cluster.call(leader, level, [b"BLPOP", b"k", elsewhere, b"0"], replies.append)
    cluster.call(leader, level, [b"RPUSH", b"k", b"x", b"y"], lambda reply: None)
    cluster.run_for(0.3)
    assert replies == SERVED
    assert cluster.ask(leader, QUORUM, b"LRANGE", b"k", b"0", b"-1") == b"*1\r\n$1\r\ny\r\n"


def test_one_who_was_served_elsewhere_takes_nothing_more_before_it_is_told(
    cluster: Simulation, leader: str
) -> None:
    """Its node waits for the effects of the pop; the primary's own connection to it has just ended."""
    waiter = next(name for name in NODES if name != leader)
    table = cluster.nodes[waiter].engine.table
    own = next(key for key in (b"a", b"b", b"c", b"d") if table.of_key(key).leads)
    replies: list[bytes] = []
    cluster.call(waiter, Level.DC_ONE, [b"BLPOP", b"k", own, b"0.06"], replies.append)
    cluster.run_for(0.02)
    link = cluster.nodes[leader].engine.roster.peers[waiter].link
    assert link is not None
    cluster.call(leader, Level.DC_ONE, [b"RPUSH", b"k", b"x"], lambda reply: None)
    cluster.run_for(0.004)
    cluster.nodes[leader].turn(lambda: link.close("a test"))
    cluster.run_for(0.01)
    cluster.call(waiter, Level.DC_ONE, [b"RPUSH", own, b"y"], lambda reply: None)
    cluster.run_for(0.3)
    assert replies == SERVED
    assert cluster.ask(waiter, QUORUM, b"LLEN", own) == b":1\r\n"
