"""MSETEX: what is set, when it expires, and which refusal comes first."""

import pytest

from trio_dynomite.commands.table import lookup

from .fake import FakeKeyspace, Run


def test_all_keys_share_the_lifetime(ks: FakeKeyspace, run: Run) -> None:
    assert run("MSETEX 2 a 1 b 2 PX 500") == b":1\r\n"
    assert (ks.get(b"a"), ks.get(b"b")) == (b"1", b"2")
    assert ks.deadline(b"a") == ks.deadline(b"b") == ks.now_ms + 500
    assert ks.events == [("set", b"a"), ("expire", b"a"), ("set", b"b"), ("expire", b"b")]


def test_keepttl_keeps_each_keys_own(ks: FakeKeyspace, run: Run) -> None:
    ks.put(b"a", b"0", ks.now_ms + 1000)
    run("MSETEX 2 a 1 b 2 KEEPTTL")
    assert (ks.deadline(b"a"), ks.deadline(b"b")) == (ks.now_ms + 1000, 0)
    run("MSETEX 1 a 2")
    assert ks.deadline(b"a") == 0


@pytest.mark.parametrize(("condition", "done"), [("NX", b":0\r\n"), ("XX", b":0\r\n"), ("", b":1\r\n")])
def test_a_condition_is_of_all_keys(ks: FakeKeyspace, run: Run, condition: str, done: bytes) -> None:
    ks.list_at(b"old").push([b"x"], left=True)
    assert run(f"MSETEX 2 new 1 old 2 {condition}") == done
    assert (ks.kind(b"new"), ks.kind(b"old")) == (("string", "string") if condition == "" else (None, "list"))


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("MSETEX 0 k v", b"-ERR invalid numkeys value or out of range"),
        ("MSETEX x k v", b"-ERR invalid numkeys value or out of range"),
        ("MSETEX 2147483648 k v", b"-ERR invalid numkeys value or out of range"),
        ("MSETEX 2147483647 k v", b"-ERR syntax error"),
        ("MSETEX 2 k v NX", b"-ERR syntax error"),
        ("MSETEX 1 k v NX XX", b"-ERR syntax error"),
        ("MSETEX 1 k v GET", b"-ERR syntax error"),
        ("MSETEX 1 k v IFEQ x", b"-ERR syntax error"),
        ("MSETEX 1 k v EX 0 NX", b"-ERR invalid expire time in 'msetex' command"),
        ("MSETEX 1 k v EX x NX", b"-ERR value is not an integer or out of range"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_looked_at(run: Run, line: str, refusal: bytes) -> None:
    run("SET k v")
    assert run(line) == refusal


@pytest.mark.parametrize(
    ("line", "keys"),
    [("MSETEX 2 a 1 b 2 NX", [b"a", b"b"]), ("MSETEX 3 a 1 b 2 NX", []), ("MSETEX x a 1", [])],
)
def test_every_second_argument_is_a_key(line: str, keys: list[bytes]) -> None:
    args = [word.encode() for word in line.split()]
    assert lookup(args).keys(args) == keys
