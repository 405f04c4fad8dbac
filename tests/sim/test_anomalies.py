"""Anomalies that other databases have shown, each with its fault, in the simulator: see docs/anomalies.md."""

import os

import pytest

from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

QUORUM, ONE = Level.DC_QUORUM, Level.DC_ONE
SEEDS = int(os.environ.get("SIM_SEEDS", "3"))
NODES = A, B, C = ["d1r1n1", "d1r2n1", "d1r3n1"]


def a_cluster(*datacenters: list[int], seed: int = 7) -> Simulation:
    simulation = Simulation(layout(*(datacenters or ([1, 1, 1],))), seed)
    simulation.start()
    return simulation


def primary(simulation: Simulation, key: bytes, asked: str) -> str:
    """Who leads a key, as a node sees it."""
    return simulation.nodes[asked].engine.leaders[simulation.nodes[asked].engine.table.of_key(key).number]


def copies(simulation: Simulation, *request: bytes) -> list[bytes]:
    """What every node's own copy says."""
    return [simulation.ask(name, ONE, *request) for name in simulation.nodes]


def cut_off(simulation: Simulation, name: str) -> None:
    """Nobody hears it, nor it anybody, until all is healed."""
    simulation.isolate([name])
    simulation.run_for(2.0)


def heal(simulation: Simulation, seconds: float = 4.0) -> None:
    simulation.network.heal()
    simulation.run_for(seconds)


# A3: a tombstone that one node kept for another comes back over a newer write


@pytest.mark.parametrize("away", NODES)
def test_a_kept_tombstone_does_not_come_back_over_a_newer_value(away: str) -> None:
    simulation = a_cluster()
    keeper, other = [name for name in NODES if name != away]
    keys = [b"doomed:%d" % number for number in range(20)]
    for key in keys:
        simulation.ask(keeper, QUORUM, b"SET", key, b"old")
    cut_off(simulation, away)
    for key in keys:
        assert simulation.ask(keeper, QUORUM, b"DEL", key) == b":1\r\n"
    # Whoever owes the tombstones sleeps, and the others write anew.
    simulation.nodes[keeper].pause()
    simulation.network.heal()
    simulation.run_for(4.0)
    for key in keys:
        assert simulation.ask(other, QUORUM, b"SET", key, b"new") == b"+OK\r\n"
    simulation.nodes[keeper].resume()
    simulation.run_for(6.0)
    for key in keys:
        assert copies(simulation, b"GET", key) == [b"$3\r\nnew\r\n"] * 3


# A4: a node that has lost its data counts and stamps from the beginning again


@pytest.mark.parametrize("skew_ms", [0, -60_000])
@pytest.mark.parametrize("wiped", NODES)
def test_what_a_wiped_node_writes_is_not_taken_for_old(wiped: str, skew_ms: int) -> None:
    simulation = a_cluster()
    keys = [b"key:%d" % number for number in range(20)]
    for life in range(1, 4):
        for key in keys:
            simulation.ask(wiped, QUORUM, b"SET", key, b"%d" % life)
            assert simulation.ask(wiped, QUORUM, b"INCR", b"n" + key) == b":%d\r\n" % (2 * life - 1)
        simulation.crash(wiped)
        simulation.run_for(2.0)
        simulation.nodes[wiped].skew_ms = skew_ms
        simulation.restart(wiped)
        simulation.run_for(4.0)
        for key in keys:
            assert simulation.ask(wiped, QUORUM, b"APPEND", key, b"+") == b":2\r\n"
            assert simulation.ask(wiped, QUORUM, b"INCR", b"n" + key) == b":%d\r\n" % (2 * life)
    simulation.run_for(3.0)
    for key in keys:
        assert copies(simulation, b"GET", key) == [b"$2\r\n3+\r\n"] * 3
        assert copies(simulation, b"GET", b"n" + key) == [b"$1\r\n6\r\n"] * 3


