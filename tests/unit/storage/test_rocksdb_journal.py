"""The journal of summaries: whenever a process ends, what is on disk tells of just what is there."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import folder
from tests.rocks import COUNTERS, counted, faults
from tests.unit.storage.test_rocksdb_store import act, keyspace, known, opened
from trio_dynomite.data.stamp import TICK
from trio_dynomite.storage.contract import SLOTS
from trio_dynomite.storage.rocksdb import journal
from trio_dynomite.storage.rocksdb.journal import JOURNAL
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.storage.rocksdb.summaries import packed, unpacked
from trio_dynomite.topology.partitioner import redis_slot


@pytest.fixture
def path() -> Iterator[str]:
    with folder() as name:
        yield name


def crashed(path: str) -> str:
    """The files as they are now, as a process that is killed leaves them."""
    return str(shutil.copytree(path, Path(path).with_name(f"{Path(path).name}.copy")))


def test_columns_are_unpacked_as_they_were_packed() -> None:
    told = unpacked(packed(7, [3, 5], [1, 2**64 - 1], [9, 2**96 - 1], [5], ([1], [2], [3], [True])))
    assert (told.generation, told.slots, told.sums) == (7, [3, 5], [1, 2**64 - 1])
    assert (told.newests, told.recounted) == ([9, 2**96 - 1], [5])
    assert (told.sizes, told.dead, told.volatile, told.withered) == ([1], [2], [3], [True])
    told = unpacked(packed(7, [3, 5], [1, 2], [9]))
    assert (told.newests, told.recounted, told.withered) == ([9, 9], [], [])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_a_process_that_is_killed_leaves_what_agrees(seed: int) -> None:
    rng = Random(seed)
    with folder() as path, pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "_ENTRIES_MAX", rng.choice([1, 3, 10]))
        for _ in range(3):
            store = opened(path)
            ks = keyspace(store)
            for _step in range(rng.randrange(60)):
                ks.clock.advance(ks.now_ms + rng.choice([0, 1, 1000]))
                act(ks, rng)
            store.commit()
            before, copy = known(store), crashed(path)
            store.close()
            shutil.rmtree(path)
            Path(copy).rename(path)
            store = opened(path)
            assert known(store) == before
            assert not faults(store)
            store.close()


def fill(store: RocksStore, turns: int, slots: range) -> None:
    for turn in range(turns):
        for slot in slots:
            store.put(slot, b"%d" % slot, (store.newest + turn + 1) * TICK, b"v", 0)
        store.commit()


def entries(store: RocksStore) -> int:
    return sum(1 for _ in store.disk.area(JOURNAL).walk())


def test_a_turn_costs_one_key_beside_the_records(path: str) -> None:
    store = open_store(path, int, "slots")
    for turns in (1, 5):
        before = store.disk.database.latest_sequence_number()
        fill(store, turns, range(100))
        assert store.disk.database.latest_sequence_number() - before == turns * 101
    store.close()


def test_a_journal_that_has_grown_begins_anew(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_ENTRIES_MAX", 10)
    store = open_store(path, int, "slots")
    fill(store, 100, range(3))
    assert entries(store) == 10
    monkeypatch.setattr(journal, "_ENTRIES_MAX", SLOTS)
    monkeypatch.setattr(journal, "_BYTES_MAX", 20_000)
    fill(store, 100, range(300, 400))
    assert 10 < entries(store) < 22
    assert not faults(store)
    store.close()


def test_a_turn_that_changes_most_slots_writes_the_whole(path: str) -> None:
    store = open_store(path, int, "slots")
    fill(store, 2, range(5000))
    assert entries(store) == 0
    store.flush(0, 9999, 1 << 90)
    copy = crashed(path)
    store.close()
    store = open_store(copy, int, "slots")
    assert not any(map(len, store.records))
    assert not faults(store)
    store.close()
    shutil.rmtree(copy)


def test_a_start_after_an_orderly_end_reads_no_journal(path: str) -> None:
    store = opened(path)
    for number in range(1000):
        store.put(redis_slot(b"%d" % number), b"%d" % number, (number + 1) * TICK, b"v", 0)
        store.commit()
    assert entries(store) == 1000
    store.close()
    store = opened(path)
    assert counted(store, COUNTERS) < 20
    store.close()
