"""Snapshots as bytes: what goes in comes out, of every type; what is damaged is refused."""

import io
from typing import Any

import pytest

from trio_dynomite.coordinator.build import in_memory
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.errors import SnapshotError
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.snapshot import MARK, _frame, load, pieces
from trio_dynomite.storage.store import Store
from trio_dynomite.testing.soundness import plain, unsound
from trio_dynomite.testing.storm import FlushedStorm
from trio_dynomite.topology.partitioner import make

PARTITIONER = make("slots", "{}")
FACTS = {"node": "n1", "time_ms": 5, "partitioner": PARTITIONER.fingerprint}


def saved(store: Store) -> bytes:
    return b"".join(pieces(store, FACTS))


def loaded(data: bytes) -> tuple[Store, dict[str, Any]]:
    store = in_memory(PARTITIONER)
    return store, load(io.BytesIO(data).read, store, PARTITIONER.fingerprint)


def known(store: Store) -> dict[bytes, Any]:
    return {key: plain(record) for slot in store.records for key, record in slot.items()}


def small() -> Store:
    store = MemoryStore(PARTITIONER.slot)
    for number in range(1, 40):
        key = b"%d" % (number % 30)
        store.put(
            PARTITIONER.slot(key), key, number << NODE_BITS, None if number % 7 == 0 else b"v" * number, 0
        )
    store.put(PARTITIONER.slot(b""), b"", 50 << NODE_BITS, b"of the empty key", 90_000)
    store.flush(100, 200, 60 << NODE_BITS)
    raise_cutoff(store, PARTITIONER.slot(b"21"), 30 << NODE_BITS)
    return store


def test_everything_that_chaos_made_comes_back() -> None:
    storm = FlushedStorm(3)
    storm.simulation.start()
    storm._begin()
    kinds: set[str] = set()
    node = next(iter(storm.simulation.nodes.values()))
    for _ in range(25):
        storm.simulation.run_for(0.4)
        store = node.engine.keyspace.store
        again, facts = loaded(saved(store))
        assert facts["node"] == "n1"
        assert known(again) == known(store)
        assert (again.floors, again.cutoffs, again.bars) == (store.floors, store.cutoffs, store.bars)
        assert again.slot_digests([*range(16384)]) == store.slot_digests([*range(16384)])
        assert again.dead == store.dead
        assert not list(unsound(again))
        kinds |= {record[1] for slot in store.records for record in slot.values() if type(record[1]) is str}
    assert kinds == {"hash", "set", "zset", "list", "stream"}
    assert any(store.floors)


def test_the_newest_stamp_is_known() -> None:
    assert loaded(saved(small()))[0].newest == 60 << NODE_BITS


def test_what_was_forgotten_is_known_to_be() -> None:
    slot = PARTITIONER.slot(b"21")
    store = loaded(saved(small()))[0]
    assert (store.cutoffs[slot], store.bars[slot]) == (30 << NODE_BITS, 30 << NODE_BITS)
    assert b"21" not in store.records[slot]


def test_one_that_was_cut_anywhere_is_refused() -> None:
    data = saved(small())
    for length in range(0, len(data), 7):
        with pytest.raises(SnapshotError):
            loaded(data[:length])


def test_one_in_which_a_byte_has_changed_is_refused() -> None:
    data = saved(small())
    for at in range(0, len(data), 7):
        with pytest.raises(SnapshotError):
            loaded(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])


@pytest.mark.parametrize("facts", [{"partitioner": "murmur"}, {"format": 2}])
def test_one_of_another_kind_is_refused(facts: dict[str, Any]) -> None:
    data = b"".join(pieces(small(), {**FACTS, **facts}))
    with pytest.raises(SnapshotError, match="it is of format and"):
        loaded(data)


def test_what_a_later_version_adds_is_skipped() -> None:
    numbers = {"floor": (9 << NODE_BITS).to_bytes(12), "tide": b"\1" * 12}
    data = MARK + _frame({"format": 1, "later": [1], **FACTS}) + _frame([7, numbers, []])
    store, facts = loaded(data + _frame({"records": 0}))
    assert store.floors[7] == 9 << NODE_BITS
    assert facts["later"] == [1]


def test_it_goes_in_small_pieces_and_the_store_may_change_meanwhile() -> None:
    store = MemoryStore(lambda key: 5)
    for number in range(5000):
        store.put(5, b"%d" % number, (number + 1) << NODE_BITS, b"v" * 100, 0)
    made = []
    for piece in pieces(store, FACTS):
        assert len(piece) < 300_000
        made.append(piece)
        if len(made) == 3:
            store.flush(0, 100, 4000 << NODE_BITS)
            store.put(5, b"new", 9000 << NODE_BITS, b"v", 0)
    assert len(made) > 10
    again, _ = loaded(b"".join(made))
    assert len(again.records[5]) == 5000
    for slot, key, record in [(5, key, record) for key, record in store.records[5].items()]:
        again.join(slot, key, record)
    again.flush(0, 100, 4000 << NODE_BITS)
    assert known(again) == known(store)


def test_the_empty_key_outlives_the_freezing() -> None:
    store, _ = loaded(saved(small()))
    slot = PARTITIONER.slot(b"")
    before = store.records[slot][b""]
    store.freeze()
    assert store.records[slot] == {b"": before}
