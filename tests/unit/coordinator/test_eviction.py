"""Eviction: a cluster that is filled beyond maxmemory stays equal, and each policy takes what it may."""

from random import Random
from typing import Any

import pytest

from tests.unit.coordinator.lone_node import lone_node
from trio_dynomite.coordinator.eviction import OOM
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

LIMIT = 60_000
VALUE = b"v" * 100
QUORUM = Level.DC_QUORUM


def cluster(policy: str, seed: int = 1) -> Simulation:
    made = Simulation(layout([1, 1, 1]), seed)
    made.start()
    for node in made.nodes.values():
        node.engine.eviction.configure(limit=LIMIT, policy=policy)
    return made


def live(made: Simulation, name: str) -> dict[bytes, Any]:
    records = made.nodes[name].engine.keyspace.store.records
    return {key: record for slot in records for key, record in slot.items() if record[1] is not None}


def all_records(made: Simulation) -> list[list[tuple[bytes, Any]]]:
    stores = [node.engine.keyspace.store for node in made.nodes.values()]
    return [sorted([pair for slot in store.records for pair in slot.items()]) for store in stores]


def fill(made: Simulation, count: int, *options: bytes, prefix: bytes = b"k") -> list[bytes]:
    """Set keys through nodes in turn; those whose write was acknowledged."""
    names, written = list(made.nodes), []
    for number in range(count):
        key = prefix + b"%d" % number
        reply = made.ask(names[number % 3], QUORUM, b"SET", key, VALUE, *options)
        if reply == b"+OK\r\n":
            written.append(key)
        else:
            assert reply == f"-{OOM}\r\n".encode()
    return written


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_replicas_stay_equal_and_within_the_limit(policy: str) -> None:
    made = cluster(policy)
    assert len(fill(made, 500)) == 500
    made.run_for(1.0)
    first, *others = all_records(made)
    assert all(other == first for other in others)
    for name, node in made.nodes.items():
        assert LIMIT * 0.9 < node.engine.eviction.used <= LIMIT
        assert node.engine.eviction.evicted > 20
        assert len(live(made, name)) < 250


def test_the_newest_keys_survive_and_those_that_are_read() -> None:
    made = cluster("allkeys-lru")
    names = list(made.nodes)
    leader = next(name for name in names if made.nodes[name].engine.table.of_key(b"k0").leads)
    written = []
    for part in range(25):
        written += fill(made, 20, prefix=b"k" if not part else b"p%d-" % part)
        made.run_for(0.01)
        assert made.ask(leader, Level.DC_ONE, b"GET", b"k0") != b"$-1\r\n"
    made.run_for(0.5)
    left = live(made, names[0])
    assert b"k0" in left
    assert set(written[-100:]) <= set(left)
    assert len(set(written[:100]) & set(left)) < 20


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu"])
def test_reads_at_other_replicas_count(policy: str) -> None:
    made = cluster(policy)
    other = next(node.name for node in made.nodes.values() if not node.engine.table.of_key(b"k0").leads)
    for part in range(25):
        fill(made, 20, prefix=b"k" if not part else b"p%d-" % part)
        for _ in range(8):
            made.run_for(0.5)
            assert made.ask(other, Level.DC_ONE, b"GET", b"k0") != b"$-1\r\n"
    assert all(b"k0" in live(made, name) for name in made.nodes)
    assert all(node.engine.eviction.evicted > 20 for node in made.nodes.values())


def test_only_keys_that_expire_are_evicted_by_the_volatile_policies() -> None:
    for policy in ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"):
        made = cluster(policy)
        kept = fill(made, 60, prefix=b"kept")
        assert len(fill(made, 300, b"EX", b"1000")) == 300
        made.run_for(0.5)
        left = live(made, "d1r1n1")
        assert set(kept) <= set(left), policy
        assert len(left) < 250, policy
        first, *others = all_records(made)
        assert all(other == first for other in others), policy


def test_the_ones_that_expire_first_go_first() -> None:
    made = cluster("volatile-ttl")
    soon = fill(made, 100, b"EX", b"100", prefix=b"soon")
    late = fill(made, 100, b"EX", b"9000", prefix=b"late")
    fill(made, 20, prefix=b"kept")
    made.run_for(0.5)
    left = set(live(made, "d1r1n1"))
    # Victims are looked for among a few keys, so a late one goes now and then.
    gone = [len(set(keys) - left) for keys in (soon, late)]
    assert gone[0] > 50 > 10 > gone[1], gone


def test_without_a_victim_writes_that_need_memory_are_refused() -> None:
    for policy in ("noeviction", "volatile-lru"):
        made = cluster(policy)
        written = fill(made, 300)
        assert 100 < len(written) < 300, policy
        made.run_for(0.2)
        assert set(live(made, "d1r2n1")) == set(written), policy
        assert made.ask("d1r1n1", QUORUM, b"GET", written[0]) == b"$100\r\n" + VALUE + b"\r\n"
        for key in written[:20]:
            assert made.ask("d1r1n1", QUORUM, b"DEL", key) == b":1\r\n"
        made.run_for(0.2)
        assert made.ask("d1r1n1", QUORUM, b"SET", written[0], VALUE) == b"+OK\r\n"


