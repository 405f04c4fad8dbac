"""The store on disk: what is there again when it is opened, what a write costs, and who sees which body."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import folder, litter
from tests.properties.test_merge_types import EVERYTHING, KEYS, NOW, plain
from trio_dynomite.data.effect import FLUSH
from trio_dynomite.data.opaque import OpaqueBody
from trio_dynomite.data.record import COUNTS
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError, ConfigError
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.rocksdb import records
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.topology.partitioner import redis_slot

SLOT = redis_slot(b"k")


def keyspace(store: RocksStore) -> StoreKeyspace:
    clock = HybridClock(1)
    clock.advance(NOW)
    clock.observe(store.newest)
    return StoreKeyspace(store, clock, origin=clock.next(), rng=Random(1))


@pytest.fixture
def path() -> Iterator[str]:
    with folder() as name:
        yield name


def opened(path: str) -> RocksStore:
    return open_store(path, redis_slot, "slots")


def known(store: RocksStore) -> Any:
    """All that must be the same after a restart."""
    slots = sorted({redis_slot(key) for key in KEYS})
    return (
        [{key: plain(record) for key, record in store.scan(slot)} for slot in slots],
        [store.slot_digests([slot])[0] for slot in slots],
        [store.key_count(slot, slot) for slot in slots],
        [len(store.records[slot]) for slot in slots],
        [store.floors[slot] for slot in slots],
        {
            key
            for key in store.deadlines.all_keys()
            if key in {k for slot in slots for k, r in store.scan(slot) if due(r)}
        },
    )


def due(record: Any) -> bool:
    return record[1] is not None and bool(record[3] or getattr(record[COUNTS], "due_ms", 0))


def act(ks: StoreKeyspace, rng: Random) -> None:
    if rng.random() < 0.05:
        ks.flush(redis_slot(KEYS[0]), redis_slot(KEYS[0]) + rng.randrange(2))
    try:
        rng.choice(EVERYTHING)(ks, rng.choice(KEYS), rng)
    except CommandError:
        pass  # the key is of another type, or the field is no number
    if rng.random() < 0.3:
        ks.store.commit()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_everything_is_there_again(seed: int) -> None:
    rng = Random(seed)
    with folder() as path:
        for _ in range(3):
            store = opened(path)
            ks = keyspace(store)
            for step in range(rng.randrange(40)):
                ks.clock.advance(NOW + step // 4)
                act(ks, rng)
            before = known(store)
            assert not litter(store)
            store.close()
            store = opened(path)
            assert known(store) == before
            assert store.newest <= ks.clock.last
            store.close()


def test_a_stamp_on_disk_is_older_than_all_that_comes(path: str) -> None:
    store = opened(path)
    ks = keyspace(store)
    ks.clock.advance(NOW + 10**6)
    ks.put(b"k", b"of the future")
    ks.store.apply(9, [FLUSH, 0, b"", (NOW + 10**7) << 16, [3, 5], 0])
    store.close()
    ks = keyspace(store := opened(path))
    assert ks.clock.last >> 48 == NOW + 10**7
    ks.put(b"k", b"of today")
    assert keyspace(store).get(b"k") == b"of today"
    store.close()


def test_data_for_another_partitioner_is_refused(path: str) -> None:
    opened(path).close()
    with pytest.raises(ConfigError, match="partitioner"):
        open_store(path, redis_slot, "murmur")
    opened(path).close()


def test_a_directory_in_use_or_of_no_use_is_refused(path: str) -> None:
    store = opened(path)
    Path(path, "file").touch()
    for place in (path, str(Path(path, "file"))):
        with pytest.raises(ConfigError, match="cannot be opened"):
            opened(place)
    store.close()


@pytest.fixture
def store(path: str) -> Iterator[RocksStore]:
    store = opened(path)
    yield store
    store.close()


def test_what_is_lent_is_seen_and_nothing_of_it_is_kept(store: RocksStore) -> None:
    ks, other = keyspace(store), keyspace(store)
    ks.set_at(b"k").add([b"own"])
    other.list_at(b"other").push([b"a", b"b"], left=False)
    guest = store.records[redis_slot(b"other")][b"other"]
    own = store.lend(SLOT, b"k", guest)
    assert list(ks.list_at(b"k")) == [b"a", b"b"]
    store.commit()
    store.take_back(SLOT, b"k", own)
    assert list(ks.set_at(b"k")) == [b"own"]
    for absent in (b"never", b"gone"):
        ks.put(b"gone", b"x")
        ks.delete(b"gone")
        slot = redis_slot(absent)
        store.take_back(slot, absent, store.lend(slot, absent, guest))
        assert ks.kind(absent) is None
    assert not litter(store)


def test_a_body_is_the_same_for_all_who_hold_it_and_is_read_again_when_none_does(
    store: RocksStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_GENERATION_BYTES", 3000)
    ks = keyspace(store)
    ks.hash_at(b"k").put([(b"f", b"1")])
    held = ks.hash_at(b"k")
    for number in range(100):
        ks.put(b"%d" % number, b"v" * 100)
    ks.hash_at(b"k").put([(b"f", b"2"), (b"g", b"3")])
    assert (held.get(b"f"), len(held)) == (b"2", 2)
    del held
    for number in range(100):
        assert ks.get(b"%d" % number) == b"v" * 100
    assert sorted(ks.hash_at(b"k").items()) == [(b"f", b"2"), (b"g", b"3")]


def test_what_is_in_memory_is_weighed_once_each(store: RocksStore) -> None:
    ks, book = keyspace(store), store._book
    for _ in range(3):
        ks.put(b"s", b"v" * 1000)
        ks.put(b"lasting", b"v" * 1000, ks.now_ms + 10)
        ks.hash_at(b"h").put([(b"f", b"v")])
        store.commit()
    before = book.bytes
    assert 2000 < before < 20_000
    for size in (5000, 100_000, 10):
        store.set(SLOT, b"k", (ks.clock.next(), "type", 0, 0, OpaqueBody("type", b"v" * size)))
        store.commit()
        assert size <= book.bytes - before < size + 20_000
    for key in (b"s", b"lasting", b"h", b"k"):
        ks.delete(key)
    assert book.bytes == 0


def test_a_header_is_written_once_a_turn(store: RocksStore) -> None:
    ks = keyspace(store)
    for number in range(50):
        ks.hash_at(b"k").put([(b"%d" % number, b"v")])
    assert written(store) == 50 + len(("header", "journal", "numbers that are reserved"))


def written(store: RocksStore) -> int:
    """Commit; how many keys that wrote or deleted."""
    before = store.disk.database.latest_sequence_number()
    store.commit()
    return int(store.disk.database.latest_sequence_number() - before)


Write = Callable[[StoreKeyspace, int], object]
COSTS: dict[str, tuple[Write, int]] = {
    "HSET": (lambda ks, number: ks.hash_at(b"k").put([(b"%d" % number, b"v")]), 1),
    "SADD": (lambda ks, number: ks.set_at(b"k").add([b"%d" % number]), 1),
    "ZADD": (lambda ks, number: ks.sorted_set_at(b"k").put([(b"%d" % number, float(number % 99))]), 2),
    "RPUSH": (lambda ks, number: ks.list_at(b"k").push([b"%d" % number], left=False), 1),
    "LPUSH": (lambda ks, number: ks.list_at(b"k").push([b"%d" % number], left=True), 1),
    "XADD": (
        lambda ks, number: ks.stream_at(b"k").change(b"add", (number + 1).to_bytes(16), [b"f", b"v"], None),
        1,
    ),
}


@pytest.mark.parametrize("name", COSTS)
def test_a_write_costs_the_same_however_large_the_collection(store: RocksStore, name: str) -> None:
    write, keys = COSTS[name]
    ks = keyspace(store)
    for number in range(3000):
        write(ks, number)
    asked: list[bytes] = []
    store.commit()
    store.disk.database = Counting(store.disk.database, asked)
    for number in (3000, 3001):
        write(ks, number)
        assert len(asked) <= 2, "so many reads of the disk"
        asked.clear()
        assert written(store) == keys + 2, "the cells, the header and the journal"
    store.disk.database = store.disk.database.database


class Counting:
    """A database that notes what it is asked for."""

    def __init__(self, database: Any, asked: list[bytes]) -> None:
        self.database, self.asked = database, asked

    def get(self, key: bytes) -> Any:
        self.asked.append(key)
        return self.database.get(key)

    def items(self, **options: Any) -> Iterator[Any]:
        for pair in self.database.items(**options):
            self.asked.append(pair[0])
            yield pair

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


def test_ranks_are_found_without_a_look_at_all(store: RocksStore) -> None:
    ks = keyspace(store)
    view = ks.sorted_set_at(b"k")
    for at in range(0, 20_000, 500):
        view.put([(b"%05d" % number, float(number)) for number in range(at, at + 500)])
    assert view.rank(b"12345") == 12345
    store.commit()
    asked: list[bytes] = []
    store.disk.database = Counting(store.disk.database, asked)
    assert view.rank(b"06789") == 6789
    assert view.slice(9000, 9002) == [(b"09000", 9000.0), (b"09001", 9001.0)]
    assert view.below(17_000.5) == 17_001
    view.put([(b"new", 1.5)])
    assert view.rank(b"12345") == 12346
    assert len(asked) < 2500
    store.disk.database = store.disk.database.database


@pytest.mark.parametrize(("keys", "are_single"), [(3, True), (1500, False)])
def test_a_flush_deletes_few_keys_one_by_one_and_many_as_a_range(
    path: str, keys: int, are_single: bool
) -> None:
    store = opened(path)
    ks = keyspace(store)
    for number in range(keys):
        ks.hash_at(b"{k}%d" % number).put([(b"f", b"v")])
    ks.put(b"stays", b"v")
    store.commit()
    ks.flush(SLOT, SLOT)
    deleted = store.disk.database.property_int_value("rocksdb.num-deletes-active-mem-table")
    assert (deleted == 2 * keys) == are_single, "headers and bodies"
    assert not litter(store)
    store.close()
    store = opened(path)
    assert [len(store.records[slot]) for slot in (SLOT, redis_slot(b"stays"))] == [0, 1]
    store.close()
