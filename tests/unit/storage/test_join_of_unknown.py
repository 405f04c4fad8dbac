"""What is learned of an unknown key is what merging it with nothing gives, short way or long."""

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.data.merge import merge
from trio_dynomite.data.record import Record
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.testing.soundness import unsound

SLOT = 5
NODE = 7
cutoffs = st.integers(0, 6).map(lambda number: number << NODE_BITS)
stamps = st.integers(0, 6).map(lambda number: number << NODE_BITS | NODE)
floors = stamps.map(lambda stamp: stamp + 1)
"""Of another node: no two writes have one stamp."""


@given(floors, cutoffs, stamps, st.sampled_from([b"v", None]), st.booleans(), cutoffs)
def test_plain_records_and_tombstones(
    floor: int, cutoff: int, stamp: int, value: bytes | None, is_known: bool, cutoff_there: int
) -> None:
    store = MemoryStore(lambda key: SLOT)
    store.flush(SLOT, SLOT, floor)
    store.set_cutoff(SLOT, cutoff)
    if is_known:
        store.put(SLOT, b"key", 9 << NODE_BITS, b"own", 0)
    record: Record = (stamp, value, 0, 0, None)
    old, bar = store.get(SLOT, b"key"), max(floor, cutoff)
    expected = merge(old, record)

    told = store.join(SLOT, b"key", record, cutoff_there)

    if is_known:
        assert (told, store.records[SLOT]) == (False, {b"key": old})
    elif stamp > bar:
        assert (told, store.records[SLOT]) == (True, {b"key": expected})
        assert expected == record
    elif cutoff_there < cutoff or stamp < floor:
        assert not told
        assert not store.records[SLOT]
    assert not list(unsound(store))
