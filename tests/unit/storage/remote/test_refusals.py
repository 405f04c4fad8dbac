"""A server that takes no writes: what it refuses stays here, nobody is told, and it is written in the end."""

from itertools import pairwise

import pytest
from attrs import define, field

from tests.unit.storage.remote.server import Server, connected
from tests.unit.storage.remote.test_remote_store import KEY, SLOT, STAMP, TICK, at_server, fetch, packed, put
from trio_dynomite.data.record import digest
from trio_dynomite.storage.contract import SLOTS, hash_of
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.topology.partitioner import redis_slot


@define(eq=False)
class Channel:
    """Somebody who waits at the gate."""

    refused: list[int] = field(factory=list)

    def release(self, safe: int) -> None:
        pass

    def refuse(self, number: int) -> None:
        self.refused.append(number)


def settle(server: Server) -> None:
    while server.answer():
        pass


def recover(store: ListedStore, server: Server, now_s: float) -> None:
    store.recover(now_s)
    settle(server)
    store.commit()
    settle(server)


def full() -> tuple[ListedStore, Server]:
    """A store that has one key, whose server is full."""
    store, server = connected()
    fetch(store, server, KEY)
    put(store, b"1", STAMP)
    store.commit()
    settle(server)
    server.held.is_full = True
    return store, server


def test_what_is_refused_is_told_nobody_and_written_later() -> None:
    store, server = full()
    told: list[bool] = []
    store.on_refused = lambda: told.append(True)
    channel = Channel()
    store.gate.held.append(channel)
    put(store, b"2", STAMP + TICK)
    store.commit()
    settle(server)
    assert told == [True]
    assert channel.refused == [store.gate.made]
    assert not store.gate.is_shut, "others are not held up"
    assert (store.failure, store.is_behind) == ("its storage server says: there is no room", True)
    assert store.get(SLOT, KEY)[1] == b"2"
    server.held.is_full = False
    recover(store, server, 10.0)
    assert (store.failure, store.is_behind) == (None, False)
    assert at_server(server) == packed((STAMP + TICK, b"2", 0, 0, None))
    assert not store.cache.busy


def test_what_changed_before_it_was_known_is_refused_too() -> None:
    store, server = full()
    channel = Channel()
    fetch(store, server, b"other")
    put(store, b"2", STAMP + TICK)
    store.commit()
    server.answer()
    put(store, b"3", STAMP + 2 * TICK, b"other")
    store.commit()
    assert store.gate.is_shut, "it was done before it was known that nothing is taken"
    store.gate.held.append(channel)
    settle(server)
    assert channel.refused == [store.gate.made]
    put(store, b"4", STAMP + 3 * TICK, b"other")
    store.commit()
    assert not store.gate.is_shut
    assert not server.asked, "now it is known"


def two_refused() -> tuple[ListedStore, Server]:
    """A server that has refused two keys of one turn."""
    store, server = full()
    fetch(store, server, b"other")
    put(store, b"2", STAMP + TICK)
    put(store, b"2", STAMP + TICK, b"other")
    store.commit()
    settle(server)
    return store, server


def test_it_is_tried_again_with_pauses_and_one_key() -> None:
    store, server = two_refused()
    asked = []
    for at in range(200):
        store.recover(at / 10)
        asked += [at / 10] * len(server.asked)
        settle(server)
        store.commit()
    pauses = [after - before for before, after in pairwise(asked)]
    assert len(asked) > 4
    assert pauses == sorted(pauses)
    assert max(pauses) < 5
    server.held.is_full = False
    recover(store, server, 100.0)
    assert at_server(server) == at_server(server, b"other") == packed((STAMP + TICK, b"2", 0, 0, None))


def test_what_is_refused_again_stays() -> None:
    store, server = two_refused()
    server.held.is_full = False
    store.recover(10.0)
    server.answer(1)
    server.held.is_full = True
    settle(server)
    assert store.is_behind
    assert store.failure is not None
    server.held.is_full = False
    recover(store, server, 20.0)
    assert (store.failure, store.is_behind) == (None, False)
    assert at_server(server, b"other") == at_server(server)


def test_a_string_that_was_put_over_the_unknown_is_counted_once() -> None:
    store, server = full()
    store.cache.young.clear()
    assert store.may_overwrite(KEY)
    put(store, b"2", STAMP + TICK)
    store.overwritten(KEY)
    store.commit()
    settle(server)
    assert store.is_behind
    new = (STAMP + TICK, b"2", 0, 0, None)
    for _ in range(2):
        assert store.key_count(0, SLOTS - 1) == 1
        assert store.sums[SLOT] == hash_of(KEY) * digest(new)
        server.held.is_full = False
        recover(store, server, 10.0)
    assert at_server(server) == packed(new)


@pytest.mark.parametrize("is_older", [True, False])
def test_a_flush_that_is_refused_hides_what_it_killed(is_older: bool) -> None:
    store, server = full()
    store.cache.young.clear()
    if not is_older:
        fetch(store, server, KEY)
        put(store, b"2", STAMP + 5 * TICK)
    store.flush(0, SLOTS - 1, STAMP + TICK)
    store.commit()
    settle(server)
    assert store.is_behind
    assert not store.may_pass(KEY) or not is_older
    fetch(store, server, KEY) if is_older else None
    assert store.get(SLOT, KEY)[1] == (None if is_older else b"2")
    assert store.key_count(0, SLOTS - 1) == (0 if is_older else 1)
    server.held.is_full = False
    recover(store, server, 10.0)
    assert (store.failure, store.is_behind) == (None, False)
    assert at_server(server) == (None if is_older else packed((STAMP + 5 * TICK, b"2", 0, 0, None)))
    assert store.may_pass(KEY)
    assert store.key_count(0, SLOTS - 1) == (0 if is_older else 1)
    assert server.held.notes
    again, _ = connected(server.held)
    assert again.floors[redis_slot(KEY)] == STAMP + TICK
    assert again.key_count(0, SLOTS - 1) == store.key_count(0, SLOTS - 1)


def test_a_listing_has_what_the_server_refused() -> None:
    store, server = full()
    put(store, None, STAMP + TICK)
    fetch(store, server, b"other")
    put(store, b"3", STAMP + TICK, b"other")
    store.commit()
    settle(server)
    found: list[bytes] = []
    slots = [SLOT, redis_slot(b"other")]
    store.look(
        slots, lambda: found.extend(key for slot in slots for key, _ in store.living(slot, 0)), is_full=False
    )
    settle(server)
    assert found == [b"other"]
