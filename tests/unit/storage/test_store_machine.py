"""Whatever happens to a store, what it keeps by difference is what one finds by counting."""

from typing import Any

import xxhash
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.engines import MakeStore, examples
from trio_dynomite.data.effect import COUNT, EXPIRE, FLUSH, PATCH, PUT, record_effect
from trio_dynomite.data.record import DIGEST_MASK, Record, digest
from trio_dynomite.data.stamp import pack
from trio_dynomite.storage.expiry import expire

NODE, ORIGIN = 9, 77
T0 = 1_700_000_000_000
KEYS = [b"%d" % number for number in range(6)]
keys = st.sampled_from(KEYS)
clocks = st.integers(1, 30)
deadlines = st.one_of(st.just(0), st.integers(-3000, 6000).map(lambda ms: T0 + ms))


def slot_of(key: bytes) -> int:
    return int(key) % 2


class StoreMachine(RuleBasedStateMachine):
    """Effects, records, flushes and sweeps in any order."""

    def __init__(self, make_store: MakeStore) -> None:
        super().__init__()
        self.store = make_store(slot_of)
        self.now_ms = T0
        self.written: dict[int, tuple[bytes | None, int]] = {}
        self.fresh = 200

    def _stamped(self, clock: int, value: bytes | None, deadline_ms: int) -> tuple[bytes | None, int]:
        return self.written.setdefault(clock, (value, deadline_ms if value is not None else 0))

    def _tell(self, kind: int, key: bytes, clock: int, payload: Any, deadline_ms: int) -> None:
        self.store.apply(NODE, [kind, slot_of(key), key, clock, payload, deadline_ms])

    @rule(key=keys, clock=clocks, value=st.sampled_from([None, b"1", b"22"]), deadline_ms=deadlines)
    def put(self, key: bytes, clock: int, value: bytes | None, deadline_ms: int) -> None:
        self._tell(PUT, key, clock, *self._stamped(clock, value, deadline_ms))

    @rule(key=keys, value=st.sampled_from([None, b"7"]), deadline_ms=deadlines)
    def write(self, key: bytes, value: bytes | None, deadline_ms: int) -> None:
        self.fresh += 1
        self.store.put(slot_of(key), key, self.fresh << 32 | NODE, value, deadline_ms if value else 0)

    @rule(key=keys, clock=clocks, deadline_ms=deadlines)
    def expire_at(self, key: bytes, clock: int, deadline_ms: int) -> None:
        self._tell(EXPIRE, key, clock + 40, None, deadline_ms)

    @rule(key=keys, sequence=st.integers(1, 5))
    def count(self, key: bytes, sequence: int) -> None:
        base = self.store.get(slot_of(key), key)[0]
        self._tell(COUNT, key, 90, [pack(base), pack(ORIGIN), sequence, sequence * 2], 0)

    @rule(key=keys, clock=clocks)
    def patch(self, key: bytes, clock: int) -> None:
        parent = self.store.get(slot_of(key), key)[0]
        self._tell(PATCH, key, clock + 60, [pack(parent), b"append", b"x"], 0)

    @rule(key=keys, other=keys)
    def tell_a_record(self, key: bytes, other: bytes) -> None:
        record = self.store.get(slot_of(other), other)
        effects = record_effect(slot_of(key), key, record)
        self.store.apply(NODE, effects)
        self.store.join(slot_of(key), key, record)

    @rule(clock=st.integers(1, 120), last=st.integers(0, 1))
    def flush(self, clock: int, last: int) -> None:
        self._tell(FLUSH, b"0", clock, [0, last], 0)

    @rule(pass_ms=st.integers(0, 2500), limit=st.integers(1, 8))
    def sweep(self, pass_ms: int, limit: int) -> None:
        self.now_ms += pass_ms
        before = self._records()
        assert expire(self.store, self.now_ms, limit) <= limit
        for key, record in self._records().items():
            if record != before[key]:
                assert before[key][3] <= self.now_ms, "stripped before its time"

    def _records(self) -> dict[bytes, Record]:
        return {key: record for slot in (0, 1) for key, record in self.store.scan(slot)}

    @invariant()
    def what_is_kept_by_difference_is_true(self) -> None:
        store = self.store
        for slot in (0, 1):
            records = dict(store.scan(slot))
            weighed = [xxhash.xxh3_64_intdigest(key) * digest(record) for key, record in records.items()]
            live = [key for key, record in records.items() if record[1] is not None]
            assert (store.sums[slot] - sum(weighed)) & DIGEST_MASK == 0
            assert store.dead[slot] == len(records) - len(live)
            assert store.key_count(slot, slot) == len(live)
            assert not any(max(record[0], record[2]) < store.floors[slot] for record in records.values())

    @invariant()
    def everything_that_expires_is_in_the_schedule(self) -> None:
        planned = self.store.deadlines.all_keys()
        for key, record in self._records().items():
            assert record[1] is None or not record[3] or key in planned

    def teardown(self) -> None:
        for _ in range(100):
            self.now_ms += 500
            expire(self.store, self.now_ms, 5)
        assert all(record[1] is None or not record[3] for record in self._records().values())
        assert not self.store.deadlines.all_keys(), "and the schedule is empty in the end"


def test_a_store_in_any_order_of_things(make_store: MakeStore) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: StoreMachine(make_store), settings=settings(examples(make_store, 60), stateful_step_count=40)
    )
