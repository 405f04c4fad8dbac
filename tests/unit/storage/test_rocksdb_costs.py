"""What a write to a large collection costs on disk, by RocksDB's own counters: as much as to a small one.

The collections have 100,000 elements; TRIO_DYNOMITE_ELEMENTS=1000000 makes it a million. They are read anew
from disk first, so nothing of them is in memory."""

import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.engines import folder
from trio_dynomite.commands.table import lookup
from trio_dynomite.data.stamp import HybridClock
from trio_dynomite.storage.keyspace import StoreKeyspace
from trio_dynomite.storage.rocksdb.figures import counters
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.topology.partitioner import redis_slot

ELEMENTS = int(os.environ.get("TRIO_DYNOMITE_ELEMENTS", "100000"))
A_TURN = 2000
"""Elements that are put in one turn."""
OPS = 50
WRITTEN_MAX, READ_MAX, STEPS_MAX = 400, 400, 6
"""Bytes written, bytes read, and keys that were stepped over or sought, for each operation on average."""
DRAWS = 10
"""An element by chance is drawn several times, until one is hit (`cells.py`)."""

FILL: dict[str, tuple[bytes, int]] = {
    "hash": (b"HSET", 2),
    "set": (b"SADD", 1),
    "zset": (b"ZADD", 2),
    "list": (b"RPUSH", 1),
    "stream": (b"XADD", 0),
}
"""By type: what puts elements, and how many words each takes."""
OPERATIONS: dict[str, tuple[str, list[bytes]]] = {
    "a new field": ("hash", [b"HSET", b"k", b"new%d", b"v"]),
    "an old field": ("hash", [b"HSET", b"k", b"%d77", b"v"]),
    "HINCRBY": ("hash", [b"HINCRBY", b"k", b"count%d", b"1"]),
    "HDEL": ("hash", [b"HDEL", b"k", b"%d3"]),
    "HEXPIRE": ("hash", [b"HEXPIRE", b"k", b"1000", b"FIELDS", b"1", b"%d4"]),
    "SADD": ("set", [b"SADD", b"k", b"new%d"]),
    "SREM": ("set", [b"SREM", b"k", b"%d5"]),
    "SPOP": ("set", [b"SPOP", b"k"]),
    "ZADD": ("zset", [b"ZADD", b"k", b"17.5", b"new%d"]),
    "ZINCRBY": ("zset", [b"ZINCRBY", b"k", b"1", b"%d6"]),
    "ZPOPMIN": ("zset", [b"ZPOPMIN", b"k"]),
    "ZPOPMAX": ("zset", [b"ZPOPMAX", b"k"]),
    "RPUSH": ("list", [b"RPUSH", b"k", b"new"]),
    "LPUSH": ("list", [b"LPUSH", b"k", b"new"]),
    "LPOP": ("list", [b"LPOP", b"k"]),
    "RPOP": ("list", [b"RPOP", b"k"]),
    "LSET": ("list", [b"LSET", b"k", b"%d00", b"new"]),
    "XADD": ("stream", [b"XADD", b"k", b"*", b"f", b"v"]),
    "XDEL": ("stream", [b"XDEL", b"k", b"%d1-1"]),
    "EXPIRE": ("set", [b"EXPIRE", b"k", b"1%d"]),
}


