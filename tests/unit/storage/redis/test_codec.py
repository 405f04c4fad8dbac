"""Heads and cells as bytes: what is written is what is read, and the usual ones are short."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.storage.redis.node import Node, plain
from trio_dynomite.data.record import COUNTS, Record, digest, has_body, newest
from trio_dynomite.data.stamp import STAMP_BYTES
from trio_dynomite.storage.redis.cells import decode_cell, encode_cell, native_of
from trio_dynomite.storage.redis.heads import decode_head, encode_head, listed_head
from trio_dynomite.storage.remote.driver import head_of

stamps = st.integers(1, (1 << 96) - 1)
numbers = st.integers(-(1 << 63), (1 << 63) - 1)
counts = st.lists(st.tuples(stamps, st.integers(1, 1 << 40), numbers), min_size=1, max_size=3).map(tuple)
no_deadline = st.just((0, 0))
dates = st.one_of(no_deadline, st.tuples(stamps, st.integers(1, 1 << 45)))
scores = st.one_of(st.floats(allow_nan=False), st.just(0), st.sampled_from([0.0, -0.0]))


@st.composite
def cells(draw: Any, kind: str) -> Record:
    is_dead = draw(st.integers(0, 3)) == 0
    expiry, deadline = draw(dates)
    told = draw(counts) if kind != "set" and not is_dead and draw(st.booleans()) else None
    value: Any = b""
    if is_dead:
        value = None
    elif kind == "zset":
        value = draw(scores if told is None else st.integers(0, 9).map(float) | st.just(0))
    elif kind == "hash":
        value = draw(st.binary()) if told is None else draw(st.sampled_from([b"", b"12", b"-7"]))
    return (draw(stamps), value, expiry, deadline, told)


@pytest.mark.parametrize("kind", ["hash", "set", "zset"])
def test_cells(kind: str) -> None:
    @given(cells(kind))
    def check(cell: Record) -> None:
        data = encode_cell(kind, cell)
        native = None if cell[1] is None else native_of(kind, cell)
        assert repr(decode_cell(kind, data, native)) == repr(cell)

    check()


def test_a_plain_cell_is_its_stamp() -> None:
    assert len(encode_cell("hash", (1 << 90, b"value", 0, 0, None))) == STAMP_BYTES
    assert len(encode_cell("zset", (1 << 90, 1.5, 0, 0, None))) == STAMP_BYTES
    assert len(encode_cell("set", (1 << 90, None, 0, 0, None))) == STAMP_BYTES + 1


@given(stamps, stamps)
def test_a_cell_without_its_native_element(stamp: int, expiry: int) -> None:
    lost: Record = (stamp, b"value", 0, 0, None)
    assert decode_cell("hash", encode_cell("hash", lost), None) is None
    expired: Record = (stamp, b"value", expiry, 5, None)
    assert decode_cell("hash", encode_cell("hash", expired), None) == (stamp, None, expiry, 5, None)


@given(stamps, st.one_of(st.none(), st.binary()), dates, st.none() | counts | stamps)
def test_heads_of_strings_and_of_what_was_stripped(
    stamp: int, value: bytes | None, dated: tuple[int, int], extra: Any
) -> None:
    if type(extra) is tuple and value is not None:
        value = b"12" if value else b""
    if type(extra) is int:
        value = None
    record: Record = (stamp, value, *dated, extra)
    read = decode_head(encode_head(record))
    assert read[1] in (value, True)
    assert (read[0], *read[2:]) == (stamp, *dated, extra)
    assert (read[1] is None) == (value is None)
    assert listed_head(encode_head(record)) == head_of(record)


WORDS = {
    "hash": [(b"HSET", b"k", b"f", b"v", b"g", b"w"), (b"HEXPIRE", b"k", b"100", b"FIELDS", b"1", b"f")],
    "dead": [(b"SADD", b"k", b"f"), (b"SREM", b"k", b"f")],
    "zset": [(b"ZADD", b"k", b"7", b"f"), (b"EXPIRE", b"k", b"100"), (b"ZINCRBY", b"k", b"1", b"f")],
    "list": [(b"RPUSH", b"k", b"f")],
    "stream": [(b"XADD", b"k", b"5-1", b"f", b"v"), (b"XDEL", b"k", b"5-1")],
}


@pytest.mark.parametrize("kind", WORDS)
def test_heads_of_collections(kind: str) -> None:
    node = Node()
    for words in WORDS[kind]:
        node.run(*words)
    record = node.record(b"k")
    data = encode_head(record)
    assert listed_head(data) == head_of(record)
    read = decode_head(data)
    assert has_body(read)
    assert (read[:COUNTS], digest(read), newest(read)) == (record[:COUNTS], digest(record), newest(record))
    assert plain(record)
