"""Consumer groups on disk: whatever becomes of them is there again, and nothing else is."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import folder, litter
from tests.unit.storage.test_rocksdb_store import keyspace, opened
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.entry_id import encode
from trio_dynomite.data.record import COUNTS
from trio_dynomite.data.stream_groups import Group
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.rocksdb.groups import DiskGroups
from trio_dynomite.storage.rocksdb.store import RocksStore
from trio_dynomite.topology.partitioner import redis_slot

NAMES, CONSUMERS = [b"g", b"gg", b"", b"\xff"], [b"a", b"b", b"", b"h\0"]


def run(ks: StoreKeyspace, *args: bytes | int) -> bytes:
    words = [word if isinstance(word, bytes) else b"%d" % word for word in args]
    handler = lookup(words).handler
    assert handler is not None
    try:
        return handler(ks, words) or b""
    except CommandError as refused:
        return str(refused).encode()


def step(ks: StoreKeyspace, rng: Random, number: int) -> None:
    """One command of some; one that finds no group is refused, and changes nothing."""
    name, consumer, at = rng.choice(NAMES), rng.choice(CONSUMERS), rng.randrange(1, 40)
    ids = [b"%d-1" % rng.randrange(1, number + 2) for _ in range(5)]
    reading = (b"GROUP", name, consumer, b"COUNT", rng.randrange(1, 9), b"STREAMS", b"s", b">")
    commands: list[tuple[Any, ...]] = [
        (b"XADD", b"s", b"%d-1" % (number + 1), b"f", b"v"),
        (b"XGROUP", b"CREATE", b"s", name, b"0", b"MKSTREAM"),
        (b"XGROUP", b"DESTROY", b"s", name),
        (b"XGROUP", b"SETID", b"s", name, at),
        (b"XGROUP", b"CREATECONSUMER", b"s", name, consumer),
        (b"XGROUP", b"DELCONSUMER", b"s", name, consumer),
        *[(b"XREADGROUP", *reading)] * 3,
        (b"XACK", b"s", name, *ids),
        (b"XCLAIM", b"s", name, consumer, 0, *ids),
        (b"COPY", b"s", b"copy", b"REPLACE"),
        (b"DEL", rng.choice([b"s", b"copy"])),
    ]
    weights = [15, 4, 1, 1, 1, 1, 3, 3, 3, 3, 3, 1, 0.3]
    run(ks, *rng.choices(commands, weights)[0])


def told(store: RocksStore) -> dict[bytes, Any]:
    records = {key: store.records[redis_slot(key)].get(key) for key in (b"s", b"copy")}
    return {key: record[COUNTS].pack() for key, record in records.items() if record and record[COUNTS]}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_groups_are_there_again(seed: int) -> None:
    rng = Random(seed)
    with folder() as path:
        for life in range(3):
            store = opened(path)
            ks = keyspace(store)
            for number in range(life * 100, life * 100 + rng.randrange(100)):
                ks.clock.advance(ks.now_ms + number % 3)
                step(ks, rng, number)
                if rng.random() < 0.3:
                    store.commit()
                if rng.random() < 0.1:
                    list(store.scan(redis_slot(b"s")))  # has headers made in the middle of a turn
            before = told(store)
            assert not litter(store)
            store.close()
            store = opened(path)
            assert told(store) == before
            store.close()


@pytest.fixture
def store() -> Iterator[RocksStore]:
    with folder() as path:
        store = opened(path)
        yield store
        store.close()


def some() -> Group:
    group = Group(9, 3)
    group.assign(group.see(b"a", 1, 2), [7, 8], 5, [1, 4])
    return group


def test_groups_in_one_value_are_read_and_go_with_the_next_change(store: RocksStore) -> None:
    area = store.disk.area(b"B" + bytes(8) + b"g")
    area.put(area.prefix, msgspec.msgpack.encode([[b"g", some().pack()]]))
    disk = DiskGroups(area)
    groups = disk.load()
    assert groups == {b"g": some()}
    disk.write(groups, 0)
    assert [key for key, _ in area.walk()] == [area.prefix], "nothing has changed"
    groups[b"g"].acknowledge([7])
    disk.write(groups, 1)
    assert area.get(area.prefix) is None
    assert DiskGroups(area).load() == groups
    assert [*groups[b"g"].pending] == [8]


def test_a_group_that_is_made_anew_has_nothing_of_the_old_one(store: RocksStore) -> None:
    area = store.disk.area(b"B" + bytes(8) + b"g")
    disk = DiskGroups(area)
    disk.write({b"g": some()}, 1)
    store.commit()
    disk.write({b"g": Group(1, None)}, 3)
    store.commit()
    assert DiskGroups(area).load() == {b"g": Group(1, None)}
    disk.write({}, 4)
    assert not list(area.walk())


def test_only_what_has_changed_is_written(store: RocksStore) -> None:
    area = store.disk.area(b"B" + bytes(8) + b"g")
    group, disk = some(), DiskGroups(area)
    disk.write({b"g": group}, 1)
    store.commit()
    group.acknowledge([7])
    disk.write({b"g": group}, 2)
    assert [key[-17:] for key in area.pending] == [b"p" + encode(7)]