class Subject:
    """A store with one collection of each type."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.open()

    def open(self) -> None:
        self.store: RocksStore = open_store(self.path, redis_slot, "slots")
        clock = HybridClock(1)
        clock.advance(1_700_000_000_000)
        clock.observe(self.store.newest)
        self.ks = StoreKeyspace(self.store, clock, origin=clock.next(), rng=Random(1))

    def run(self, args: list[bytes]) -> bytes:
        handler = lookup(args).handler
        assert handler is not None
        reply = handler(self.ks, args)
        assert reply is not None
        assert reply[:1] not in b"-!", (args, reply)
        self.ks.effects = []
        return reply

    def fill(self, kind: str) -> None:
        command, words = FILL[kind]
        for first in range(0, ELEMENTS, A_TURN):
            numbers = range(first, first + A_TURN)
            if kind == "stream":
                for number in numbers:
                    self.run([b"XADD", b"stream", b"%d-1" % (number + 1), b"f", b"v"])
            elif words == 1:
                self.run([command, kind.encode(), *[b"%d" % number for number in numbers]])
            else:
                pairs = [word for number in numbers for word in (b"%d" % number, b"%d" % number)]
                self.run([command, kind.encode(), *pairs])
            self.store.commit()


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    with folder() as path:
        subject = Subject(path)
        for kind in FILL:
            subject.fill(kind)
        yield subject
        subject.store.close()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_to_a_large_collection_costs_little(subject: Subject, name: str) -> None:
    kind, words = OPERATIONS[name]
    subject.store.close()
    subject.open()
    before = counters(subject.store.disk)
    for number in range(1, OPS + 1):
        args = [words[0], kind.encode(), *[word.replace(b"%d", b"%d" % number) for word in words[2:]]]
        subject.run(args)
        subject.store.commit()
    after = counters(subject.store.disk)
    cost = {counter: (after[counter] - before[counter]) / OPS for counter in after}
    assert cost["rocksdb.bytes.written"] < WRITTEN_MAX
    drawn = DRAWS if name == "SPOP" else 1
    assert cost["rocksdb.bytes.read"] + cost["rocksdb.db.iter.bytes.read"] < READ_MAX * drawn
    assert cost["rocksdb.number.db.next"] + cost["rocksdb.number.db.prev"] < STEPS_MAX * drawn
    assert cost["rocksdb.number.iter.skip"] < STEPS_MAX


GROUPED: dict[str, list[bytes]] = {
    "XREADGROUP": [b"XREADGROUP", b"GROUP", b"g", b"other", b"COUNT", b"1", b"STREAMS", b"stream", b">"],
    "XACK": [b"XACK", b"stream", b"g", b"%d00-1"],
    "XCLAIM": [b"XCLAIM", b"stream", b"g", b"third", b"0", b"%d11-1"],
    "XGROUP SETID": [b"XGROUP", b"SETID", b"stream", b"idle", b"%d-1"],
}


@pytest.fixture(scope="module")
def grouped(subject: Subject) -> Subject:
    """Of the stream half of the entries are delivered, and not acknowledged."""
    for group in (b"g", b"idle"):
        subject.run([b"XGROUP", b"CREATE", b"stream", group, b"0"])
    for _ in range(ELEMENTS // A_TURN // 2):
        subject.run([*GROUPED["XREADGROUP"][:5], b"%d" % A_TURN, b"STREAMS", b"stream", b">"])
        subject.store.commit()
    return subject


@pytest.mark.parametrize("name", GROUPED)
def test_a_change_of_a_group_with_much_pending_costs_little(grouped: Subject, name: str) -> None:
    grouped.store.close()
    grouped.open()
    before = counters(grouped.store.disk)["rocksdb.bytes.written"]
    for number in range(1, OPS + 1):
        grouped.run([word.replace(b"%d", b"%d" % number) for word in GROUPED[name]])
        grouped.store.commit()
    written = counters(grouped.store.disk)["rocksdb.bytes.written"] - before
    assert written / OPS < WRITTEN_MAX


@pytest.mark.parametrize(
    ("kind", "take", "look"),
    [
        ("zset", [b"ZPOPMIN", b"zset", b"20000"], [b"ZPOPMIN", b"zset"]),
        (
            "stream",
            [b"XTRIM", b"stream", b"MAXLEN", b"20000"],
            [b"XADD", b"stream", b"MAXLEN", b"20000", b"*", b"f", b"v"],
        ),
    ],
)
def test_a_queue_is_not_looked_for_behind_all_that_was_taken(
    subject: Subject, kind: str, take: list[bytes], look: list[bytes]
) -> None:
    subject.run(take)
    subject.store.commit()
    subject.run(look)
    subject.store.commit()
    subject.store.close()
    subject.open()
    before = counters(subject.store.disk)
    subject.run(look)
    after = counters(subject.store.disk)
    assert after["rocksdb.number.iter.skip"] - before["rocksdb.number.iter.skip"] < 20
