"""The store in the corners: flushes that meet moved deadlines, and what is left in the schedule."""

import pytest

from tests.engines import MakeStore
from tests.unit.storage.test_store import T0, flush, put, stamp, told
from trio_dynomite.data.effect import EXPIRE
from trio_dynomite.data.record import is_live
from trio_dynomite.storage.expiry import expire


def test_a_flush_kills_what_is_older_though_its_deadline_moved_since(make_store: MakeStore) -> None:
    """EXPIRE was served where the flush had not come yet: the value is older than the flush all the same."""
    here, there = make_store(lambda key: 3), make_store(lambda key: 3)
    expire = [EXPIRE, 3, b"k", 7, None, T0 + 9999]
    told(here, put(1, b"v"), flush(5), expire)
    told(there, put(1, b"v"), expire, flush(5))

    assert not is_live(there.get(3, b"k"), T0)
    assert here.slot_digests([3])[0] == there.slot_digests([3])[0]
    assert here.key_count(3, 3) == there.key_count(3, 3) == 0


@pytest.mark.parametrize("now_ms", [T0 + 1000, T0 + 5000])
def test_what_was_stripped_leaves_the_schedule(make_store: MakeStore, now_ms: int) -> None:
    store = make_store(lambda key: 3)
    for number in range(10):
        store.put(3, b"%d" % number, stamp(1), b"v", T0 + 500)

    assert expire(store, now_ms, 100) == 10
    assert store.dead[3] == 10
    assert not store.deadlines.all_keys()


def test_renewing_a_deadline_does_not_fill_the_schedule(make_store: MakeStore) -> None:
    """A session kept alive by EXPIRE, a lock renewed all day."""
    store = make_store(lambda key: 3)
    for second in range(3600):
        now_ms = T0 + second * 1000
        store.put(3, b"k", stamp(second + 1), b"v", now_ms + 30_000)
        expire(store, now_ms, 100)

    assert len(store.deadlines) == len(store.deadlines.all_keys()) == 1
    assert store.get(3, b"k")[1] == b"v"
