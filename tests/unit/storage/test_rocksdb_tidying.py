"""The room of what was deleted comes back, also where nothing is written any more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines import folder
from tests.unit.storage.test_rocksdb_store import keyspace, opened
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.rocksdb.tidying import Tidying

KEYS = 5000
VALUE_BYTES = 1000
ELEMENTS = 60_000


@pytest.fixture
def path() -> Iterator[Path]:
    with folder() as name:
        yield Path(name)


def tables(path: Path) -> int:
    """Bytes."""
    return sum([file.stat().st_size for file in path.glob("*.sst")])


def many_keys(ks: StoreKeyspace) -> None:
    for number in range(KEYS):
        ks.put(b"%d" % number, ks.rng.randbytes(VALUE_BYTES))  # type: ignore[attr-defined]


def large_set(ks: StoreKeyspace) -> None:
    ks.set_at(b"k").add([ks.rng.randbytes(30) for _ in range(ELEMENTS)])  # type: ignore[attr-defined]


def flush(ks: StoreKeyspace) -> None:
    ks.flush(0, 16383)


def delete_and_collect(ks: StoreKeyspace) -> None:
    ks.delete(b"k")
    slot = ks.store.slot_of(b"k")
    ks.store.commit()
    raise_cutoff(ks.store, slot, ks.clock.last | (1 << NODE_BITS) - 1)


@pytest.mark.parametrize(
    ("fill", "empty", "least"),
    [(many_keys, flush, KEYS * VALUE_BYTES), (large_set, delete_and_collect, ELEMENTS * 40)],
)
async def test_room_comes_back(
    path: Path,
    fill: Callable[[StoreKeyspace], None],
    empty: Callable[[StoreKeyspace], None],
    least: int,
) -> None:
    store = opened(str(path))
    ks = keyspace(store)
    fill(ks)
    store.commit()
    store.disk.database.flush(True)
    assert tables(path) > least
    empty(ks)
    store.commit()
    tidying = Tidying(store.disk)
    await tidying.tidy()
    assert tidying.ranges > 0
    assert tables(path) < least / 20
    await tidying.tidy()
    assert not store.disk.hollow
    store.close()
