"""What the oracle cannot show: how the keyspace is used, time, and sizes."""

import pytest

from trio_dynomite.commands.refusals import PROTO_MAX_BULK_LEN

from .fake import FakeKeyspace, Run

HOUR_MS = 3_600_000


def test_set_and_get(run: Run) -> None:
    assert run("SET key value") == b"+OK\r\n"
    assert run("get key") == b"$5\r\nvalue\r\n"


@pytest.mark.parametrize(("resp", "null"), [(2, b"$-1\r\n"), (3, b"_\r\n")])
def test_null_is_of_the_clients_protocol(ks: FakeKeyspace, run: Run, resp: int, null: bytes) -> None:
    ks.resp = resp
    assert run("GET absent") == run("SET absent v XX") == run("GETDEL absent") == null
    assert run("MGET absent") == b"*1\r\n" + null


@pytest.mark.parametrize(
    ("option", "deadline_ms"),
    [("EX 10", 10_000), ("px 10", 10), ("EXAT 2000000000", 1_000_000_000_000), ("PXAT 1000000000001", 1)],
)
def test_set_turns_every_time_into_a_deadline(
    ks: FakeKeyspace, run: Run, option: str, deadline_ms: int
) -> None:
    run(f"SET key v {option}")
    assert ks.deadline(b"key") == ks.now_ms + deadline_ms


def test_set_drops_the_deadline_and_keepttl_keeps_it(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v EX 3600")
    run("SET key w KEEPTTL")
    assert ks.deadline(b"key") == ks.now_ms + HOUR_MS
    run("SET key w")
    assert ks.deadline(b"key") == 0


def test_a_passed_deadline_makes_the_key_absent_at_once(run: Run) -> None:
    run("SET key v")
    assert run("SET key w PXAT 1 GET") == b"$1\r\nv\r\n"
    assert run("EXISTS key") == b":0\r\n"


def test_set_with_a_failed_condition_changes_nothing(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v EX 10")
    before = dict(ks.entries)
    for options in ("NX", "IFEQ other", "NX GET", "IFEQ other EX 5"):
        run(f"SET key w {options}")
    run("SETNX key w")
    run("MSETNX new 1 key w")
    assert ks.entries == before


def test_getex_persist_drops_the_deadline(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v EX 10")
    assert run("GETEX key") == b"$1\r\nv\r\n"
    assert ks.deadline(b"key")
    run("GETEX key PERSIST")
    assert ks.deadline(b"key") == 0


def test_append_and_setrange_describe_the_change(ks: FakeKeyspace, run: Run) -> None:
    """The fake checks that each description repeats the change."""
    run("SET key Hello EX 10")
    run("APPEND key !")
    run("SETRANGE key 8 end")
    assert ks.patches == [(b"append", b"!"), (b"setrange", 8, b"end")]
    assert run("GET key") == b"$11\r\nHello!\0\0end\r\n"
    assert ks.deadline(b"key") == ks.now_ms + 10_000


@pytest.mark.parametrize(
    "line", [f"SETRANGE key {PROTO_MAX_BULK_LEN - 1} ab", "SETRANGE new 9223372036854775807 a"]
)
def test_a_string_above_the_limit_is_refused_before_it_is_made(run: Run, line: str) -> None:
    run("SET key v")
    assert run(line) == b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)"


def test_append_above_the_limit_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_dynomite.commands.strings.PROTO_MAX_BULK_LEN", 10)
    run("SET key 12345")
    assert run("APPEND key 12345") == b":10\r\n"
    assert run("APPEND key 6") == b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)"


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        (0, 3, "This"),
        (-3, -1, "ing"),
        (-1, -1, "g"),
        (-1, -2, ""),
        (5, 3, ""),
        (0, 99, "This is a string"),
        (99, 100, ""),
    ],
)
def test_getrange_takes_both_ends(run: Run, start: int, end: int, part: str) -> None:
    run("SET key 'This is a string'")
    expected = b"$%d\r\n%b\r\n" % (len(part), part.encode())
    assert run(f"GETRANGE key {start} {end}") == run(f"SUBSTR key {start} {end}") == expected


def test_mget_answers_null_for_other_types(ks: FakeKeyspace, run: Run) -> None:
    ks.plant(b"list", "list")
    run("MSET a 1 b 2")
    assert run("MGET a list b") == b"*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n"


@pytest.mark.parametrize(
    "line", ["GET k", "SET k v GET", "SET k v IFEQ x", "APPEND k x", "INCR k", "GETSET k v"]
)
def test_other_types_are_refused_and_kept(ks: FakeKeyspace, run: Run, line: str) -> None:
    ks.plant(b"k", "hash")
    assert run(line).startswith(b"-WRONGTYPE Operation against a key holding the wrong kind of value")
    assert ks.kind(b"k") == "hash"


def test_counters_keep_the_deadline(ks: FakeKeyspace, run: Run) -> None:
    run("SET key 5 EX 10")
    assert [run("INCR key"), run("DECRBY key 10"), run("INCRBY key 7")] == [b":6\r\n", b":-4\r\n", b":3\r\n"]
    assert run("INCRBYFLOAT key 0.5") == b"$3\r\n3.5\r\n"
    assert ks.deadline(b"key") == ks.now_ms + 10_000
