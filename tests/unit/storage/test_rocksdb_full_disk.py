"""A RocksDB whose disk is full: all that was written can be read, and is on disk once there is room again."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import folder
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.errors import NoRoomError
from trio_dynomite.storage.rocksdb import disk
from trio_dynomite.storage.rocksdb.store import RocksStore, open_store
from trio_dynomite.topology.partitioner import make

SLOT_OF = make("slots", "{}").slot
MANY = 3000
"""So many keys are deleted as a range."""


class Full:
    """A database that cannot write."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def write(self, batch: Any) -> None:
        raise OSError(28, "No space left on device")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class Subject:
    def __init__(self, path: str) -> None:
        self.path, self.free, self.stamp, self.now_s = path, 1 << 40, 1 << NODE_BITS, 0.0
        self.store = self.open()

    def open(self) -> RocksStore:
        return open_store(self.path, SLOT_OF, "slots", lambda: self.free, 1 << 30)

    def put(self, key: bytes, value: bytes | None) -> None:
        self.stamp += 1 << NODE_BITS
        self.store.put(SLOT_OF(key), key, self.stamp, value, 0)

    def flush(self) -> None:
        self.stamp += 1 << NODE_BITS
        self.store.flush(0, 16383, self.stamp)

    def fill_up(self) -> None:
        self.store.disk.database = Full(self.store.disk.database)
        self.free = 0

    def look(self) -> None:
        self.now_s += 1
        self.store.recover(self.now_s)

    def again(self) -> None:
        """The process ends in order, and begins anew."""
        self.store.close()
        self.store = self.open()

    def values(self) -> dict[bytes, bytes | None]:
        return {
            key: record[1]
            for records in self.store.records
            if len(records)
            for key, record in records.items()
        }


@pytest.fixture
def subject() -> Iterator[Subject]:
    with folder() as path:
        subject = Subject(path)
        yield subject
        subject.store.close()


def test_too_little_room_is_told_and_nothing_else(subject: Subject) -> None:
    subject.put(b"a", b"1")
    subject.store.commit()
    subject.free = 1000
    subject.look()
    assert subject.store.failure is not None
    assert "1000 bytes are free" in subject.store.failure
    assert not subject.store.is_behind
    subject.free = 1 << 31
    subject.look()
    assert subject.store.failure is None


def test_what_could_not_be_written_can_be_read_and_is_written_later(subject: Subject) -> None:
    subject.put(b"a", b"1")
    subject.put(b"b", b"1")
    subject.store.commit()
    subject.fill_up()
    subject.put(b"a", b"2")
    subject.put(b"b", None)
    subject.store.commit()
    assert "No space left" in (subject.store.failure or "")
    assert subject.store.is_behind
    subject.put(b"c", b"3")
    subject.store.commit()
    subject.look()
    assert subject.store.is_behind
    assert subject.values() == {b"a": b"2", b"b": None, b"c": b"3"}
    subject.free = 1 << 31
    subject.look()
    assert (subject.store.failure, subject.store.is_behind) == (None, False)
    subject.put(b"d", b"4")
    subject.store.commit()
    subject.again()
    assert subject.values() == {b"a": b"2", b"b": None, b"c": b"3", b"d": b"4"}


def test_a_node_that_ends_meanwhile_has_what_was_written_before(subject: Subject) -> None:
    subject.put(b"a", b"1")
    subject.store.commit()
    subject.fill_up()
    subject.put(b"a", b"2")
    subject.again()
    assert subject.values() == {b"a": b"1"}


@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.parametrize("is_full_before", [True, False])
def test_a_flush_hides_what_it_killed_and_not_what_comes_after(
    subject: Subject, count: int, is_full_before: bool
) -> None:
    for at in range(count):
        subject.put(b"%d" % at, b"old")
    subject.store.commit()
    subject.fill_up()
    if is_full_before:
        subject.put(b"1", b"newer")
        subject.store.commit()
    subject.flush()
    subject.put(b"0", b"new")
    subject.store.commit()
    assert subject.values() == {b"0": b"new"}
    subject.free = 1 << 31
    subject.look()
    assert subject.values() == {b"0": b"new"}
    subject.again()
    assert subject.values() == {b"0": b"new"}


def test_a_flush_that_follows_a_write_in_a_turn_that_cannot_be_written(subject: Subject) -> None:
    subject.put(b"a", b"old")
    subject.store.commit()
    subject.fill_up()
    subject.put(b"b", b"old")
    subject.flush()
    subject.put(b"a", b"new")
    subject.store.commit()
    assert subject.values() == {b"a": b"new"}
    subject.free = 1 << 31
    subject.look()
    subject.again()
    assert subject.values() == {b"a": b"new"}


def test_room_that_is_taken_while_the_database_is_opened_again_ends_the_node(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject.put(b"a", b"1")
    subject.store.commit()
    subject.fill_up()
    subject.put(b"b", b"2")
    subject.store.commit()

    def opened(path: str, tuning: Any) -> Any:
        raise Exception("IO error: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "open_database", opened)
        subject.free = 1 << 40
        with pytest.raises(NoRoomError, match="No space left"):
            subject.look()
    with pytest.raises(NoRoomError, match="cannot be opened again"):
        subject.store.disk.database.get(b"a")
    subject.again()
    assert subject.values() == {b"a": b"1"}