# A5: a read at a quorum that does not see what was acknowledged before it began


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_quorum_read_is_older_than_what_was_acknowledged_before_it(seed: int) -> None:
    """One writer, and readers who ask while it writes. A key whose last write is unknown is left alone."""
    simulation = a_cluster(seed=seed)
    rng, key, acked = simulation.rng, b"key:0", 0
    reads: list[tuple[int, list[bytes]]] = []
    for number in range(1, 150):
        if number % 15 == 0:
            cut_two(simulation)
        for reader in NODES:
            answer: list[bytes] = []
            reads.append((acked, answer))
            simulation.call(reader, QUORUM, [b"GET", key], answer.append)
        reply = simulation.ask(rng.choice(NODES), QUORUM, b"SET", key, b"%d" % number)
        if reply.startswith(b"-UNKNOWN"):
            key, acked = b"key:%d" % number, 0
        elif reply == b"+OK\r\n":
            acked = number
        simulation.run_for(rng.uniform(0.0, 0.2))
    heal(simulation)
    found = [(since, number_in(answer[0])) for since, answer in reads if answer[0][:2] > b"$0"]
    assert [(since, value) for since, value in found if value < since] == []
    assert [since for since, answer in reads if since and answer[0] == b"$-1\r\n"] == []
    assert len(found) > 150


def cut_two(simulation: Simulation) -> None:
    """Mend what was cut, and cut two others, one way or both."""
    simulation.network.heal()
    first, second = simulation.rng.sample(NODES, 2)
    simulation.network.cut(first, second)
    if simulation.rng.random() < 0.5:
        simulation.network.cut(second, first)


# A7 and A8: replies are lost, the work was done, and it is told again


def at_most_once(kind: str) -> tuple[list[bytes], list[bytes]]:
    """A write that must not be done twice, and how to read what came of it."""
    writes = {
        "INCRBY": ([b"INCRBY", b"key", b"1"], [b"GET", b"key"]),
        "HINCRBY": ([b"HINCRBY", b"key", b"field", b"1"], [b"HGET", b"key", b"field"]),
        "ZINCRBY": ([b"ZINCRBY", b"key", b"1", b"member"], [b"ZSCORE", b"key", b"member"]),
        "LPUSH": ([b"LPUSH", b"key", b"x"], [b"LLEN", b"key"]),
        "APPEND": ([b"APPEND", b"key", b"x"], [b"STRLEN", b"key"]),
        "XADD": ([b"XADD", b"key", b"*", b"f", b"v"], [b"XLEN", b"key"]),
    }
    return writes[kind]


def number_in(reply: bytes) -> int:
    text = reply.split(b"\r\n")[1] if reply[:1] == b"$" else reply[1:-2]
    return int(text)


def tell_again(simulation: Simulation) -> None:
    """Every node tells every other all that it knows of the key, twice."""
    for _ in range(2):
        for node in simulation.nodes.values():
            for peer in node.engine.roster.peers.values():
                peer.hints.add(b"key")
        simulation.run_for(2.0)


