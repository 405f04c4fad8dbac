"""What a watched key's version tells: that it changed; and a key that was absent, and is, has not."""

import pytest

from tests.unit.coordinator.lone_node import Lone, lone_node
from trio_dynomite.coordinator.internal import has_changed, version
from trio_dynomite.data.stamp import cutoff_at
from trio_dynomite.storage.collect import raise_cutoff
from trio_dynomite.testing.simulation import EPOCH_MS

KEY = b"k"


@pytest.fixture
def lone() -> Lone:
    return lone_node()


def changes(lone: Lone, *requests: list[bytes]) -> bool:
    """Has the key changed after these, since before?"""
    keyspace = lone.engine.keyspace
    seen = version(keyspace, KEY)
    for request in requests:
        lone.ask(*request)
        lone.turn()
    return has_changed(keyspace, KEY, seen)


def collect(lone: Lone) -> None:
    store = lone.engine.keyspace.store
    raise_cutoff(store, store.slot_of(KEY), cutoff_at(EPOCH_MS + 3_600_000))


def test_a_flush_changes_what_was_there_and_nothing_else(lone: Lone) -> None:
    assert not changes(lone, [b"FLUSHALL"]), "it never was there"
    lone.ask(b"SET", KEY, b"v")
    lone.turn()
    assert changes(lone, [b"FLUSHALL"])
    assert not changes(lone, [b"FLUSHALL"]), "it was flushed before"
    lone.ask(b"SET", KEY, b"v")
    lone.ask(b"DEL", KEY)
    assert not changes(lone, [b"FLUSHALL"]), "it was deleted before"


def test_a_key_that_came_has_changed_and_so_has_one_that_went_again(lone: Lone) -> None:
    assert changes(lone, [b"SET", KEY, b"v"])
    assert changes(lone, [b"SET", KEY, b"v"]), "the same value again"
    assert changes(lone, [b"DEL", KEY])
    assert changes(lone, [b"SET", KEY, b"v"], [b"DEL", KEY])
    assert changes(lone, [b"HSET", KEY, b"f", b"v"])
    assert changes(lone, [b"HSET", KEY, b"f", b"w"])
    assert not changes(lone, [b"HGET", KEY, b"f"])


def test_a_tombstone_that_is_collected_is_no_change(lone: Lone) -> None:
    lone.ask(b"SET", KEY, b"v")
    lone.ask(b"DEL", KEY)
    seen = version(lone.engine.keyspace, KEY)
    assert seen
    collect(lone)
    assert version(lone.engine.keyspace, KEY) == 0
    assert not has_changed(lone.engine.keyspace, KEY, seen)
    assert changes(lone, [b"SET", KEY, b"v"])


def test_what_has_expired_has_changed_once(lone: Lone) -> None:
    lone.ask(b"SET", KEY, b"v", b"PX", b"2")
    assert changes(lone, *[[b"GET", b"other"]] * 4)
    assert not changes(lone, [b"GET", b"other"])
