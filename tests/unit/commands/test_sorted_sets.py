"""What the oracle cannot show of the commands on sorted sets: what is written, who waits, what it costs."""

import pytest

from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.commands.table import lookup
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run
from .fake_records import FakeSortedSet

WAITING = ["BZPOPMIN k l 0", "BZPOPMAX k 1.5", "BZMPOP 0 2 k l MIN"]


def scores(ks: FakeKeyspace, key: bytes) -> dict[bytes, float]:
    return dict(ks.sorted_set_at(key).items())


def test_a_sorted_set_from_both_ends(run: Run) -> None:
    assert run("ZADD k 3 c 1 a 2 b") == b":3\r\n"
    assert run("ZRANGE k 0 -1") == b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"
    assert run("ZPOPMIN k") == b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert run("ZPOPMAX k 5") == b"*4\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n"
    assert run("EXISTS k") == b":0\r\n"


def test_scores_are_pairs_in_resp3(ks: FakeKeyspace, run: Run) -> None:
    ks.resp = 3
    run("ZADD k 1.5 a")
    assert run("ZRANGE k 0 -1 WITHSCORES") == b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n"
    assert run("ZPOPMIN k") == b"*2\r\n$1\r\na\r\n,1.5\r\n"


@pytest.mark.parametrize(
    "line",
    [
        "ZADD k 1 a",
        "ZADD k CH 1 a 1 a",
        "ZADD k NX 5 a",
        "ZADD k GT 0 a",
        "ZADD k XX 1 other",
        "ZADD k INCR 0 a",
        "ZINCRBY k 0 a",
        "ZINCRBY k inf top",
        "ZREM k other",
        "ZREMRANGEBYSCORE k (1 (2",
        "ZPOPMIN k 0",
    ],
)
def test_what_changes_nothing_writes_nothing_and_tells_nobody(
    ks: FakeKeyspace, run: Run, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ZADD k 1 a inf top")
    ks.events.clear()
    for name in ("put", "remove", "increment"):
        monkeypatch.setattr(FakeSortedSet, name, lambda *_: 0 if line.startswith("ZREM ") else 1 / 0)
    assert not run(line).startswith(b"-")
    assert ks.events == []


def test_one_zadd_is_one_write(ks: FakeKeyspace, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[list[tuple[bytes, float]]] = []
    monkeypatch.setattr(FakeSortedSet, "put", lambda _, pairs: written.append(list(pairs)))
    assert run("ZADD k 1 a 2 b 3 a -0 c") == b":3\r\n"
    assert written == [[(b"a", 3.0), (b"b", 2.0), (b"c", 0.0)]]
    assert str(written[0][2][1]) == "0.0"


@pytest.mark.parametrize(
    "line",
    [
        "ZADD k 2 a x b",
        "ZADD k INCR -inf top",
        "ZADD k GT INCR -inf top",
        "ZUNIONSTORE k 1 k WEIGHTS x",
        "ZUNIONSTORE k 2 k string",
        "ZRANGESTORE k k 0 x",
        "ZRANGESTORE k string 0 -1",
        "ZMPOP 2 string k MIN",
        "BZPOPMIN string k 0",
        "ZREMRANGEBYLEX k - x",
    ],
)
def test_a_refused_command_leaves_everything_as_it_was(ks: FakeKeyspace, run: Run, line: str) -> None:
    run("ZADD k 1 a inf top")
    run("SET string x")
    assert run(line).startswith(b"-")
    assert scores(ks, b"k") == {b"a": 1.0, b"top": float("inf")}


@pytest.mark.parametrize("line", WAITING)
def test_who_may_wait_says_so_and_who_may_not_gets_null(ks: FakeKeyspace, run: Run, line: str) -> None:
    assert run(line) == BLOCKED
    ks.may_block = False
    assert run(line) == b"*-1\r\n"
    ks.resp = 3
    assert run(line) == b"_\r\n"


@pytest.mark.parametrize("line", WAITING)
def test_what_is_there_is_taken_at_once(ks: FakeKeyspace, run: Run, line: str) -> None:
    run("ZADD k 1 a")
    assert run(line).startswith(b"*")
    assert ks.kind(b"k") is None


@pytest.mark.parametrize(
    ("line", "timeout_s"), [("BZPOPMIN k 0", 0), ("BZPOPMAX k l 1.5", 1.5), ("BZMPOP 2 1 k MAX", 2)]
)
def test_the_row_knows_the_timeout(line: str, timeout_s: float) -> None:
    args = line.encode().split()
    row = lookup(args)
    assert row.blocking is not None
    assert row.blocking(args) == timeout_s


@pytest.mark.parametrize("line", ["BZPOPMIN k -1", "BZMPOP x 1 k MAX"])
def test_the_row_refuses_a_wrong_timeout(line: str) -> None:
    args = line.encode().split()
    row = lookup(args)
    assert row.blocking is not None
    with pytest.raises(CommandError, match="timeout"):
        row.blocking(args)


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("ZUNION 2 a b WEIGHTS 1 2", "a b"),
        ("ZINTERCARD 1 a LIMIT 2", "a"),
        ("ZDIFFSTORE to 2 a b", "to a b"),
        ("ZUNIONSTORE to 3 a b", ""),
        ("ZUNIONSTORE to x a b", ""),
        ("ZMPOP 2 a b MIN", "a b"),
        ("BZMPOP 0 1 a MIN", "a"),
        ("BZPOPMIN a b 0", "a b"),
        ("ZRANGESTORE to from 0 1", "to from"),
    ],
)
def test_where_the_keys_are(line: str, keys: str) -> None:
    args = line.encode().split()
    assert lookup(args).keys(args) == keys.encode().split()