@pytest.mark.parametrize("kind", ["INCRBY", "HINCRBY", "ZINCRBY", "LPUSH", "APPEND", "XADD"])
@pytest.mark.parametrize("seed", range(max(1, SEEDS // 3)))
def test_lost_replies_and_hints_that_come_twice_count_once(kind: str, seed: int) -> None:
    simulation = a_cluster(seed=seed)
    write, read = at_most_once(kind)
    rng, acked, refused, asked = simulation.rng, 0, 0, 0
    for at in range(60):
        if at % 10 == 0:
            leader = primary(simulation, b"key", A)
            deaf = rng.choice([name for name in NODES if name != leader])
            simulation.network.cut(
                leader, deaf
            )  # the leader hears it, and is not heard: its replies are lost
        if at % 10 == 5:
            simulation.network.heal()
        if at % 20 == 13:
            simulation.reset_connections(*rng.sample(NODES, 2))
        replies: list[bytes] = []
        simulation.call(rng.choice(NODES), QUORUM, write, replies.append)
        simulation.run_for(rng.choice([0.01, 0.3, 2.5]))
        asked += 1
        acked += bool(replies) and replies[0][:1] in (b":", b"$")
        refused += bool(replies) and replies[0].startswith((b"-NOREPLICAS", b"-OVERLOADED"))
    heal(simulation)
    tell_again(simulation)
    held = {number_in(reply) for reply in copies(simulation, *read)}
    assert len(held) == 1
    assert acked <= held.pop() <= asked - refused
    assert acked > 20


def test_a_deadline_that_is_told_twice_stays_where_it_is() -> None:
    simulation = a_cluster()
    simulation.ask(A, QUORUM, b"SET", b"key", b"v")
    simulation.ask(A, QUORUM, b"PEXPIRE", b"key", b"60000")
    (deadline,) = {*copies(simulation, b"PEXPIRETIME", b"key")}
    simulation.run_for(5.0)
    tell_again(simulation)
    assert {*copies(simulation, b"PEXPIRETIME", b"key")} == {deadline}


# A11: deadlines, cuts and clocks


@pytest.mark.parametrize(
    "rescue", [[b"PERSIST", b"key"], [b"SET", b"key", b"new"], [b"PEXPIRE", b"key", b"90000"]]
)
@pytest.mark.parametrize("skew_ms", [0, 2000, -2000])
def test_both_sides_of_a_cut_end_with_the_same_deadline(rescue: list[bytes], skew_ms: int) -> None:
    simulation = a_cluster([1, 1], [1, 1])
    west, east = "d1r1n1", "d2r1n1"
    for name in simulation.nodes:
        if name.startswith("d2"):
            simulation.nodes[name].skew_ms = skew_ms
    simulation.run_for(1.0)
    assert simulation.ask(west, QUORUM, b"SET", b"key", b"old") == b"+OK\r\n"
    simulation.run_for(1.0)
    simulation.isolate([name for name in simulation.nodes if name.startswith("d2")])
    assert simulation.ask(west, QUORUM, b"PEXPIRE", b"key", b"4000") == b":1\r\n"
    simulation.run_for(1.0)
    assert simulation.ask(east, QUORUM, *rescue)[:1] in (b":", b"+")
    simulation.run_for(8.0)
    heal(simulation)
    assert len({*copies(simulation, b"GET", b"key")}) == 1
    assert len({*copies(simulation, b"PEXPIRETIME", b"key")}) == 1


@pytest.mark.parametrize("reader", NODES)
def test_a_write_older_than_an_expired_one_does_not_come_back(reader: str) -> None:
    simulation = a_cluster()
    late = next(name for name in NODES if name != primary(simulation, b"key", A))
    simulation.ask(A, QUORUM, b"SET", b"key", b"oldest")
    cut_off(simulation, late)
    asked = next(name for name in NODES if name != late)
    assert simulation.ask(asked, QUORUM, b"SET", b"key", b"newer", b"PX", b"1000") == b"+OK\r\n"
    simulation.run_for(4.0)
    heal(simulation)
    assert simulation.ask(reader, ONE, b"GET", b"key") == b"$-1\r\n"
    assert simulation.ask(reader, QUORUM, b"EXISTS", b"key") == b":0\r\n"


# A13: a request on several keys of which a part cannot be done


def test_a_part_that_cannot_be_done_is_never_passed_over_in_silence() -> None:
    simulation = a_cluster([2])
    left, gone = sorted(simulation.nodes)
    keys = [b"key:%d" % number for number in range(30)]
    here = [key for key in keys if primary(simulation, key, left) == left]
    assert 0 < len(here) < len(keys)
    pairs = [word for key in keys for word in (key, b"v")]
    assert simulation.ask(left, ONE, b"MSET", *pairs) == b"+OK\r\n"
    simulation.crash(gone)
    simulation.run_for(2.5)
    for request in ([b"MSET", *pairs], [b"MGET", *keys], [b"DEL", *keys], [b"EXISTS", *keys]):
        assert simulation.ask(left, ONE, *request).startswith(b"-NOREPLICAS"), request[0]
    assert simulation.ask(left, ONE, b"MGET", *here)[:1] == b"*"
    for key in keys:
        expected = b"$-1\r\n" if key in here else b"-NOREPLICAS"
        assert simulation.ask(left, ONE, b"GET", key).startswith(expected), "DEL was done where it could be"
