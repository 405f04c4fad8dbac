"""What keys take: counted by difference, whatever happens to the store; and when they were used."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_dynomite.commands.table import lookup
from trio_dynomite.data.record import ABSENT, DEADLINE, VALUE, Record
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.accesses import NEW, Accesses
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.sizes import size_of, weight
from trio_dynomite.storage.usage import Usage
from trio_dynomite.topology.partitioner import make

START_MS = 1_700_000_000_000
SLOT_OF = make("slots", "{}").slot


def keyspace(node: int = 1) -> StoreKeyspace:
    clock = HybridClock(node)
    clock.advance(START_MS)
    return StoreKeyspace(MemoryStore(SLOT_OF), clock, origin=clock.next(), rng=Random(1))


def run(ks: StoreKeyspace, text: str) -> None:
    args = text.encode().split()
    row = lookup(args)
    assert row.handler is not None
    try:
        row.handler(ks, args)
    except CommandError:
        pass


def recounted(ks: StoreKeyspace, *, only_volatile: bool) -> tuple[int, set[bytes]]:
    live = {
        key: record for slot in ks.store.records for key, record in slot.items() if record[VALUE] is not None
    }
    candidates = {key for key, record in live.items() if record[DEADLINE] or not only_volatile}
    return sum([weight(key, record) for key, record in live.items()]), candidates


KEYS = ("a", "b", "c")
REQUESTS = st.one_of(
    *[
        st.builds(form.format, st.sampled_from(KEYS), st.sampled_from(("1", "22", "x" * 40)))
        for form in (
            *(
                "SET {} {}",
                "SET {} {} PX 900",
                "INCRBY {} {}",
                "APPEND {} {}",
                "EXPIRE {} {}",
                "PERSIST {}",
                "DEL {}",
            ),
            *("HSET {} {} v", "HDEL {} {}", "HINCRBY {} {} 7", "HPEXPIRE {} 500 FIELDS 1 {}"),
            *("SADD {} {}", "SREM {} {}", "ZADD {} 1 {}", "ZINCRBY {} 2 {}", "ZREM {} {}", "SPOP {}"),
            *(
                "RPUSH {} {}",
                "LPOP {}",
                "LTRIM {} 1 {}",
                "XADD {} * f {}",
                "XTRIM {} MAXLEN 1",
                "COPY {} c REPLACE",
            ),
        )
    ]
)
STEPS = st.lists(
    st.tuples(st.sampled_from("rrrrrrtfs"), st.integers(0, 1), REQUESTS, st.integers(1, 1000)), max_size=40
)


def tell(ks: StoreKeyspace, other: StoreKeyspace) -> None:
    told, ks.effects = ks.effects, []
    assert told is not None
    other.clock.observe(ks.clock.last)
    for key in other.store.apply(ks.clock.node, told):
        other.store.join(SLOT_OF(key), key, ks.store.get(SLOT_OF(key), key))


def step(nodes: tuple[StoreKeyspace, StoreKeyspace], what: str, at: int, request: str, number: int) -> None:
    ks, other = nodes[at], nodes[1 - at]
    match what:
        case "r":
            run(ks, request)
            tell(ks, other)
        case "t":
            for each in nodes:
                each.clock.advance(each.now_ms + number)
                expire(each.store, each.now_ms, 100)
        case "f":
            ks.flush(0, number * 16)
            tell(ks, other)
        case "s":
            for key in KEYS:
                slot = SLOT_OF(key.encode())
                other.store.join(slot, key.encode(), ks.store.get(slot, key.encode()))


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_the_sum_is_what_counting_anew_gives(
    steps: list[tuple[str, int, str, int]], only_volatile: bool
) -> None:
    nodes = (keyspace(1), keyspace(2))
    for ks in nodes:
        ks.store.usage = Usage(only_volatile)
    for what, at, request, number in steps:
        step(nodes, what, at, request, number)
        for ks in nodes:
            usage: Any = ks.store.usage
            assert (usage.used, set(usage.candidates)) == recounted(ks, only_volatile=only_volatile)
            assert len(usage.candidates) == len(set(usage.candidates))


@pytest.mark.parametrize(
    "requests",
    [
        ["SET key " + "v" * 500],
        ["INCR key"],
        [f"HSET key f{n} {'v' * 50}" for n in range(300)],
        [f"ZADD key {n} m{n}" for n in range(300)],
        [f"SADD key m{n}" for n in range(300)],
        [f"RPUSH key {'v' * 50}"] * 300,
        ["XADD key * field value"] * 300,
    ],
    ids=lambda requests: requests[0].split()[0],
)
def test_the_cheap_size_is_near_the_one_of_memory_usage(requests: list[str]) -> None:
    ks = keyspace()
    for request in requests:
        run(ks, request)
    record: Record = ks.store.get(SLOT_OF(b"key"), b"key")
    assert weight(b"key", record) == pytest.approx(size_of(b"key", record, 0), rel=0.35)


def accesses(*, by_frequency: bool, chance: float = 0.0) -> Accesses:
    rng: Any = SimpleNamespace(random=lambda: chance)
    return Accesses(HybridClock(1, START_MS), rng, by_frequency)


def test_a_read_makes_a_key_fresh() -> None:
    ks = keyspace()
    run(ks, "SET key 1")
    run(ks, "RPUSH list 1")
    ks.accesses = Accesses(ks.clock, ks.rng, by_frequency=False)
    ks.clock.advance(START_MS + 9_000)
    assert (ks.idle_s(b"key"), ks.frequency(b"key")) == (9, None)
    run(ks, "GET key")
    run(ks, "LLEN list")
    ks.clock.advance(START_MS + 10_000)
    assert (ks.idle_s(b"key"), ks.idle_s(b"list")) == (1, 1)


def test_the_counter_grows_ever_more_slowly() -> None:
    record: Record = (START_MS << 48, b"v", 0, 0, None)
    often = accesses(by_frequency=True, chance=0.05)
    for _ in range(100):
        often.use(b"key", record)
    # With 10 per step: counter 6 grows by 1 of 11 uses, 7 by 1 of 21; a chance of 0.05 is just not enough.
    assert often.frequency(b"key", record) == NEW + 2


def test_the_counter_decays_with_time() -> None:
    counted = accesses(by_frequency=True)
    counted.use(b"key", ABSENT)
    assert counted.frequency(b"key", ABSENT) == 1
    record: Record = (START_MS << 48, b"v", 0, 0, None)
    for _ in range(20):
        counted.use(b"hot", record)
    assert counted.frequency(b"hot", record) == NEW + 20
    counted.clock.advance(START_MS + 7 * 60_000)
    assert counted.frequency(b"hot", record) == NEW + 13
    counted.decay_minutes = 2
    assert counted.frequency(b"hot", record) == NEW + 17
    counted.decay_minutes = 0
    assert counted.frequency(b"hot", record) == NEW + 20
    assert counted.frequency(b"new", record) == NEW
