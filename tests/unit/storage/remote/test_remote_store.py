"""A store on a server: what is fetched when, when a write is safe, and what a lost or changed server does."""

import pytest

from tests.unit.storage.remote.server import Server, connected
from trio_dynomite.data.effect import pack_record
from trio_dynomite.data.record import Record, digest
from trio_dynomite.storage.contract import hash_of
from trio_dynomite.storage.remote.cache import NotFetchedError
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.topology.partitioner import redis_slot

KEY = b"key"
SLOT = redis_slot(KEY)
STAMP = 1_700_000_000_000 << 48 | 7
TICK = 1 << 32


def fetch(store: ListedStore, server: Server, *keys: bytes) -> None:
    here: list[bool] = []
    store.fetch(keys, lambda: here.append(True))
    assert not here, "it is told in a later turn"
    server.answer()
    assert here == [True]


def put(store: ListedStore, value: bytes | None, stamp: int, key: bytes = KEY) -> None:
    store.put(redis_slot(key), key, stamp, value, 0)


def at_server(server: Server, key: bytes = KEY) -> object:
    return server.held.held.get(key, (b"", None))[1]


def packed(record: Record) -> object:
    return pack_record(record)


def test_what_was_not_fetched_is_a_mistake_in_words() -> None:
    store, _ = connected()
    assert store.missing([KEY, b"other"]) == [KEY, b"other"]
    with pytest.raises(NotFetchedError, match="'key' must be among the declared keys"):
        store.get(SLOT, KEY)


def test_a_write_is_safe_when_the_server_has_it() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    assert store.gate.is_shut
    server.answer()
    assert not store.gate.is_shut
    assert at_server(server) == packed((STAMP, b"1", 0, 0, None))


def test_a_turn_without_a_change_shuts_nothing() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    store.commit()
    assert not store.gate.is_shut
    assert not server.asked


def test_a_key_that_changes_on_its_way_is_sent_once_more() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    for number in range(5):
        put(store, b"%d" % number, STAMP + number * TICK)
        store.commit()
    assert len(server.asked) == 1
    server.answer(1)
    assert store.gate.is_shut
    assert len(server.asked) == 1
    server.answer(1)
    assert not store.gate.is_shut
    assert at_server(server) == packed((STAMP + 4 * TICK, b"4", 0, 0, None))


def test_commits_become_safe_in_their_order() -> None:
    store, server = connected()
    fetch(store, server, b"a", b"b")
    put(store, b"1", STAMP, b"a")
    store.commit()
    put(store, b"2", STAMP + TICK, b"a")
    store.commit()
    put(store, b"3", STAMP + 2 * TICK, b"b")
    store.commit()
    server.answer(1)
    assert store.gate.safe == 1
    server.answer(1)
    assert store.gate.safe == 1, "the second is still on its way"
    server.answer()
    assert store.gate.safe == 3


def test_another_version_at_the_server_is_joined_and_not_lost() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    newer = (STAMP + 9 * TICK, b"theirs", 0, 0, None)
    server.held.held[KEY] = (b"99", pack_record(newer))
    put(store, b"mine", STAMP)
    store.commit()
    while server.answer():
        pass
    assert store.conflicts == 1
    assert not store.gate.is_shut
    assert store.get(SLOT, KEY) == newer
    assert at_server(server) == packed(newer)
    assert store.sums[SLOT] == hash_of(KEY) * digest(newer)
    assert store.key_count(SLOT, SLOT) == 1


def test_an_evicted_version_is_written_again() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    server.answer()
    server.held.evict(KEY)
    put(store, b"2", STAMP + TICK)
    store.commit()
    while server.answer():
        pass
    assert at_server(server) == packed((STAMP + TICK, b"2", 0, 0, None))
    assert not store.gate.is_shut


def test_a_lost_connection_makes_nothing_safe() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    server.lose()
    assert store.gate.is_shut


def test_what_goes_is_what_nobody_needs() -> None:
    store, server = connected(cache_bytes=20_000)
    fetch(store, server, KEY, b"pinned")
    store.pin([b"pinned"])
    put(store, b"1", STAMP)
    store.commit()
    for number in range(60):
        fetch(store, server, b"other:%d" % number)
        store.commit()
    assert store.missing([b"pinned"]) == []
    assert store.missing([KEY]) == [KEY]
    fetch(store, server, KEY)
    assert store.get(SLOT, KEY) == (STAMP, b"1", 0, 0, None)


def test_what_is_on_its_way_stays() -> None:
    store, server = connected(cache_bytes=20_000)
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    for number in range(60):
        store.fetch([b"other:%d" % number], lambda: None)
        data, on_reply = server.asked.pop()
        on_reply(server.held._answer(data))
        store.commit()
    assert store.get(SLOT, KEY) == (STAMP, b"1", 0, 0, None)


def test_a_later_life_begins_with_what_the_server_has() -> None:
    store, server = connected()
    fetch(store, server, KEY, b"gone")
    put(store, b"1", STAMP)
    put(store, None, STAMP + TICK, b"gone")
    store.commit()
    server.answer()
    after, _ = connected(server.held)
    assert after.sums[SLOT] == hash_of(KEY) * digest((STAMP, b"1", 0, 0, None))
    assert after.key_count(0, 16383) == 1
    assert after.newest == STAMP + TICK
    assert after.is_restored
    assert after.dead[redis_slot(b"gone")] == 1


