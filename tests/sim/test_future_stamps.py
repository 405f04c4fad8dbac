"""A stamp from the far future poisons no key: the next write or delete is newer, whoever does it.

The stamps here are ten years ahead, as a bug, or a snapshot made under a wrong clock, would leave them.
"""

import pytest

from trio_dynomite.data.stamp import COUNTER_BITS, NODE_BITS
from trio_dynomite.model import Level
from trio_dynomite.testing.judge import are_alike
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import EPOCH_MS, Simulation

FUTURE = (EPOCH_MS + 10 * 365 * 86_400_000) << (COUNTER_BITS + NODE_BITS)
TYPES: dict[bytes, tuple[list[bytes], list[bytes], list[bytes], bytes]] = {
    b"string": ([b"SET", b"old"], [b"SET", b"new"], [b"GET"], b"$3\r\nnew\r\n"),
    b"counter": ([b"INCRBY", b"5"], [b"INCRBY", b"2"], [b"GET"], b"$1\r\n7\r\n"),
    b"hash": ([b"HSET", b"f", b"old"], [b"HSET", b"f", b"new"], [b"HGET", b"f"], b"$3\r\nnew\r\n"),
    b"field": ([b"HINCRBY", b"f", b"5"], [b"HDEL", b"f"], [b"HGET", b"f"], b"$-1\r\n"),
    b"set": ([b"SADD", b"m"], [b"SREM", b"m"], [b"SCARD"], b":0\r\n"),
    b"zset": ([b"ZADD", b"1", b"m"], [b"ZADD", b"2", b"m"], [b"ZSCORE", b"m"], b"$1\r\n2\r\n"),
    b"list": ([b"RPUSH", b"a", b"b"], [b"LPOP"], [b"LRANGE", b"0", b"-1"], b"*1\r\n$1\r\nb\r\n"),
    b"stream": ([b"XADD", b"1-1", b"f", b"v"], [b"XDEL", b"1-1"], [b"XLEN"], b":0\r\n"),
    b"type": ([b"SADD", b"m"], [b"SET", b"new"], [b"GET"], b"$3\r\nnew\r\n"),
}
"""By key: how it is made, changed, and read, and what is read then."""


def a_cluster() -> Simulation:
    simulation = Simulation(layout([1, 1, 1], [1, 1], drift_s=1.0), seed=5)
    simulation.give_disks()
    simulation.start()
    return simulation


def ask(simulation: Simulation, words: list[bytes], key: bytes) -> bytes:
    """A command on `key`, at a quorum, on any node that is up."""
    name = next(name for name, node in simulation.nodes.items() if node.is_up)
    return simulation.ask(name, Level.DC_QUORUM, words[0], key, *words[1:])


def make_all(simulation: Simulation) -> None:
    """Every key, under stamps that are ten years ahead."""
    for node in simulation.nodes.values():
        node.engine.keyspace.clock.observe(FUTURE)
    for key, (make, _, _, _) in TYPES.items():
        assert not ask(simulation, make, key).startswith(b"-")
    ask(simulation, [b"SET", b"v", b"PX", b"600000"], b"dated")


def check_all(simulation: Simulation) -> None:
    """Each can be changed, deleted, made anew, given a deadline, and flushed, and every node sees it."""
    for key, (make, change, read, reply) in TYPES.items():
        assert not ask(simulation, change, key).startswith(b"-")
        assert ask(simulation, read, key) == reply, key
        ask(simulation, make, key)
        assert ask(simulation, [b"DEL"], key) == b":1\r\n"
        assert ask(simulation, [b"EXISTS"], key) == b":0\r\n"
        assert not ask(simulation, make, key).startswith(b"-")
        assert ask(simulation, [b"PEXPIRE", b"50"], key) == b":1\r\n"
        simulation.run_for(0.1)
        assert ask(simulation, [b"EXISTS"], key) == b":0\r\n"
        assert not ask(simulation, make, key).startswith(b"-")
    assert ask(simulation, [b"PERSIST"], b"dated") == b":1\r\n"
    name = next(name for name, node in simulation.nodes.items() if node.is_up)
    assert simulation.ask(name, Level.DC_QUORUM, b"FLUSHALL") == b"+OK\r\n"
    assert not any(ask(simulation, [b"EXISTS"], key) != b":0\r\n" for key in (*TYPES, b"dated"))
    assert ask(simulation, [b"SET", b"new"], b"string") == b"+OK\r\n"
    for node in simulation.nodes.values():
        if not node.is_up:
            node.start()
    simulation.run_for(3.0)
    assert are_alike(simulation)
    for name in simulation.nodes:
        assert simulation.ask(name, Level.DC_ONE, b"GET", b"string") == b"$3\r\nnew\r\n"


def test_whoever_has_heard_of_it_gives_newer_ones() -> None:
    simulation = a_cluster()
    make_all(simulation)

    check_all(simulation)


def test_a_successor_gives_newer_ones() -> None:
    simulation = a_cluster()
    make_all(simulation)
    simulation.crash("d1r1n1", power=True)
    simulation.run_for(3.0)

    check_all(simulation)


def test_nodes_that_start_anew_give_newer_ones() -> None:
    simulation = a_cluster()
    make_all(simulation)
    for name in simulation.nodes:
        simulation.crash(name)
    for name in simulation.nodes:
        simulation.restart(name)
    simulation.run_for(5.0)

    check_all(simulation)


@pytest.mark.parametrize("victim", ["d1r1n1", "d2r2n1"])
def test_one_that_comes_with_an_old_snapshot_is_overruled(victim: str) -> None:
    """The others have never seen such stamps: their clocks are at the present."""
    simulation = a_cluster()
    make_all(simulation)
    for name in simulation.nodes:
        simulation.crash(name)
        if name != victim:
            simulation.nodes[name].disk = None
    for name in simulation.nodes:
        simulation.restart(name)
    simulation.run_for(5.0)

    check_all(simulation)


def test_a_cutoff_that_a_peer_tells_is_older_than_whatever_comes() -> None:
    simulation = a_cluster()
    victim = simulation.nodes["d1r2n1"]
    store = victim.engine.keyspace.store
    for slot in range(len(store.cutoffs)):
        store.set_cutoff(slot, FUTURE)
    simulation.crash("d1r2n1")
    simulation.restart("d1r2n1")
    simulation.run_for(5.0)

    check_all_are_written(simulation)


def check_all_are_written(simulation: Simulation) -> None:
    """What is written now is on every node."""
    for name in simulation.nodes:
        for key in (b"a", b"b", b"c", b"d"):
            assert simulation.ask(name, Level.DC_QUORUM, b"SET", key + name.encode(), b"v") == b"+OK\r\n"
    simulation.run_for(1.0)
    for asked in simulation.nodes:
        for name in simulation.nodes:
            for key in (b"a", b"b", b"c", b"d"):
                found = simulation.ask(asked, Level.DC_ONE, b"GET", key + name.encode())
                assert found == b"$1\r\nv\r\n", (asked, key)
