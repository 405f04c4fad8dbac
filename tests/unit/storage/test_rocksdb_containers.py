"""The containers on disk do what those in memory do, whatever is committed in between, and after a reload."""

from collections import deque
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sortedcontainers import SortedDict, SortedList

from tests.engines import folder
from trio_dynomite.data.buckets import Buckets
from trio_dynomite.data.record import Record
from trio_dynomite.storage.rocksdb.codec import decode_record, encode_record, score_in, sortable
from trio_dynomite.storage.rocksdb.disk import Disk
from trio_dynomite.storage.rocksdb.opening import Tuning, open_database
from trio_dynomite.storage.rocksdb.shelf import DiskShelf

numbers = count(1)
sizes = st.sampled_from([3, 40, 700])
seeds = st.integers(0, 1 << 32)
many = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    with folder() as path:
        disk = Disk(open_database(path, Tuning()), Tuning())
        yield disk
        disk.close()


def shelf(disk: Disk, fronts: dict[str, bytes] | None = None, /, **known: int) -> DiskShelf:
    """A new shelf, or the newest one with what is known to be on it."""
    number = next(numbers) if not known else shelf_number[0]
    shelf_number[0] = number
    return DiskShelf(disk, 7, number, b"", known, fronts)


shelf_number = [0]


def score(rng: Random) -> float:
    return rng.choice([rng.uniform(-9, 9), float(rng.randrange(5)), 0.0, -0.0, float("inf"), float("-inf")])


@given(seed=seeds, size=sizes)
@many
def test_cells(disk: Disk, seed: int, size: int) -> None:
    rng, mine, model = Random(seed), shelf(disk).cells(), Buckets()
    elements = [b"%d" % rng.randrange(size) for _ in range(size)]
    for _ in range(size * 2):
        element = rng.choice(elements)
        if rng.random() < 0.3 and model.get(element) is not None:
            del mine[element], model[element]
        else:
            mine[element] = model[element] = (
                rng.randrange(1, 1 << 90),
                rng.choice([None, b"v", 1.5]),
                0,
                0,
                None,
            )
        if rng.random() < 0.05:
            disk.commit()
        assert mine.get(element) == model.get(element)
        assert len(mine) == len(model)
        if rng.random() < 0.05:
            mine = shelf(disk, cells=len(mine)).cells()
    assert sorted(mine.items()) == sorted(model.items())
    assert pages(mine, rng) == sorted(model.items())
    if len(model):
        drawn = {mine.sample(rng.randrange)[0] for _ in range(20)}
        assert all(model.get(element) for element in drawn)
        assert len(model) < 40 or len(drawn) > 10


def pages(cells: Any, rng: Random) -> list[Any]:
    """All cells, read page after page, sorted."""
    found, cursor = [], 0
    while True:
        limit = rng.choice([1, 7, 100])
        cursor, page = cells.page(cursor, limit)
        found += page
        assert len(page) >= limit or not cursor
        if not cursor:
            return sorted(found)


@given(seed=seeds, size=sizes, name=st.sampled_from(["scores", "deadlines"]))
@settings(max_examples=25, deadline=None)
def test_orders(disk: Disk, seed: int, size: int, name: str) -> None:
    rng, mine, model = Random(seed), shelf(disk).order(name, ()), SortedList()
    asks = rng.choice([0.0, 0.02, 0.3])
    bias = rng.choice([0, -1])
    for step in range(size * 4):
        if len(model) > rng.randrange(1, size + 1):
            value = model[bias if rng.random() < 0.6 else rng.randrange(len(model))]
            mine.remove(value)
            model.remove(value)
        else:
            number: Any = score(rng) if name == "scores" else rng.randrange(1, 1 << 40)
            value = (number, b"%d" % step)
            mine.add(value)
            model.add(value)
        if rng.random() < 0.05:
            disk.commit()
        if rng.random() < asks:
            same_order(rng, mine, model)
        if rng.random() < 0.01:
            mine = shelf(disk, {name: mine.front}, **{name: len(mine)}).order(name, ())
    same_order(rng, mine, model)
    assert list(map(repr, mine)) == list(map(repr, model))


def same_order(rng: Random, mine: Any, model: Any) -> None:
    assert len(mine) == len(model)
    if not len(model):
        assert list(mine.islice(0, 5)) == []
        return
    start, stop = sorted(rng.randrange(len(model) + 1) for _ in range(2))
    for reverse in (False, True):
        assert list(mine.islice(start, stop, reverse)) == list(model.islice(start, stop, reverse))
    at = rng.randrange(-len(model), len(model))
    assert mine[0] == model[0]
    assert mine[at] == model[at]
    for value in (model[at], (model[at][0], b""), (model[at][0], b"99999")):
        assert mine.bisect_left(value) == model.bisect_left(value)