def test_a_string_over_an_unknown_key_is_counted_right() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"old", STAMP)
    store.commit()
    server.answer()
    after, server = connected(server.held)
    assert after.may_overwrite(KEY)
    put(after, b"new", STAMP + TICK)
    after.overwritten(KEY)
    after.commit()
    server.answer()
    assert after.key_count(SLOT, SLOT) == 1
    assert after.sums[SLOT] == hash_of(KEY) * (STAMP + TICK)
    assert at_server(server) == packed((STAMP + TICK, b"new", 0, 0, None))


def test_a_string_that_was_refused_leaves_the_key_unknown() -> None:
    store, _ = connected()
    assert store.may_overwrite(KEY)
    store.overwritten(KEY)
    assert store.missing([KEY]) == [KEY]


def test_a_flush_empties_the_server_and_outlives_the_life() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    server.answer()
    store.flush(0, 16383, STAMP + TICK)
    store.commit()
    assert store.gate.is_shut
    while server.answer():
        store.commit()
    assert not server.held.held
    assert store.key_count(0, 16383) == 0
    assert store.sums[SLOT] == 0
    after, _ = connected(server.held)
    assert after.floors[SLOT] == STAMP + TICK


def test_an_older_flush_that_comes_late_does_not_lower_the_one_of_the_next_life() -> None:
    store, server = connected()
    for stamp in (STAMP + TICK, STAMP):
        store.flush(0, 16383, stamp)
        store.commit()
        while server.answer():
            store.commit()
    after, _ = connected(server.held)
    assert after.floors[SLOT] == STAMP + TICK


def test_what_is_newer_survives_a_flush() -> None:
    store, server = connected()
    fetch(store, server, KEY, b"{key}old")
    put(store, b"1", STAMP + 5 * TICK)
    put(store, b"2", STAMP, b"{key}old")
    store.commit()
    server.answer()
    store.flush(SLOT, SLOT, STAMP + TICK)
    store.commit()
    while server.answer():
        store.commit()
    assert list(server.held.held) == [KEY]
    assert store.key_count(SLOT, SLOT) == 1
    assert store.sums[SLOT] == hash_of(KEY) * (STAMP + 5 * TICK)


def test_a_key_that_was_flushed_elsewhere_already_is_not_counted_any_more() -> None:
    """A peer told what a flush that has not come here yet had left of it."""
    store, server = connected()
    fetch(store, server, KEY, b"{key}flushed")
    put(store, b"1", STAMP + 5 * TICK)
    put(store, None, STAMP + TICK, b"{key}flushed")
    store.commit()
    server.answer()
    store.flush(SLOT, SLOT, STAMP + TICK)
    store.commit()
    while server.answer():
        store.commit()
    assert list(server.held.held) == [KEY]
    assert len(store.records[SLOT]) == 1


def test_a_key_that_is_flushed_on_its_way_to_the_server_does_not_stay_there() -> None:
    store, server = connected()
    fetch(store, server, KEY, b"{key}flushed")
    put(store, b"1", STAMP + 5 * TICK)
    put(store, None, STAMP + TICK, b"{key}flushed")
    store.commit()
    store.flush(SLOT, SLOT, STAMP + TICK)
    store.commit()
    while server.answer():
        store.commit()
    assert list(server.held.held) == [KEY]
    assert len(store.records[SLOT]) == 1


def test_a_whole_slot_is_looked_at_once_it_is_here() -> None:
    store, server = connected(cache_bytes=20_000)
    keys = [b"{key}:%d" % number for number in range(50)]
    fetch(store, server, *keys)
    for number, key in enumerate(keys):
        put(store, b"v", STAMP + number * TICK, key)
    store.commit()
    server.answer()
    seen: list[list[bytes]] = []
    store.look([SLOT], lambda: seen.append(sorted(key for key, _ in store.scan(SLOT))), is_full=True)
    put(store, b"w", STAMP + 99 * TICK, keys[-1])
    while server.answer():
        pass
    assert seen == [sorted(keys)]
    assert not store.is_open([SLOT], is_full=False)


def test_who_asks_for_a_locked_key_waits_in_turn() -> None:
    store, server = connected()
    fetch(store, server, KEY, b"other")
    said: list[str] = []
    store.lock([KEY], lambda: said.append("locked"))
    assert store.missing([KEY, b"other"]) == [KEY]
    assert KEY not in store.cache.young

    def lock_again() -> None:
        store.lock([KEY], lambda: said.append("locked again"))

    store.fetch([KEY, b"other"], lock_again)
    store.fetch([KEY], lambda: said.append("third" if not store.missing([KEY]) else "held up"))
    server.answer()
    assert said == ["locked"]
    store.unlock([KEY])
    assert said == ["locked", "locked again", "held up"]
    store.fetch([KEY], lambda: said.append("fourth"))
    store.unlock([KEY])
    assert said[3:] == ["fourth"]
    assert not store.missing([KEY])
    assert server.held.held == {}


def test_a_key_is_locked_once_the_server_has_what_was_written() -> None:
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    said: list[bool] = []
    store.lock([KEY], lambda: said.append(at_server(server) is not None))
    store.commit()
    assert not said
    server.answer()
    assert said == [True]
    store.unlock([KEY])
    assert store.get(SLOT, KEY)[1] == b"1"


def test_several_keys_are_locked_together() -> None:
    store, server = connected()
    fetch(store, server, KEY, b"other")
    put(store, b"1", STAMP)
    put(store, b"1", STAMP, b"other")
    said: list[str] = []
    store.lock([KEY, b"other"], lambda: said.append("locked"))
    store.commit()
    server.answer()
    assert said == ["locked"]
    store.lock([KEY, b"other"], lambda: said.append("locked anew"))
    assert said == ["locked", "locked anew"]
    store.unlock([KEY, b"other"])
    assert store.missing([KEY, b"other"]) == []
