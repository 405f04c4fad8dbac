"""Outcomes: what other servers run is what came of a write, and not what chance made of it."""

from collections.abc import Sequence

import hiredis
import pytest

from trio_dynomite.commands.table import lookup
from trio_dynomite.coordinator.outcomes import builds, outcome, probe


def told(
    request: str, reply: bytes, keys: Sequence[bytes] = (), found: Sequence[bytes] = ()
) -> list[bytes] | None:
    args = [word.encode() for word in request.split()]
    said = outcome(lookup(args), args, reply, keys, found)
    if said is None:
        return None
    reader = hiredis.Reader()
    reader.feed(said)
    command = reader.gets()
    assert isinstance(command, list)
    return command


@pytest.mark.parametrize("request_", ["SET k v EX 10", "INCR k", "XADD s 5-1 f v", "XADD s MAXLEN ~ 9 7 f *"])
def test_what_is_the_same_everywhere_goes_on_as_it_is(request_: str) -> None:
    reply = b"$3\r\n5-1\r\n" if " 5-1 " in request_ else b"$3\r\n7-0\r\n" if " 7 " in request_ else b"+OK\r\n"
    expected = [word.encode() for word in request_.split()]
    assert told(request_, reply) == [b"7-0" if word == b"7" else word for word in expected]


@pytest.mark.parametrize(
    "options", ["", "NOMKSTREAM ", "MAXLEN 10 ", "MINID = 5-0 ", "MAXLEN ~ 10 LIMIT 100 "]
)
@pytest.mark.parametrize("id_", ["*", "9-*"])
def test_a_stream_entry_gets_the_id_that_was_chosen(options: str, id_: str) -> None:
    wanted = f"XADD s {options}9-4 f *".encode().split()
    assert told(f"XADD s {options}{id_} f *", b"$3\r\n9-4\r\n") == wanted


def test_a_stream_that_was_not_made_is_not_told() -> None:
    assert told("XADD s NOMKSTREAM * f v", b"$-1\r\n") is None
    assert told("XADD s NOMKSTREAM * f v", b"_\r\n") is None


def test_members_that_were_popped_are_removed() -> None:
    assert told("SPOP s", b"$1\r\na\r\n") == [b"SREM", b"s", b"a"]
    assert told("SPOP s 2", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n") == [b"SREM", b"s", b"a", b"b"]
    command = told("SPOP s 2", b"~2\r\n$1\r\na\r\n$1\r\nb\r\n")
    assert command is not None
    assert set(command) == {b"SREM", b"s", b"a", b"b"}
    for nothing in (b"$-1\r\n", b"_\r\n", b"*0\r\n", b"~0\r\n"):
        assert told("SPOP s", nothing) is None


@pytest.mark.parametrize(
    ("request_", "is_so"),
    [
        ("SET k v", False),
        ("SET k v EX 10 GET", False),
        ("set k v px 10", False),
        ("SET k v NX", True),
        ("SET k v EX 10 XX", True),
        ("SET k v KEEPTTL", True),
        ("DEL k", False),
        ("EXPIRE k 10", False),
        ("INCR k", True),
        ("HSET k f v", True),
        ("HDEL k f", False),
        ("RENAME a b", True),
        ("SETBIT k 1 1", True),
    ],
)
def test_which_writes_build_on_what_is_there(request_: str, is_so: bool) -> None:
    args = [word.encode() for word in request_.split()]
    assert builds(lookup(args), args) is is_so


def test_a_write_that_builds_is_run_where_the_same_keys_are() -> None:
    assert probe([b"a", b"b"]) == b"*2\r\n$6\r\nEXISTS\r\n$1\r\na\r\n*2\r\n$6\r\nEXISTS\r\n$1\r\nb\r\n"
    wanted = [b"FCALL", b"trio_dynomite_plain_1", b"2", b"a", b"b", b"10", b"RENAME", b"a", b"b"]
    assert told("RENAME a b", b"+OK\r\n", [b"a", b"b"], [b":1\r\n", b":0\r\n"]) == wanted


def test_a_sort_that_stores_nothing_is_not_told() -> None:
    assert told("SORT k", b"*0\r\n", [b"k"], [b":0\r\n"]) is None
    assert told("SORT k STORE d", b":0\r\n") == [b"SORT", b"k", b"STORE", b"d"]