@pytest.mark.parametrize(
    ("line", "most"),
    [
        ("ZRANGE k 500 -1 LIMIT 100 -1", 500),
        ("ZRANGE k 10 12", 3),
        ("ZRANGE k 10 12 REV", 3),
        ("ZRANGEBYSCORE k 100 +inf LIMIT 200 5", 5),
        ("ZREVRANGEBYSCORE k +inf -inf LIMIT 200 5", 5),
        ("ZRANGE k [m0100 + BYLEX LIMIT 3 2", 2),
        ("ZPOPMAX k 4", 4),
        ("ZCOUNT k 1 900", 0),
        ("GEORADIUS k 0 0 1 km COUNT 1 ANY", 256),
    ],
)
def test_no_more_is_read_than_is_answered(
    run: Run, line: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = " ".join(f"{number} m{number:04}" for number in range(1000))
    run(f"ZADD k {pairs}")
    read: list[int] = []
    sliced = FakeSortedSet.slice

    def slice_(view: FakeSortedSet, start: int, stop: int, *, reverse: bool = False) -> object:
        read.append(stop - start)
        return sliced(view, start, stop, reverse=reverse)

    monkeypatch.setattr(FakeSortedSet, "slice", slice_)
    monkeypatch.setattr(FakeSortedSet, "items", lambda _: 1 / 0)
    assert not run(line).startswith(b"-")
    assert sum(read) <= most


@pytest.mark.parametrize(
    "line", ["ZRANGESTORE to from 0 -1", "ZUNIONSTORE to 1 from", "ZDIFFSTORE to 1 from"]
)
def test_a_stored_result_replaces_what_was_there(ks: FakeKeyspace, run: Run, line: str) -> None:
    run("SET to text EX 100")
    run("ZADD from 1 a")
    assert run(line) == b":1\r\n"
    assert scores(ks, b"to") == {b"a": 1.0}
    assert ks.deadline(b"to") == 0
    run("DEL from")
    ks.events.clear()
    assert run(line) == b":0\r\n"
    assert ks.events == [("del", b"to")]


def test_aggregate_count_tells_in_how_many_a_member_is(run: Run) -> None:
    """The example of Redis 8.8's documentation."""
    run("ZADD a 1 foo 1 bar")
    run("ZADD b 2 foo 2 bar")
    run("ZADD c 3 foo")
    union = "ZUNION 3 a b c WITHSCORES AGGREGATE COUNT"
    assert run(union) == b"*4\r\n$3\r\nbar\r\n$1\r\n2\r\n$3\r\nfoo\r\n$1\r\n3\r\n"
    assert run(f"{union} WEIGHTS 1 10 100") == b"*4\r\n$3\r\nbar\r\n$2\r\n11\r\n$3\r\nfoo\r\n$3\r\n111\r\n"
    assert run("ZINTER 2 b c AGGREGATE count WITHSCORES") == b"*2\r\n$3\r\nfoo\r\n$1\r\n2\r\n"


def test_a_set_takes_part_with_scores_of_one(run: Run) -> None:
    run("SADD s a b")
    run("ZADD z 5 a 7 c")
    assert run("ZINTER 2 z s WEIGHTS 1 10 WITHSCORES") == b"*2\r\n$1\r\na\r\n$2\r\n15\r\n"
    assert run("ZDIFF 2 z s") == b"*1\r\n$1\r\nc\r\n"
    assert run("ZINTERCARD 2 z s LIMIT 5") == b":1\r\n"
