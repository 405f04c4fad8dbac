"""A start of the RocksDB store: what it reads, what it knows then, and what became of older data."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import folder
from tests.rocks import counted, faults
from tests.unit.storage.test_rocksdb_store import act, keyspace, known, opened
from trio_dynomite.data.stamp import TICK
from trio_dynomite.errors import ConfigError
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.rocksdb.calendar import DATES
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.journal import JOURNAL
from trio_dynomite.storage.rocksdb.opening import Tuning, open_database
from trio_dynomite.storage.rocksdb.records import NUMBERS
from trio_dynomite.storage.rocksdb.store import open_store
from trio_dynomite.storage.rocksdb.summaries import ROW, SUMMARIES, unpacked

SLOTS_USED = 50
T0 = 1_700_000_000_000


@pytest.fixture
def path() -> Iterator[str]:
    with folder() as name:
        yield name


def slot_of(key: bytes) -> int:
    return int(key) % SLOTS_USED


@pytest.mark.parametrize("keys", [100, 30_000])
def test_a_start_reads_the_slots_and_not_the_records(path: str, keys: int) -> None:
    store = open_store(path, slot_of, "of a test")
    for number in range(keys):
        key = b"%d" % number
        store.put(slot_of(key), key, (number + 1) * TICK, b"v", T0 if number % 2 else 0)
    store.close()
    store = open_store(path, slot_of, "of a test")
    assert counted(store) <= SLOTS_USED + 20
    assert store.key_count(0, SLOTS_USED) == keys
    assert len(store.deadlines) == keys // 2
    assert store.newest == keys * TICK
    assert store.is_restored
    assert expire(store, T0 - 1, 10) == 0
    assert expire(store, T0, 10) == 10
    assert len(store.deadlines) == keys // 2 - 10
    store.close()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_all_that_is_kept_beside_the_records_is_there_again(seed: int) -> None:
    rng = Random(seed)
    with folder() as path:
        for _ in range(2):
            store = opened(path)
            ks = keyspace(store)
            for _step in range(rng.randrange(60)):
                ks.clock.advance(ks.now_ms + rng.choice([0, 1, 1000]))
                act(ks, rng)
                if rng.random() < 0.1:
                    expire(store, ks.now_ms, rng.choice([1, 100]))
            store.commit()
            assert not faults(store)
            store.close()
            store = opened(path)
            assert not faults(store)
            expire(store, ks.now_ms + 10**9, 10_000)
            assert not faults(store)
            assert not store.deadlines.all_keys(), "nothing stale is left when its time has come"
            store.close()


def made_first(path: str) -> None:
    """As the first format had it: nothing beside the records."""
    disk = Disk(open_database(path, Tuning()), Tuning())
    for area in (SUMMARIES, JOURNAL, DATES, NUMBERS):
        for name, _ in list(disk.area(area).walk()):
            disk.area(area).put(name, None)
    disk.area(b"M").put(b"M", b"1 slots")
    disk.close()


def made_second(path: str) -> None:
    """As the second format had it: a row for each slot."""
    disk = Disk(open_database(path, Tuning()), Tuning())
    area = disk.area(SUMMARIES)
    told = unpacked(area.get(SUMMARIES) or b"")
    counts = (told.sizes, told.dead, told.volatile, told.withered)
    for slot, sum_, newest, *row in zip(told.slots, told.sums, told.newests, *counts, strict=True):
        area.put(SUMMARIES + slot.to_bytes(2), ROW.pack(sum_, newest >> 32, newest & 0xFFFFFFFF, *row))
    for name in [SUMMARIES, *[name for name, _ in disk.area(JOURNAL).walk()]]:
        disk.area(name[:1]).put(name, None)
    disk.area(b"M").put(b"M", b"2 slots")
    disk.close()


@pytest.mark.parametrize("made_old", [made_first, made_second])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_data_of_an_older_format_is_upgraded_once(made_old: Callable[[str], None], seed: int) -> None:
    rng = Random(seed)
    with folder() as path:
        store = opened(path)
        ks = keyspace(store)
        for step in range(60):
            ks.clock.advance(ks.now_ms + step)
            act(ks, rng)
        before = known(store)
        store.close()
        made_old(path)
        for _ in range(2):
            store = opened(path)
            assert known(store) == before
            assert not faults(store)
            ks = keyspace(store)
            ks.hash_at(b"another").put([(b"f", b"v")])
            assert not faults(store)
            ks.delete(b"another")
            store.forget(store.slot_of(b"another"), b"another")
            store.close()


def test_data_of_an_unknown_format_is_refused(path: str) -> None:
    opened(path).close()
    disk = Disk(open_database(path, Tuning()), Tuning())
    disk.area(b"M").put(b"M", b"9 slots")
    disk.close()
    with pytest.raises(ConfigError, match="format"):
        opened(path)


def test_a_flush_of_all_that_has_deadlines_leaves_nothing_in_the_calendar(path: str) -> None:
    store = opened(path)
    ks = keyspace(store)
    for number in range(3000):
        ks.put(b"%d" % number, b"v", ks.now_ms + 10_000)
    store.commit()
    ks.flush(0, 8000)
    assert len(store.deadlines) > 0
    ks.flush(8001, 16383)
    assert len(store.deadlines) == 0
    store.commit()
    assert not store.deadlines.all_keys()
    ks.put(b"k", b"v", ks.now_ms + 1)
    store.commit()
    assert expire(store, ks.now_ms + 1, 10) == 1
    store.close()


def test_what_a_flush_left_in_the_calendar_is_dropped_when_its_time_comes(path: str) -> None:
    store = opened(path)
    ks = keyspace(store)
    for number in range(100):
        ks.put(b"%d" % number, b"v", ks.now_ms + 10_000)
    store.commit()
    ks.flush(0, 8000)
    left = len(store.deadlines)
    assert left < len(store.deadlines.all_keys()) == 100
    assert expire(store, ks.now_ms + 10_000, 1000) == 100
    assert len(store.deadlines) == len(store.deadlines.all_keys()) == 0
    assert sum(store.dead) == left
    store.close()
