"""What the oracle cannot show of the commands on lists: events, deadlines, who waits, what is left alone."""

import pytest

from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run

BLOCKING = [
    "BLPOP k l 0",
    "BRPOP k 1",
    "BLMOVE k l LEFT RIGHT 0",
    "BRPOPLPUSH k l 0.5",
    "BLMPOP 0 2 k l LEFT",
]


def test_a_list_from_both_ends(run: Run) -> None:
    assert run("RPUSH k b c") == b":2\r\n"
    assert run("LPUSH k a z") == b":4\r\n"
    assert run("LRANGE k 0 -1") == b"*4\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"
    assert run("LPOP k") + run("RPOP k") == b"$1\r\nz\r\n$1\r\nc\r\n"
    assert run("RPOP k 5") == b"*2\r\n$1\r\nb\r\n$1\r\na\r\n"
    assert run("EXISTS k") == b":0\r\n"


@pytest.mark.parametrize(
    ("line", "events"),
    [
        ("LPUSH k x", [("lpush", b"k")]),
        ("RPUSHX k x y", [("rpush", b"k")]),
        ("LPUSHX absent x", []),
        ("LPOP k", [("lpop", b"k")]),
        ("LPOP k 0", []),
        ("RPOP k 3", [("rpop", b"k"), ("del", b"k")]),
        ("LSET k 0 x", [("lset", b"k")]),
        ("LTRIM k 0 -1", [("ltrim", b"k")]),
        ("LTRIM k 5 6", [("ltrim", b"k"), ("del", b"k")]),
        ("LINSERT k AFTER a x", [("linsert", b"k")]),
        ("LINSERT k AFTER nope x", []),
        ("LREM k 1 a", [("lrem", b"k")]),
        ("LREM one 0 a", [("lrem", b"one"), ("del", b"one")]),
        ("LREM k 0 nope", []),
        ("LMOVE k l LEFT RIGHT", [("rpush", b"l"), ("lpop", b"k")]),
        ("RPOPLPUSH one k", [("lpush", b"k"), ("rpop", b"one"), ("del", b"one")]),
        ("RPOPLPUSH one one", [("lpush", b"one"), ("rpop", b"one")]),
        ("BLPOP absent one 0", [("lpop", b"one"), ("del", b"one")]),
        ("BLPOP absent 0", []),
        ("LMPOP 1 k RIGHT COUNT 2", [("rpop", b"k")]),
    ],
)
def test_the_listeners_are_told(
    ks: FakeKeyspace, run: Run, line: str, events: list[tuple[str, bytes]]
) -> None:
    run("RPUSH k a b c")
    run("RPUSH one a")
    ks.events.clear()
    run(line)
    assert ks.events == events


@pytest.mark.parametrize("line", ["LMOVE k k LEFT RIGHT", "RPOPLPUSH k k", "BLMOVE k k LEFT LEFT 0"])
def test_a_list_that_is_its_own_target_keeps_its_deadline(ks: FakeKeyspace, run: Run, line: str) -> None:
    run("RPUSH k only")
    run("EXPIRE k 100")
    assert run(line) == b"$4\r\nonly\r\n"
    assert ks.deadline(b"k") == ks.now_ms + 100_000


def test_an_emptied_list_takes_its_deadline_with_it(ks: FakeKeyspace, run: Run) -> None:
    run("RPUSH k x")
    run("EXPIRE k 100")
    run("LPOP k")
    run("RPUSH k x")
    assert ks.deadline(b"k") == 0


@pytest.mark.parametrize("line", BLOCKING)
def test_who_finds_nothing_waits_if_it_may(ks: FakeKeyspace, run: Run, line: str) -> None:
    assert run(line) == BLOCKED
    ks.may_block = False
    assert run(line) in (b"*-1\r\n", b"$-1\r\n")
    ks.may_block = True
    run("RPUSH k x")
    assert b"x" in run(line)
    assert run("LLEN k") == b":0\r\n"


@pytest.mark.parametrize("line", BLOCKING)
def test_the_row_of_a_blocking_command_reads_its_timeout(line: str) -> None:
    args = [word.encode() for word in line.split()]
    blocking = lookup(args).blocking
    assert blocking is not None
    place = 1 if args[0] == b"BLMPOP" else -1
    assert blocking(args) == float(args[place])
    args[place] = b"never"
    with pytest.raises(CommandError, match="ERR timeout is not a float or out of range"):
        blocking(args)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("BLMPOP x 0 k LEFT", b"-ERR numkeys should be greater than 0"),
        ("BLMPOP x 1 k UP", b"-ERR syntax error"),
        ("BLPOP string x", b"-ERR timeout is not a float or out of range"),
        ("BLMOVE string k UP LEFT x", b"-ERR syntax error"),
        ("LPOP string -1", b"-ERR value is out of range, must be positive"),
        ("LPOP k 1 2", b"-ERR wrong number of arguments for 'lpop' command"),
        ("RPOP k x y", b"-ERR wrong number of arguments for 'rpop' command"),
        ("LSET absent x v", b"-ERR no such key"),
        ("LPOS string a COUNT", b"-ERR syntax error"),
        ("LMPOP 9 k LEFT", b"-ERR syntax error"),
    ],
)
def test_the_order_of_checks_is_redis(run: Run, line: str, refusal: bytes) -> None:
    run("SET string v")
    run("RPUSH k a")
    assert run(line) == refusal


@pytest.mark.parametrize(
    "line", ["LMOVE k string LEFT LEFT", "BRPOPLPUSH k string 0", "LMPOP 2 string k LEFT", "BLPOP string k 0"]
)
def test_a_key_of_another_type_is_refused_before_anything_moves(run: Run, line: str) -> None:
    run("SET string v")
    run("RPUSH k a")
    assert run(line).startswith(b"-WRONGTYPE")
    assert run("LLEN k") == b":1\r\n"


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("LMPOP 2 a b LEFT", [b"a", b"b"]),
        ("LMPOP 3 a b LEFT", [b"a", b"b", b"LEFT"]),
        ("LMPOP 4 a b LEFT", []),
        ("LMPOP x a b LEFT", []),
        ("LMPOP 0 a b LEFT", []),
        ("BLMPOP 0 1 a LEFT", [b"a"]),
        ("BLPOP a b 0", [b"a", b"b"]),
        ("BLMOVE a b LEFT LEFT 0", [b"a", b"b"]),
    ],
)
def test_keys_are_found(line: str, keys: list[bytes]) -> None:
    args = [word.encode() for word in line.split()]
    assert lookup(args).keys(args) == keys
