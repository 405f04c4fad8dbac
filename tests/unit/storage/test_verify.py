"""Verification finds what has drifted from the records, and mends it."""

from random import Random

import pytest

from tests.engines import MakeStore
from trio_dynomite.data.record import COUNTS
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.verify import verify
from trio_dynomite.topology.partitioner import redis_slot

SLOT = redis_slot(b"k")


@pytest.mark.parametrize("what", ["sum", "dead", "body"])
def test_what_has_drifted_is_found_once(make_store: MakeStore, what: str) -> None:
    store = make_store(redis_slot)
    clock = HybridClock(1)
    ks = StoreKeyspace(store, clock, origin=clock.next(), rng=Random(1))
    ks.hash_at(b"k").put([(b"f", b"1"), (b"g", b"2")])
    ks.put(b"{k}", b"v")
    ks.delete(b"{k}")
    right = store.slot_digests([SLOT])[0], store.dead[SLOT]
    assert verify(store, SLOT)

    if what == "sum":
        store.sums[SLOT] += 1
    elif what == "dead":
        store.dead[SLOT] += 1
    else:
        store.get(SLOT, b"k")[COUNTS].sum += 1

    assert not verify(store, SLOT)
    assert verify(store, SLOT)
    assert (store.slot_digests([SLOT])[0], store.dead[SLOT]) == right
