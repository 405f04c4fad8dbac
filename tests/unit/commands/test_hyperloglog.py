"""What the oracle cannot show: how the keyspace is used, and the arithmetic on whole strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.commands.hyperloglog import DENSE_SIZE, REGISTERS, merge, pack, raise_register, unpack
from trio_dynomite.commands.hyperloglog_sparse import EMPTY, parse, registers

from .fake import FakeKeyspace, Run

RANKS = st.lists(st.integers(0, 63), min_size=1, max_size=9).map(lambda few: bytes(few) * REGISTERS)
ALL = RANKS.map(lambda many: many[:REGISTERS])


@given(ALL)
def test_packed_registers_come_back(ranks: bytes) -> None:
    dense = pack(EMPTY, ranks)
    assert len(dense) == DENSE_SIZE
    assert unpack(dense) == ranks


@given(ALL, ALL)
def test_merging_takes_the_greater_ones(left: bytes, right: bytes) -> None:
    assert merge(left, right) == bytes(map(max, left, right))


@given(
    st.dictionaries(st.integers(0, REGISTERS - 1) | st.integers(500, 520), st.integers(1, 32), max_size=60)
)
def test_a_raised_register_is_the_one_that_is_read(ranks: dict[int, int]) -> None:
    dense, sparse = bytearray(pack(EMPTY, bytes(REGISTERS))), parse(EMPTY)
    for index, rank in ranks.items():
        assert raise_register(dense, index, rank)
        assert sparse.raise_register(index, rank)
        assert not raise_register(dense, index, rank)
        assert sparse.raise_register(index, rank) is False
    expected = bytes(ranks.get(index, 0) for index in range(REGISTERS))
    assert unpack(bytes(dense)) == registers(sparse.joined()) == expected


def test_one_element_of_a_dense_one_is_told_as_two_bytes(ks: FakeKeyspace, run: Run) -> None:
    run("PFADD key a b c")
    run("EXPIRE key 10")
    assert run("PFDEBUG TODENSE key") == b":1\r\n"
    run("PFADD key d")
    [(name, offset, piece)] = ks.patches
    assert (name, len(piece) <= 2, int(offset) > 15) == (b"setrange", True, True)
    assert ks.deadline(b"key") == ks.now_ms + 10_000


def test_pfcount_reads_only(ks: FakeKeyspace, run: Run) -> None:
    run("PFADD key a b c")
    before = dict(ks.entries)
    value = ks.get(b"key")
    assert run("PFCOUNT key") == run("PFCOUNT key absent") == b":3\r\n"
    assert ks.entries == before
    assert ks.get(b"key") == value


def test_events_tell_of_changes_alone(ks: FakeKeyspace, run: Run) -> None:
    run("PFADD key")
    run("PFADD key a")
    run("PFADD key a")
    run("PFADD key")
    run("PFMERGE to key")
    run("PFCOUNT to")
    assert ks.events == [("pfadd", b"key"), ("pfadd", b"key"), ("pfadd", b"to")]


@pytest.mark.parametrize("line", ["PFADD k a", "PFCOUNT k", "PFCOUNT x k", "PFMERGE k", "PFMERGE x k"])
def test_a_damaged_one_is_refused_and_kept(run: Run, line: str) -> None:
    damaged = EMPTY[:15] + b"\x80\x3f\x3f"
    run("SET k", damaged)
    run("PFADD x a")
    assert run(line) == b"-INVALIDOBJ Corrupted HLL object detected"
    run("SET k text")
    assert run(line) == b"-WRONGTYPE Key is not a valid HyperLogLog string value."


def test_a_string_that_tells_too_many_registers_is_refused_soon(run: Run) -> None:
    run("SET k", EMPTY[:15] + b"\x80" + b"\x7f\xff" * 1_000_000)
    assert run("PFCOUNT k") == b"-INVALIDOBJ Corrupted HLL object detected"


def test_the_self_test_passes(run: Run) -> None:
    assert run("PFSELFTEST") == b"+OK\r\n"
