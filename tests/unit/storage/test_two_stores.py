"""A primary's effects, late, doubled and in any order, make a replica that is equal to it."""

import random
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.engines import MakeStore, examples
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.effect import record_effect
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.errors import CommandError
from trio_dynomite.storage.expiry import expire
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.store import Store

NOW, NODE = 1_700_000_000_000, 9
SLOTS = 2
KEYS = [b"0", b"1", b"2", b"3"]
COMMANDS = [
    b"SET %k 5",
    b"SET %k text",
    b"SET %k 7 PX 300",
    b"SET %k 8 KEEPTTL",
    b"SETNX %k 1",
    b"GETSET %k 4",
    b"GETDEL %k",
    b"GETEX %k PX 500",
    b"GETEX %k PERSIST",
    b"APPEND %k 1",
    b"SETRANGE %k 3 22",
    b"INCR %k",
    b"INCRBY %k -3",
    b"INCRBYFLOAT %k 1",
    b"DEL %k",
    b"PEXPIRE %k 200",
    b"PEXPIRE %k 0",
    b"PERSIST %k",
    b"COPY %k %k2 REPLACE",
    b"RENAME %k %k2",
    b"FLUSH",
]
steps = st.lists(
    st.tuples(st.sampled_from(COMMANDS), st.sampled_from(KEYS), st.sampled_from(KEYS), st.integers(0, 150)),
    max_size=30,
)


def slot_of(key: bytes) -> int:
    return key[0] % SLOTS


class Primary:
    """A keyspace that runs commands; each command's effects are one frame."""

    def __init__(self, make_store: MakeStore) -> None:
        clock = HybridClock(NODE)
        clock.advance(NOW)
        self.now_ms = NOW
        self.keyspace = StoreKeyspace(make_store(slot_of), clock, origin=clock.next(), rng=Random(1))
        self.frames: list[bytes] = []

    def run(self, words: bytes, key: bytes, other: bytes, pass_ms: int) -> None:
        self.now_ms += pass_ms
        ks = self.keyspace
        ks.clock.advance(self.now_ms)
        ks.effects = []
        if words == b"FLUSH":
            ks.flush(0, slot_of(key))
        else:
            args = words.replace(b"%k2", other).replace(b"%k", key).split()
            try:
                handler = lookup(args).handler
                assert handler is not None
                handler(ks, args)
            except CommandError:
                assert ks.effects == [], "a command that is refused changed something"
        if ks.effects:
            self.frames.append(msgspec.msgpack.encode(ks.effects))


def deliver(primary: Primary, replica: Store, frame: bytes, now_ms: int) -> None:
    """Apply a frame; a gap is answered with the primary's whole record."""
    effects: list[Any] = msgspec.msgpack.decode(frame)
    for key in replica.apply(NODE, effects):
        slot = slot_of(key)
        record = record_effect(slot, key, primary.keyspace.store.get(slot, key))
        assert replica.apply(NODE, msgspec.msgpack.decode(msgspec.msgpack.encode(record))) == []


def known(store: Store) -> dict[bytes, Any]:
    """All that a store knows, without the values that have expired: those go when each of them notices."""
    return {
        key: (*record[:1], None if record[3] else record[1], *record[2:])
        for slot in range(SLOTS)
        for key, record in store.scan(slot)
    }


def test_in_order_no_gap_is_ever_found(make_store: MakeStore) -> None:
    @examples(make_store, 200)
    @given(steps)
    def check(history: list[tuple[bytes, bytes, bytes, int]]) -> None:
        primary, replica = Primary(make_store), make_store(slot_of)
        for step in history:
            before = len(primary.frames)
            primary.run(*step)
            for frame in primary.frames[before:]:
                assert replica.apply(NODE, msgspec.msgpack.decode(frame)) == []

        for slot in range(SLOTS):
            assert dict(replica.scan(slot)) == dict(primary.keyspace.store.scan(slot))
            assert replica.slot_digests([slot])[0] == primary.keyspace.store.slot_digests([slot])[0]

    check()


def test_in_any_order_and_doubled_the_stores_end_equal(make_store: MakeStore) -> None:
    @examples(make_store, 300)
    @given(steps, st.randoms(use_true_random=False))
    def check(history: list[tuple[bytes, bytes, bytes, int]], order: random.Random) -> None:
        primary, replica = Primary(make_store), make_store(slot_of)
        for step in history:
            primary.run(*step)
            if order.random() < 0.3:
                expire(primary.keyspace.store, primary.now_ms, 2)
        frames = primary.frames * 2
        order.shuffle(frames)

        for frame in frames:
            deliver(primary, replica, frame, primary.now_ms)
            if order.random() < 0.2:
                expire(replica, primary.now_ms, 2)

        assert known(replica) == known(primary.keyspace.store)
        for slot in range(SLOTS):
            assert replica.slot_digests([slot])[0] == primary.keyspace.store.slot_digests([slot])[0]
        for key in KEYS:
            there = StoreKeyspace(replica, primary.keyspace.clock, 1, rng=Random(1))
            assert there.get(key) == primary.keyspace.get(key)

    check()