@given(seed=seeds, size=sizes)
@many
def test_sequences(disk: Disk, seed: int, size: int) -> None:
    rng, mine, model = Random(seed), shelf(disk).sequence(), deque[bytes]()
    for step in range(size):
        act = rng.choice(ACTS if step % 50 < 49 else [deque.clear])
        value, at = b"%d" % step, rng.randrange(len(model)) if model else -1
        if at >= 0 or act in ACTS[:3]:
            for items in (mine, model):
                getattr(items, act.__name__)(*arguments(act, value, max(at, 0)))
        if rng.random() < 0.1:
            disk.commit()
        if rng.random() < 0.05:
            mine = shelf(disk, head=mine.head, tail=mine.tail).sequence()
        assert len(mine) == len(model)
    assert list(mine) == list(model)
    assert list(reversed(mine)) == list(reversed(model))
    start, stop = sorted(rng.randrange(len(model) + 1) for _ in range(2))
    assert mine.slice(start, stop) == list(model)[start:stop]
    assert [mine[at] for at in range(-len(model), len(model))] == [*model, *model]


ACTS: list[Any] = [
    *(deque.extend, deque.extendleft, deque.insert),
    *(deque.pop, deque.popleft, deque.__setitem__, deque.__delitem__),
]


def arguments(act: Any, value: bytes, at: int) -> list[Any]:
    if act in (deque.extend, deque.extendleft):
        return [[value, value + b"x"]]
    if act in (deque.insert, deque.__setitem__):
        return [at, value]
    return [at] if act is deque.__delitem__ else []


def test_taking_from_an_empty_sequence_is_an_error(disk: Disk) -> None:
    empty = shelf(disk).sequence()
    for take in (empty.pop, empty.popleft, lambda: empty[0]):
        with pytest.raises(IndexError):
            take()


@given(seed=seeds, size=sizes)
@many
def test_entries(disk: Disk, seed: int, size: int) -> None:
    rng, mine, model = Random(seed), shelf(disk).entries(), SortedDict()
    last = rng.choice([0, 1 << 64, (1 << 128) - 2 - size * 4])
    for _ in range(size * 2):
        if len(model) and rng.random() < 0.4:
            gone = model.peekitem(0)[0] if rng.random() < 0.7 else rng.choice(list(model))
            del mine[gone], model[gone]
        else:
            last += rng.choice([1, 2])
            entry_id = last if rng.random() < 0.9 else rng.randrange(last)
            mine[entry_id] = model[entry_id] = (b"f", b"%d" % entry_id)
        if rng.random() < 0.1:
            disk.commit()
        if rng.random() < 0.05:
            mine = shelf(disk, {"entries": mine.front}, entries=len(mine)).entries()
        assert len(mine) == len(model)
        if len(model):
            at = rng.choice([0, -1])
            assert mine.peekitem(at) == model.peekitem(at)
    ends = [None, 0, (1 << 128) - 1, *model, *[key + 1 for key in model]]
    for _ in range(20):
        low, high = rng.choice(ends), rng.choice(ends)
        inclusive, reverse = (rng.random() < 0.5, rng.random() < 0.5), rng.random() < 0.5
        if low is None or high is None or low <= high:
            assert list(mine.irange(low, high, inclusive, reverse)) == list(
                model.irange(low, high, inclusive, reverse)
            )
    assert all(entry_id in mine and mine.get(entry_id) == fields for entry_id, fields in model.items())
    assert list(mine.values()) == list(model.values())
    assert last + 1 not in mine
    assert mine.get(last + 1) is None


@given(st.lists(st.floats(allow_nan=False), min_size=2))
def test_scores_sort_as_their_bytes_do(scores: list[float]) -> None:
    assert [score_in(data) for data in sorted(map(sortable, scores))] == sorted(scores)


stamps = st.integers(0, (1 << 96) - 1)
records = st.tuples(
    stamps,
    st.one_of(st.none(), st.binary(), st.floats(allow_nan=False), st.just("hash")),
    stamps,
    st.integers(0, 1 << 62),
    st.one_of(
        st.none(),
        stamps,
        st.lists(st.tuples(stamps, st.integers(1, 99), st.integers(-(1 << 63), (1 << 63) - 1))).map(tuple),
    ),
)


@given(records)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    if not record[2]:
        record = (*record[:3], 0, record[4])
    assert decode_record(encode_record(record)) == record
