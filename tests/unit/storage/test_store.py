"""The store, over every engine: reads, joins, gaps, flushes and the expiry schedule."""

from typing import Any

import pytest

from tests.engines import MakeStore
from trio_dynomite.data import effect
from trio_dynomite.data.effect import COUNT, EXPIRE, FLUSH, PATCH, PUT
from trio_dynomite.data.record import ABSENT, Record, is_live
from trio_dynomite.data.stamp import pack
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.memory import MemoryStore
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import redis_slot

NODE = 9
T0 = 1_700_000_000_000


def stamp(clock: int) -> int:
    return clock << 32 | NODE


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(lambda key: 3)


def told(store: Store, *effects: list[Any], now_ms: int = T0) -> list[bytes]:
    """What `apply` says to a frame of these effects."""
    return store.apply(NODE, [value for effect in effects for value in effect])


def put(clock: int, value: bytes | None, key: bytes = b"k", deadline_ms: int = 0) -> list[Any]:
    return [PUT, 3, key, clock, value, deadline_ms]


def flush(clock: int, first: int = 0, last: int = 10) -> list[Any]:
    return [FLUSH, first, b"", clock, [first, last], 0]


def test_a_put_is_read_back_and_counted(store: Store) -> None:
    assert told(store, put(1, b"v"), put(2, b"w", b"other")) == []

    assert store.get(3, b"k") == (stamp(1), b"v", 0, 0, None)
    assert store.key_count(0, 16383) == 2
    assert store.key_count(4, 16383) == 0


def test_a_deleted_key_is_remembered_and_not_counted(store: Store) -> None:
    told(store, put(1, b"v"), put(2, None))

    assert store.get(3, b"k") == (stamp(2), None, 0, 0, None)
    assert store.key_count(0, 16383) == 0
    told(store, put(1, b"v"))
    assert not is_live(store.get(3, b"k"), T0), "an old write does not bring it back"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [(COUNT, [pack(stamp(5)), pack(77), 1, 1]), (PATCH, [pack(stamp(5)), b"append", b"x"])],
)
def test_what_builds_on_something_unknown_is_a_gap_and_the_rest_is_joined(
    store: Store, kind: int, payload: list[Any]
) -> None:
    gaps = told(store, put(1, b"a", b"a"), [kind, 3, b"k", 6, payload, 0], put(2, b"z", b"z"))

    assert gaps == [b"k"]
    assert store.get(3, b"k") == ABSENT
    assert store.get(3, b"a")[1] == b"a"
    assert store.get(3, b"z")[1] == b"z"


def test_a_gap_is_closed_by_the_whole_record(store: Store) -> None:
    record: Record = (stamp(6), b"ax", 0, 0, None)

    assert told(store, effect.record_effect(3, b"k", record)) == []
    assert told(store, [PATCH, 3, b"k", 7, [pack(stamp(6)), b"append", b"y"], 0]) == []
    assert store.get(3, b"k")[1] == b"axy"


def test_join_says_whether_it_was_news(store: Store) -> None:
    record: Record = (stamp(6), b"v", 0, 0, None)

    assert store.join(3, b"k", record)
    assert not store.join(3, b"k", record)
    assert not store.join(3, b"k", (stamp(5), b"old", 0, 0, None))


def test_a_flush_kills_what_is_older_and_spares_what_is_newer(store: Store) -> None:
    told(store, put(1, b"v"), put(9, b"w", b"new"), put(2, None, b"gone"), flush(5))

    assert store.key_count(0, 16383) == 1
    assert store.get(3, b"k") == (stamp(5), None, 0, 0, None)
    assert [key for key, _ in store.scan(3)] == [b"new"]


@pytest.mark.parametrize("late", [put(4, b"v"), put(4, None), [EXPIRE, 3, b"k", 4, None, T0 + 9]])
def test_what_comes_late_and_is_older_than_the_flush_stays_dead(store: Store, late: list[Any]) -> None:
    told(store, flush(5))

    assert told(store, late) == []
    assert not store.join(3, b"k", (stamp(4), b"v", 0, 0, None))
    assert list(store.scan(3)) == []


def test_an_older_flush_changes_nothing(store: Store) -> None:
    told(store, flush(5), put(6, b"v"), flush(4))

    assert store.floors[3] == stamp(5)
    assert store.get(3, b"k")[1] == b"v"


def test_a_flush_reaches_its_slots_only(store: Store) -> None:
    told(store, put(1, b"v"), flush(5, 4, 16383), flush(5, 0, 2))

    assert store.get(3, b"k")[1] == b"v"


