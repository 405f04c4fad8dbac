"""Random requests over a store on a server, beside the same over one in memory: they are the same.

Every reply; every record after all was read back, with its digest and its head; and what a plain client sees.
"""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.compare import assert_same
from tests.conformance.conversations import GENERIC, STRINGS
from tests.conformance.hash_requests import HASHES
from tests.conformance.list_requests import LISTS, PUSHES
from tests.conformance.set_requests import SADDS, SETS
from tests.conformance.sorted_set_requests import SORTED_SETS
from tests.conformance.stream_requests import ADD, STREAMS
from tests.unit.storage.redis.looks import expected, litter, seen
from tests.unit.storage.redis.node import SLOT_OF, Node, RemoteNode, plain
from tests.unit.storage.redis.sync_connection import SyncConnection
from trio_dynomite.commands.dump import sealed
from trio_dynomite.data.effect import record_effect
from trio_dynomite.data.record import ABSENT
from trio_dynomite.storage.redis.driver import RedisDriver
from trio_dynomite.storage.remote.driver import head_of

BY_CHANCE = {
    b"SPOP",
    b"SRANDMEMBER",
    b"HRANDFIELD",
    b"ZRANDMEMBER",
    b"RANDOMKEY",
    b"SCAN",
    b"KEYS",
    b"DBSIZE",
}
KEY = st.sampled_from([b"a", b"b"])
HINCRBYS = [
    st.tuples(st.just(name), st.sampled_from([b"a", b"b"]), st.sampled_from([b"f", b"7"]), st.just(b"3"))
    for name in (b"HINCRBY",)
]
PAYLOADS = [sealed(bytes.fromhex("0781bde72cb1eb5e7400") + more, 11) for more in (b"one\x00", b"two" * 99)]
"""Of a module that no server of the tests has."""
MODULES = [
    st.tuples(st.just(b"RESTORE"), KEY, st.just(b"0"), st.sampled_from(PAYLOADS), st.just(b"REPLACE")),
    st.tuples(st.just(b"RESTORE"), KEY, st.just(b"50"), st.sampled_from(PAYLOADS)),
    st.tuples(st.sampled_from([b"DUMP", b"TYPE", b"PERSIST", b"GET", b"LLEN", b"DEL"]), KEY),
    st.tuples(st.just(b"PEXPIRE"), KEY, st.sampled_from([b"100", b"100000"])),
    st.tuples(st.sampled_from([b"RENAME", b"COPY"]), KEY, KEY),
    st.tuples(st.sampled_from([b"APPEND", b"LPUSH"]), KEY, st.just(b"x")),
]
FAMILIES: dict[str, list[Any]] = {
    "strings": STRINGS,
    "hashes": [*HASHES, *HINCRBYS],
    "sets": [*SADDS, *SETS],
    "sorted": SORTED_SETS,
    "lists": [*PUSHES, *LISTS],
    "streams": [ADD, ADD, *STREAMS],
    "modules": MODULES,
}
EXAMPLES = int(os.environ.get("REDIS_EXAMPLES", "0"))
"""As many as it says of each family, instead of a few."""
ACTS = st.sampled_from(["run"] * 12 + ["other"] * 4 + ["tell"] * 2 + ["expire", "forget", "forget", "flush"])


def requests(family: str) -> Any:
    """Requests of a family, and some of all."""
    others = [one for name in FAMILIES for one in FAMILIES[name][:2]]
    return st.one_of(*FAMILIES[family] * 4, *GENERIC, *others)


def steps(family: str) -> Any:
    one = st.tuples(ACTS, requests(family), st.sampled_from([0, 0, 0, 50, 2000, 150_000]))
    return st.lists(one, min_size=4, max_size=25)


class Beside:
    """A node on a server, one in memory that does the same, and one that both hear of."""

    def __init__(self, wire: SyncConnection) -> None:
        wire.ask("FLUSHALL")
        self.wire = wire
        self.there, self.here, self.other = RemoteNode(wire), Node(), Node(2)

    def step(self, act: str, request: tuple[bytes, ...], pass_ms: int) -> None:
        """Do one thing to all."""
        if act == "run" and request[0].upper() not in BY_CHANCE:
            there, here = self.there.run(*request, pass_ms=pass_ms), self.here.run(*request, pass_ms=pass_ms)
            assert_same(request, there, here)
            assert self.there.ks.effects == self.here.ks.effects
        elif act == "other":
            self.other.run(*request, pass_ms=pass_ms)
            self.hear(self.other.ks.effects or [])
        elif act == "tell":
            for key in sorted(self.other.keys):
                self.hear(record_effect(SLOT_OF(key), key, self.other.record(key)))
        elif act == "expire":
            self.there.expire(pass_ms)
            self.here.expire(pass_ms)
        elif act == "forget":
            self.there.forget()
        elif act == "flush":
            self.there.flush()
            self.here.flush()

    def hear(self, effects: list[Any]) -> None:
        """Both apply what the other node did."""
        keys = set(effects[2::6])
        for clock in (self.there.clock, self.here.clock):
            clock.observe(self.other.clock.last)
        for node in (self.there, self.here):
            gaps = node.turn(lambda node=node: node.store.apply(2, effects), keys)
            for key in gaps:
                record = record_effect(SLOT_OF(key), key, self.other.record(key))
                node.turn(lambda node=node, record=record: node.store.apply(2, record), {key})

    def check(self) -> None:
        """All of the server's records are those in memory."""
        self.there.forget()
        keys = self.here.keys | self.there.keys
        self.there.fetch(keys)
        driver = RedisDriver(SLOT_OF)
        records = {key: self.there.record(key) for key in keys}
        for key, record in records.items():
            assert plain(record) == plain(self.here.record(key)), key
            assert rounded(seen(self.wire, key)) == rounded(expected(record)), key
            answers: list[bytes] = []
            self.wire.send(driver.heads(SLOT_OF(key)), answers.append)
            self.wire.pump()
            head = driver.listed(answers[0]).get(key)
            assert head == (None if record == ABSENT else head_of(record))
        assert litter(self.wire, records) == []


def rounded(what: Any) -> Any:
    """Scores as numbers: servers write them in more than one way."""
    kind, inside, deadline = what
    if kind == "zset":
        inside = [word if at % 2 == 0 else repr(float(word)) for at, word in enumerate(inside)]
    return kind, inside, deadline


@pytest.mark.parametrize("family", FAMILIES)
def test_a_node_on_a_server_is_like_one_in_memory(wire: SyncConnection, family: str) -> None:
    @settings(max_examples=EXAMPLES or 8, deadline=None)
    @given(steps(family))
    def check(history: list[tuple[str, tuple[bytes, ...], int]]) -> None:
        beside = Beside(wire)
        for step in history:
            beside.step(*step)
        beside.check()

    check()
