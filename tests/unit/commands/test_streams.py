"""What the oracle cannot show of streams: waiting, times, events, and how replicas are told."""

from typing import Any

import pytest

from trio_dynomite.commands.row import BLOCKED
from trio_dynomite.commands.stream_ids import any_id_argument, parse_id, spelled
from trio_dynomite.commands.stream_reads import settle
from trio_dynomite.commands.table import find
from trio_dynomite.errors import CommandError

from .fake import FakeKeyspace, Run


def words(line: str) -> list[bytes]:
    return line.encode().split()


def consumer(ks: FakeKeyspace, name: bytes) -> Any:
    return ks.stream_at(b"s").body.groups[b"g"].consumers[name]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names of the operations that replicas are told."""
    from .fake_records import FakeStream

    names: list[Any] = []
    change = FakeStream.change

    def noted(self: FakeStream, *operation: Any) -> Any:
        names.append(operation[0])
        return change(self, *operation)

    monkeypatch.setattr(FakeStream, "change", noted)
    return names


# ---- ids --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"5", b"5-0"),
        (b"5-7", b"5-7"),
        (b"18446744073709551615-18446744073709551615", b"18446744073709551615-18446744073709551615"),
        (b"+5- 7", b"5-7"),
        (b"5--07", b"5-18446744073709551609"),
        (b"5-7\x00rest", b"5-7"),
    ],
)
def test_ids_are_read_as_redis_reads_them(text: bytes, shown: bytes) -> None:
    entry_id = parse_id(text)
    assert entry_id is not None
    assert spelled(entry_id) == shown


@pytest.mark.parametrize(
    "text", [b"", b"-", b"+", b"5-", b"-5", b"5--7", b"5-6-7", b"x", b"18446744073709551616", b"1" * 128]
)
def test_what_is_no_id(text: bytes) -> None:
    assert parse_id(text) is None


def test_the_ends_of_a_range() -> None:
    assert any_id_argument(b"-") == 0
    assert any_id_argument(b"+") == (1 << 128) - 1
    assert any_id_argument(b"5", 9) == 5 << 64 | 9


def test_an_id_is_chosen_by_the_clock_and_never_goes_back(ks: FakeKeyspace, run: Run) -> None:
    assert run("XADD s * f v") == b"$15\r\n1000000000000-0\r\n"
    assert run("XADD s * f v") == b"$15\r\n1000000000000-1\r\n"
    ks.now_ms -= 50
    assert run("XADD s * f v") == b"$15\r\n1000000000000-2\r\n"
    ks.now_ms += 100
    assert run("XADD s * f v") == b"$15\r\n1000000000050-0\r\n"


def test_no_id_is_left_after_the_last(run: Run) -> None:
    run("XADD s 18446744073709551615-18446744073709551615 f v")
    assert run("XADD s * f v").startswith(b"-ERR The stream has exhausted the last possible ID")


# ---- waiting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("XREAD STREAMS s $", -1),
        ("XREAD BLOCK 0 STREAMS s $", 0),
        ("XREAD COUNT 2 BLOCK 1500 STREAMS s $", 1.5),
        ("XREADGROUP GROUP g c BLOCK 20 NOACK STREAMS s >", 0.02),
        ("XREADGROUP GROUP BLOCK 5 STREAMS s >", -1),
    ],
)
def test_how_long_a_request_waits(line: str, seconds: float) -> None:
    row = find(words(line))
    assert row is not None
    assert row.blocking is not None
    assert row.blocking(words(line)) == seconds


@pytest.mark.parametrize(
    "line", ["XREAD BLOCK -1 STREAMS s $", "XREAD BLOCK 1.5 STREAMS s $", "XREAD BLOCK 1"]
)
def test_a_bad_wait_is_refused(line: str) -> None:
    row = find(words(line))
    assert row is not None
    assert row.blocking is not None
    with pytest.raises(CommandError):
        row.blocking(words(line))


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("XREAD STREAMS a b 1 2", "a b"),
        ("XREAD COUNT streams BLOCK x STREAMS a 1", "a"),
        ("XREADGROUP GROUP streams streams NOACK streams a b > >", "a b"),
        ("XREAD STREAMS a b 1", "a"),
        ("XREAD foo STREAMS a 1", ""),
        ("XREAD COUNT", ""),
    ],
)
def test_the_keys_stand_after_streams(line: str, keys: str) -> None:
    row = find(words(line))
    assert row is not None
    assert row.keys(words(line)) == words(keys)


def test_a_read_that_finds_nothing_waits_only_where_it_may(ks: FakeKeyspace, run: Run) -> None:
    run("XADD s 1-1 f v")
    assert run("XREAD BLOCK 5 STREAMS s none $ 0") == BLOCKED
    assert run("XREAD STREAMS s $") == b"*-1\r\n"
    ks.may_block = False
    assert run("XREAD BLOCK 5 STREAMS s $") == b"*-1\r\n"
    ks.resp = 3
    assert run("XREAD BLOCK 5 STREAMS s $") == b"_\r\n"


def test_what_dollar_means_is_settled_before_the_wait(ks: FakeKeyspace, run: Run) -> None:
    run("XADD s 1-1 f v")
    line = "XREAD COUNT 9 BLOCK 0 STREAMS s none t $ $ 5"
    settled = settle(ks, words(line))
    assert settled == words("XREAD COUNT 9 BLOCK 0 STREAMS s none t 1-1 0-0 5")
    run("XADD s 2-1 f v")
    assert run(line) == BLOCKED
    assert (
        run(b" ".join(settled).decode())
        == b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
    )


def test_settling_leaves_other_requests_alone(ks: FakeKeyspace) -> None:
    for line in ("XREAD BLOCK 0 STREAMS $ +", "XREADGROUP GROUP $ $ STREAMS $ >"):
        assert settle(ks, words(line)) == words(line)


def test_a_consumer_that_waits_gets_what_comes(run: Run) -> None:
    run("XGROUP CREATE s g $ MKSTREAM")
    request = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"
    assert run(request) == BLOCKED
    run("XADD s 1-1 f v")
    assert run(request).startswith(b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n")
    assert run(request) == BLOCKED
    assert run("XPENDING s g").startswith(b"*4\r\n:1\r\n")


@pytest.mark.parametrize("end", ["XGROUP DESTROY s g", "DEL s"])
def test_a_consumer_that_waits_is_told_when_its_group_has_gone(run: Run, end: str) -> None:
    run("XGROUP CREATE s g $ MKSTREAM")
    request = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"
    assert run(request) == BLOCKED
    run(end)
    assert run(request) == (b"-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option")


def test_waiting_again_changes_nothing_within_the_time_of_the_wait(
    ks: FakeKeyspace, run: Run, told: list[Any]
) -> None:
    """Else those that wait for one stream would wake each other for ever."""
    run("XGROUP CREATE s g $ MKSTREAM")
    request = "XREADGROUP GROUP g c BLOCK 1000 STREAMS s >"
    run(request)
    told.clear()
    ks.now_ms += 999
    assert run(request) == BLOCKED
    assert told == []
    ks.now_ms += 1
    assert run(request) == BLOCKED
    assert told == [b"see"]
    assert consumer(ks, b"c").seen_ms == ks.now_ms


# ---- times ------------------------------------------------------------------------------------------


def test_seen_and_active_times(ks: FakeKeyspace, run: Run) -> None:
    run("XGROUP CREATE s g $ MKSTREAM")
    began = ks.now_ms
    run("XREADGROUP GROUP g c STREAMS s >")
    assert (consumer(ks, b"c").seen_ms, consumer(ks, b"c").active_ms) == (began, None)
    ks.now_ms += 10
    run("XADD s 1-1 f v")
    run("XREADGROUP GROUP g c STREAMS s >")
    ks.now_ms += 10
    run("XREADGROUP GROUP g c STREAMS s >")
    assert (consumer(ks, b"c").seen_ms, consumer(ks, b"c").active_ms) == (began + 20, began + 10)


def test_idle_entries_are_claimed_when_their_time_has_come(ks: FakeKeyspace, run: Run) -> None:
    run("XADD s 1-1 f v")
    run("XGROUP CREATE s g 0")
    run("XREADGROUP GROUP g c STREAMS s >")
    ks.now_ms += 99
    assert run("XCLAIM s g d 100 1-1 JUSTID") == b"*0\r\n"
    assert run("XAUTOCLAIM s g d 100 0 JUSTID") == b"*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n"
    assert run("XPENDING s g IDLE 100 - + 9") == b"*0\r\n"
    ks.now_ms += 1
    assert run("XPENDING s g IDLE 100 - + 9") == b"*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:100\r\n:1\r\n"
    assert run("XAUTOCLAIM s g d 100 0 JUSTID") == b"*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n1-1\r\n*0\r\n"
    assert run("XPENDING s g - + 9") == b"*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nd\r\n:0\r\n:1\r\n"


# ---- replicas and listeners -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "operations"),
    [
        ("XADD s MAXLEN 2 9-9 f v", [b"add"]),
        ("XADD s MINID 3 9-9 f v", [b"add"]),
        ("XREADGROUP GROUP g c STREAMS s >", [b"read"]),
        ("XREADGROUP GROUP g c NOACK STREAMS s >", [b"see", b"group"]),
        ("XREADGROUP GROUP g d STREAMS s 0", [b"see", b"claim"]),
        ("XACK s g 1-0 2-0 7-0", [b"ack"]),
        ("XACK s g 7-0", []),
        ("XDEL s 1-0 2-0 7-0", [b"delete"]),
        ("XDEL s 7-0", []),
        ("XTRIM s MAXLEN 99", []),
        ("XAUTOCLAIM s g c 0 0", [b"see", b"claim"]),
        ("XCLAIM s g c 99 1-0", [b"see"]),
        ("XGROUP DELCONSUMER s g nobody", []),
        ("XGROUP CREATECONSUMER s g d", []),
        ("XGROUP DESTROY s none", []),
        ("XINFO STREAM s FULL", []),
        ("XPENDING s g", []),
        ("XGROUP CREATE s g 0", []),
        ("XADD s 1-1 f v", []),
        ("XSETID s 1-1", []),
    ],
)
def test_replicas_are_told_what_changed_and_nothing_else(
    run: Run, told: list[Any], line: str, operations: list[bytes]
) -> None:
    for number in (1, 2, 3, 4):
        run(f"XADD s {number} f v")
    run("XGROUP CREATE s g 0")
    run("XREADGROUP GROUP g d COUNT 2 STREAMS s >")
    told.clear()
    run(line)
    assert told == operations


@pytest.mark.parametrize(
    ("line", "events"),
    [
        ("XADD s 9 f v", ["xadd"]),
        ("XADD s MAXLEN 1 9 f v", ["xadd", "xtrim"]),
        ("XADD s MAXLEN 9 9 f v", ["xadd"]),
        ("XDEL s 1", ["xdel"]),
        ("XDEL s 8", []),
        ("XTRIM s MAXLEN 1", ["xtrim"]),
        ("XSETID s 9", ["xsetid"]),
        ("XGROUP CREATE s h 0", ["xgroup-create"]),
        ("XGROUP SETID s g 0", ["xgroup-setid"]),
        ("XGROUP DESTROY s g", ["xgroup-destroy"]),
        ("XGROUP CREATECONSUMER s g d", ["xgroup-createconsumer"]),
        ("XGROUP DELCONSUMER s g c", ["xgroup-delconsumer"]),
        ("XREADGROUP GROUP g c STREAMS s >", []),
        ("XREADGROUP GROUP g d STREAMS s >", ["xgroup-createconsumer"]),
        ("XREADGROUP GROUP g d STREAMS s 0", ["xgroup-createconsumer"]),
        ("XCLAIM s g d 0 1", ["xgroup-createconsumer"]),
        ("XAUTOCLAIM s g d 0 0", ["xgroup-createconsumer"]),
        ("XACK s g 1", []),
    ],
)
def test_events(ks: FakeKeyspace, run: Run, line: str, events: list[str]) -> None:
    for number in (1, 2, 3):
        run(f"XADD s {number} f v")
    run("XGROUP CREATE s g 0")
    run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
    ks.events.clear()
    run(line)
    assert ks.events == [(name, b"s") for name in events]


def test_an_empty_stream_is_there(run: Run) -> None:
    run("XADD s 1 f v")
    run("XDEL s 1")
    assert run("XLEN s") == b":0\r\n"
    assert run("TYPE s") == b"+stream\r\n"
    assert run("XADD s 1 f v").startswith(b"-ERR The ID specified in XADD is equal or smaller")
