"""The bit-vector rows against the plain table that they stand for."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.commands.lcs import lcs_length, lcs_runs

from .fake import FakeKeyspace, Run

TEXTS = st.text("abc", max_size=40).map(str.encode)


def table(left: bytes, right: bytes) -> list[list[int]]:
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if a == b else max(lengths[i][j + 1], lengths[i + 1][j])
    return lengths


@given(TEXTS, TEXTS)
def test_the_length_is_the_tables(left: bytes, right: bytes) -> None:
    assert lcs_length(left, right) == table(left, right)[-1][-1]


@given(TEXTS, TEXTS)
def test_the_runs_are_a_common_subsequence_of_that_length(left: bytes, right: bytes) -> None:
    runs = lcs_runs(left, right)
    assert sum(run.length for run in runs) == table(left, right)[-1][-1]
    for run in runs:
        assert left[run.left : run.left + run.length] == right[run.right : run.right + run.length]
    for later, earlier in pairwise(runs):
        assert earlier.left + earlier.length <= later.left
        assert earlier.right + earlier.length <= later.right


def test_the_example_of_the_command_page(ks: FakeKeyspace, run: Run) -> None:
    run("MSET key1 ohmytext key2 mynewtext")
    assert run("LCS key1 key2") == b"$6\r\nmytext\r\n"
    assert run("LCS key1 key2 LEN") == b":6\r\n"
    ks.resp = 3
    spans = b"*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n"
    expected = b"%2\r\n$7\r\nmatches\r\n*1\r\n" + spans + b"$3\r\nlen\r\n:6\r\n"
    assert run("LCS key1 key2 IDX MINMATCHLEN 4 WITHMATCHLEN") == expected


def test_strings_too_long_for_redis_are_refused(run: Run) -> None:
    run("SET a", b"x" * 20_000)
    run("SET b", b"y" * 20_000)
    assert run("LCS a b") == (
        b"-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
    )


def test_other_types_are_refused(ks: FakeKeyspace, run: Run) -> None:
    ks.plant(b"a", "list")
    assert run("LCS a b") == b"-ERR The specified keys must contain string values"
