"""The keyspace in the corners: empty strings, the empty key, totals beyond 64 bits, idle times."""

import msgspec
import pytest

from tests.engines import MakeStore
from tests.unit.storage.test_keyspace import NOW, at, make_keyspace
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.topology.partitioner import redis_slot

MOST = 2**63 - 1


@pytest.fixture
def ks(make_store: MakeStore) -> StoreKeyspace:
    return make_keyspace(make_store)


def test_an_empty_string_is_no_number(ks: StoreKeyspace) -> None:
    ks.put(b"k", b"")

    with pytest.raises(CommandError, match="ERR value is not an integer or out of range"):
        ks.count(b"k", 1)
    assert ks.get(b"k") == b""


@pytest.mark.parametrize("sign", [1, -1])
def test_a_running_total_stays_within_what_a_frame_can_carry(
    make_store: MakeStore, ks: StoreKeyspace, sign: int
) -> None:
    """From one end of 64 bits to the other is more than 64 bits."""
    ks.put(b"k", b"%d" % (sign * MOST), NOW + 1000)
    for _ in range(3):
        assert ks.count(b"k", -sign * MOST) == 0
        assert ks.count(b"k", -sign * MOST) == -sign * MOST
        assert ks.count(b"k", sign * MOST) == 0
        assert ks.count(b"k", sign * MOST) == sign * MOST
    ks.count(b"k", -sign * MOST)
    ks.count(b"k", -sign * MOST)
    replica = make_store(redis_slot)

    effects = msgspec.msgpack.decode(msgspec.msgpack.encode(ks.effects))
    assert replica.apply(9, effects) == []
    slot = redis_slot(b"k")
    assert replica.get(slot, b"k") == ks.store.get(slot, b"k")
    assert (ks.get(b"k"), ks.deadline(b"k")) == (b"%d" % (-sign * MOST), NOW + 1000)


def test_the_empty_key_has_its_own_slot_from_the_start(ks: StoreKeyspace) -> None:
    ks.put(b"", b"v")

    assert ks.get(b"") == b"v"
    assert ks.effects is not None
    assert ks.effects[1] == redis_slot(b"")
    assert b"" in ks.store.records[redis_slot(b"")]


def test_an_absent_key_is_not_idle(ks: StoreKeyspace) -> None:
    ks.put(b"deleted", b"v")
    ks.delete(b"deleted")
    ks.put(b"expired", b"v", NOW + 10)
    at(ks, 5000)

    assert [ks.idle_s(key) for key in (b"never", b"deleted", b"expired")] == [0, 0, 0]