def test_a_lower_limit_is_reached_by_the_ticks_alone_without_going_far_below() -> None:
    made = cluster("allkeys-random")
    for node in made.nodes.values():
        node.engine.eviction.configure(limit=10 * LIMIT)
    fill(made, 400)
    for node in made.nodes.values():
        node.engine.eviction.configure(limit=LIMIT)
    made.run_for(3.0)
    for node in made.nodes.values():
        assert LIMIT * 0.9 < node.engine.eviction.used <= LIMIT
        assert node.engine.eviction.evicted > 30


def test_what_was_there_before_is_counted() -> None:
    lone = lone_node()
    for number in range(300):
        lone.ask(b"SET", b"%d" % number, VALUE)
    eviction = lone.engine.eviction
    eviction.configure(limit=1 << 30)
    counted = eviction.used
    assert counted > 300 * 300
    lone.ask(b"SET", b"0", VALUE + VALUE)
    assert eviction.used == counted + len(VALUE)
    eviction.configure(limit=0)
    assert (eviction.used, lone.engine.is_limited, lone.engine.keyspace.store.usage) == (0, False, None)


def test_transactions_and_scripts_that_need_memory_are_refused() -> None:
    made = cluster("noeviction")
    fill(made, 300)
    replies: list[bytes] = []
    leader = next(node.name for node in made.nodes.values() if node.engine.table.of_key(b"k0").leads)
    made.transact(leader, QUORUM, [[b"SET", b"k0", b"x"], [b"GET", b"k0"]], replies.append)
    made.run_for(0.1)
    assert replies == [f"-EXECABORT Transaction discarded because of: {OOM}\r\n".encode()]
    made.transact(leader, QUORUM, [[b"DEL", b"k0"]], replies.append)
    made.run_for(0.1)
    assert replies[1] == b"*1\r\n:1\r\n"


def test_a_key_that_does_not_expire_any_more_is_left_alone() -> None:
    lone = lone_node()
    lone.engine.eviction.configure(limit=LIMIT, policy="volatile-ttl")
    for number in range(30):
        lone.ask(b"SET", b"%d" % number, VALUE, b"EX", b"%d" % (100 + number))
    lone.engine.eviction.configure(limit=lone.engine.eviction.used - 1)
    lone.ask(b"SET", b"more", VALUE)
    assert lone.engine.eviction.evicted == 1
    for number in range(30):
        lone.ask(b"PERSIST", b"%d" % number)
    evicted = lone.engine.eviction.evicted
    lone.ask(b"SET", b"a", VALUE)
    lone.ask(b"SET", b"b", VALUE)
    assert lone.ask(b"SET", b"c", VALUE).args[0] == OOM
    assert lone.engine.eviction.evicted == evicted


def test_evictions_are_told_to_who_listens() -> None:
    lone = lone_node()
    events: list[tuple[str, bytes]] = []
    keyspace = lone.engine.keyspace
    keyspace.wants_events, keyspace.on_event = True, lambda event, key: events.append((event, key))
    lone.ask(b"SET", b"first", VALUE)
    lone.engine.eviction.configure(limit=100, policy="allkeys-lru")
    lone.ask(b"SET", b"second", VALUE)
    assert events == [("set", b"first"), ("evicted", b"first"), ("set", b"second")]


def test_expired_keys_make_room_before_anything_is_refused() -> None:
    lone = lone_node()
    lone.ask(b"SET", b"first", VALUE, b"PX", b"1")
    lone.engine.eviction.configure(limit=100, policy="volatile-lru")
    lone.now_s += 0.5
    lone.turn()
    assert lone.ask(b"SET", b"second", VALUE) == b"OK"
    assert lone.ask(b"SET", b"third", VALUE).args[0] == OOM


def test_frequency_is_told_while_a_policy_goes_by_it() -> None:
    lone = lone_node()
    lone.ask(b"SET", b"key", VALUE)
    assert (
        lone.ask(b"OBJECT", b"FREQ", b"key").args[0].startswith("ERR An LFU maxmemory policy is not selected")
    )
    lone.engine.eviction.configure(policy="allkeys-lfu")
    assert lone.ask(b"OBJECT", b"FREQ", b"key") == 5
    lone.engine.keyspace.rng = lone.engine.keyspace.accesses.rng = Random(3)
    for _ in range(50):
        lone.ask(b"GET", b"key")
    assert 6 <= lone.ask(b"OBJECT", b"FREQ", b"key") <= 12
    assert (
        lone.ask(b"OBJECT", b"IDLETIME", b"key").args[0].startswith("ERR An LFU maxmemory policy is selected")
    )
    lone.engine.eviction.configure(policy="noeviction")
    assert lone.ask(b"OBJECT", b"IDLETIME", b"key") == 0