def test_replicas_agree_on_a_slot_in_whatever_order_a_flush_comes(make_store: MakeStore) -> None:
    here, there, empty = (make_store(lambda key: 3) for _ in range(3))
    told(here, put(1, b"a"), flush(5), put(6, b"b", b"new"))
    told(there, put(6, b"b", b"new"), flush(5), put(1, b"a"))

    assert here.slot_digests([3])[0] == there.slot_digests([3])[0] != empty.slot_digests([3])[0]


def test_what_goes_out_of_sight_of_the_collector_is_still_there() -> None:
    store = MemoryStore(lambda key: 3)
    told(store, put(1, b"v"))
    store.freeze()

    assert list(store.scan(3)) == [(b"k", (stamp(1), b"v", 0, 0, None))]
    assert store.key_count(0, 16383) == 1


def test_a_scan_is_not_disturbed_by_changes(make_store: MakeStore) -> None:
    store = make_store(redis_slot)
    slot = redis_slot(b"{t}1")
    for number in range(10):
        store.put(slot, b"{t}%d" % number, stamp(1), b"v", 0)

    seen = []
    for key, _ in store.scan(slot):
        seen.append(key)
        store.put(slot, b"{t}more" + key, stamp(2), b"v", 0)

    assert len(seen) == 10


class TestExpiry:
    def test_nothing_is_stripped_early_and_everything_within_a_second(self, store: Store) -> None:
        deadlines = {b"%d" % n: T0 + n * 137 for n in range(1, 40)}
        for key, deadline_ms in deadlines.items():
            store.put(3, key, stamp(1), b"v", deadline_ms)

        for now_ms in range(T0, T0 + 8000, 50):
            expire(store, now_ms, 1000)
            for key, deadline_ms in deadlines.items():
                stripped = store.get(3, key)[1] is None
                assert not stripped or deadline_ms <= now_ms
                assert stripped or now_ms < deadline_ms + 1000 + 50

        assert store.dead[3] == len(deadlines)

    def test_a_stripped_key_keeps_its_digest_and_all_else(self, store: Store) -> None:
        store.put(3, b"k", stamp(1), b"v", T0 + 5)
        before = store.slot_digests([3])[0]
        expire(store, T0 + 2000, 10)

        assert store.get(3, b"k") == (stamp(1), None, stamp(1), T0 + 5, None)
        assert store.slot_digests([3])[0] == before

    def test_a_call_looks_at_no_more_than_its_limit(self, store: Store) -> None:
        for number in range(25):
            store.put(3, b"%d" % number, stamp(1), b"v", T0 + 1 + number % 3 * 1000)

        assert [expire(store, T0 + 9000, 10) for _ in range(3)] == [10, 10, 5]
        assert store.dead[3] == 25

    @pytest.mark.parametrize("later", [T0 + 60_000, 0], ids=["moved", "removed"])
    def test_a_deadline_that_was_moved_is_not_kept(self, store: Store, later: int) -> None:
        store.put(3, b"k", stamp(1), b"v", T0 + 1000)
        told(store, [EXPIRE, 3, b"k", 2, None, later])
        expire(store, T0 + 30_000, 10)

        assert store.get(3, b"k")[1] == b"v"
        expire(store, T0 + 70_000, 10)
        assert (store.get(3, b"k")[1] is None) is bool(later)

    def test_a_deadline_that_was_moved_forward_is_kept(self, store: Store) -> None:
        store.put(3, b"k", stamp(1), b"v", T0 + 60_000)
        told(store, [EXPIRE, 3, b"k", 2, None, T0 + 1000])
        expire(store, T0 + 2500, 10)

        assert store.get(3, b"k")[1] is None

    def test_a_key_written_anew_outlives_its_old_deadline(self, store: Store) -> None:
        store.put(3, b"k", stamp(1), b"v", T0 + 1000)
        store.put(3, b"k", stamp(2), b"w", 0)
        expire(store, T0 + 5000, 10)

        assert store.get(3, b"k")[1] == b"w"

    def test_a_deadline_already_past_when_it_comes_is_kept_too(self, store: Store) -> None:
        """A replica hears of it late, after its sweep went by."""
        expire(store, T0 + 10_000, 10)
        told(store, put(1, b"v", deadline_ms=T0 + 1000), now_ms=T0 + 10_000)
        expire(store, T0 + 11_000, 10)

        assert store.get(3, b"k")[1] is None

    def test_a_wall_clock_that_jumps_back_delays_but_loses_nothing(self, store: Store) -> None:
        expire(store, T0 + 100_000, 10)
        store.put(3, b"k", stamp(1), b"v", T0 + 2000)
        expire(store, T0 + 1000, 10)
        assert store.get(3, b"k")[1] == b"v"

        for now_ms in range(T0 + 1000, T0 + 110_000, 500):
            expire(store, now_ms, 10)
        assert store.get(3, b"k")[1] is None
