"""The laws of the join, as stores keep them: the order does not matter, twice is once, engines are alike."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.contract_engines import ENGINES, LISTING, ON_SERVERS, Engine, MemoryEngine
from tests.conformance.store_model import Model
from tests.conformance.test_contract import histories, known, sent
from tests.properties.test_merge_types import EVERYTHING, KEYS, Site, run
from trio_dynomite.data.effect import Flat, record_effect, unpack_record
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import redis_slot

Told = tuple[int, Flat]
SLOTS = sorted({redis_slot(key) for key in KEYS})


def tellings(sites: list[Site]) -> tuple[list[Told], list[Told]]:
    """What some nodes tell that wrote the same keys: every effect, and in the end their records."""
    effects = [(site.id, effects) for site in sites for effects in site.told]
    records = [
        (site.id, record_effect(redis_slot(key), key, site.record(key))) for site in sites for key in KEYS
    ]
    return effects, records


def contents(engine: Engine, store: Store) -> dict[bytes, Any]:
    """All that a store knows, and the digest of each slot."""
    found: dict[bytes, Any] = {}

    def look() -> None:
        found.update({key: known(record) for slot in SLOTS for key, record in store.scan(slot)})
        found[b"digests"] = store.slot_digests(SLOTS)

    engine.looking(store, SLOTS, look)
    return found


@pytest.mark.parametrize("name", LISTING)
def test_stores_that_are_told_the_same_know_the_same(name: str) -> None:
    @histories(name if name in ON_SERVERS else "slow")
    @given(seed=st.integers(0, 2**20), order=st.randoms(use_true_random=False))
    def check(seed: int, order: Random) -> None:
        effects, records = tellings(run(MemoryStore, seed, EVERYTHING, deliver=0.3))
        engine = ENGINES[name]()
        stores: list[tuple[Engine, Store]] = [
            (engine, engine.open(redis_slot)),
            (MemoryEngine(), MemoryStore(redis_slot)),
        ]
        try:
            compare(stores, effects, records, order)
        finally:
            engine.end()

    check()


def compare(
    stores: list[tuple[Engine, Store]], effects: list[Told], records: list[Told], order: Random
) -> None:
    """Tell all of them all of it, each in another order, and the model the records once."""
    model = Model(redis_slot)
    for origin, told in records:
        model.tell(origin, sent(told))
    expected = {key: known(model.get(key)) for key in model.facts}
    for engine, store in stores:
        for some in (effects * 2, records * 2):
            order.shuffle(some)
            for origin, told in some:
                engine.at_hand(store, KEYS)
                store.apply(origin, sent(told))
            store.commit()
        engine.lapse(store)
        assert contents(engine, store) == {
            **expected,
            b"digests": [model.slot_digest(slot) for slot in SLOTS],
        }
        engine.at_hand(store, KEYS)
        for _, (_, slot, key, _, packed, _) in records:
            assert not store.join(slot, key, unpack_record(sent(packed))), "that is no news any more"
