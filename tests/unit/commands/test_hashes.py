"""What the oracle cannot show of hashes: time, chance, pages, and how the keyspace is used."""

import pytest

from .fake import FakeKeyspace, Run


def bulks(*texts: str) -> bytes:
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%b\r\n" % (len(text), text.encode()) for text in texts)


def integers(*numbers: int) -> bytes:
    return b"*%d\r\n" % len(numbers) + b"".join(b":%d\r\n" % number for number in numbers)


def test_set_and_get(run: Run) -> None:
    assert run("HSET key f v g w f x") == b":2\r\n"
    assert run("HGET key f") == b"$1\r\nx\r\n"
    assert run("HMSET key g y") == b"+OK\r\n"
    assert run("HMGET key g absent") == b"*2\r\n$1\r\ny\r\n$-1\r\n"


@pytest.mark.parametrize(
    ("resp", "everything", "drawn"),
    [
        (2, bulks("f", "v"), bulks("f", "v")),
        (3, b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n", b"*1\r\n" + bulks("f", "v")),
    ],
)
def test_pairs_are_of_the_clients_protocol(
    ks: FakeKeyspace, run: Run, resp: int, everything: bytes, drawn: bytes
) -> None:
    ks.resp = resp
    run("HSET key f v")
    assert run("HGETALL key") == everything
    assert run("HRANDFIELD key 1 WITHVALUES") == drawn


def test_the_last_field_takes_the_key_with_it(ks: FakeKeyspace, run: Run) -> None:
    run("HSET key f v")
    run("EXPIRE key 100")
    assert run("HDEL key f f absent") == b":1\r\n"
    assert ks.kind(b"key") is None
    run("HSET key f v")
    assert run("TTL key") == b":-1\r\n"


def test_a_refused_step_changes_nothing(ks: FakeKeyspace, run: Run) -> None:
    run("HSET key text x big 9223372036854775807")
    before = run("HGETALL key")
    for line in ("HINCRBY key text 1", "HINCRBYFLOAT key text 1", "HINCRBY key big 1", "HINCRBY new f x"):
        assert run(line).startswith(b"-ERR")
    assert run("HGETALL key") == before
    assert ks.kind(b"new") is None


def test_a_step_keeps_the_deadline_of_its_field_and_a_set_drops_it(run: Run) -> None:
    run("HSETEX key EX 100 FIELDS 2 f 1 g 1")
    assert [run("HINCRBY key f 2"), run("HINCRBYFLOAT key f 0.5")] == [b":3\r\n", b"$3\r\n3.5\r\n"]
    run("HSET key g 2")
    assert run("HTTL key FIELDS 2 f g") == integers(100, -1)


def test_draws_with_repeats_reach_every_field(run: Run) -> None:
    run("HSET key f 1 g 2 h 3")
    drawn = run("HRANDFIELD key -60").split(b"\r\n")[2::2]
    assert len(drawn) == 60
    assert set(drawn) == {b"f", b"g", b"h"}
    assert {run("HRANDFIELD key") for _ in range(60)} == {b"$1\r\nf\r\n", b"$1\r\ng\r\n", b"$1\r\nh\r\n"}


def test_a_scan_goes_through_everything_page_by_page(run: Run) -> None:
    for number in range(25):
        run(f"HSET key f{number:02} v")
    cursor, found = "0", []
    for _ in range(3):
        reply = run(f"HSCAN key {cursor} NOVALUES").split(b"\r\n")
        cursor, found = reply[2].decode(), found + reply[5::2]
    assert cursor == "0"
    assert sorted(found) == [b"f%02d" % number for number in range(25)]
    assert run("HSCAN key 0 MATCH f2? COUNT 100 NOVALUES").count(b"$3") == 5


class TestFieldsExpire:
    def test_a_field_goes_when_its_time_has_come(self, ks: FakeKeyspace, run: Run) -> None:
        run("HSET key f v g w")
        assert run("HEXPIRE key 10 FIELDS 2 f absent") == integers(1, -2)
        ks.now_ms += 9_999
        assert run("HPTTL key FIELDS 3 f g absent") == integers(1, -1, -2)
        ks.now_ms += 1
        assert run("HGETALL key") == bulks("g", "w")
        assert run("HLEN key") == b":1\r\n"

    @pytest.mark.parametrize(
        ("line", "left_ms"),
        [
            ("HEXPIRE key 10", 10_000),
            ("HPEXPIRE key 10", 10),
            ("HEXPIREAT key 1000000010", 10_000),
            ("HPEXPIREAT key 1000000000010", 10),
        ],
    )
    def test_every_time_becomes_a_deadline(self, ks: FakeKeyspace, run: Run, line: str, left_ms: int) -> None:
        run("HSET key f v")
        assert run(f"{line} FIELDS 1 f") == integers(1)
        assert ks.hash_at(b"key").deadline(b"f") == ks.now_ms + left_ms
        assert run("HPEXPIRETIME key FIELDS 1 f") == integers(ks.now_ms + left_ms)

    @pytest.mark.parametrize(
        ("line", "reply"),
        [
            ("HEXPIRE key 100 NX FIELDS 2 f f", integers(1, 0)),
            ("HEXPIRE key 0 FIELDS 2 f f", integers(2, -2)),
            ("HGETDEL key FIELDS 2 f f", b"*2\r\n$1\r\nv\r\n$-1\r\n"),
            ("HGETEX key PXAT 1 FIELDS 2 f f", b"*2\r\n$1\r\nv\r\n$-1\r\n"),
            ("HGETEX key EX 10 FIELDS 2 f f", bulks("v", "v")),
        ],
    )
    def test_a_field_named_twice_is_changed_once(self, run: Run, line: str, reply: bytes) -> None:
        run("HSET key f v g w")
        assert run(line) == reply

    def test_hsetex_writes_all_or_nothing(self, run: Run) -> None:
        run("HSET key f v")
        assert run("HSETEX key FNX FIELDS 2 new 1 f 1") == b":0\r\n"
        assert run("HSETEX key FXX FIELDS 2 f 1 new 1") == b":0\r\n"
        assert run("HSETEX key NX FIELDS 1 new 1") == b":0\r\n"
        assert run("HGETALL key") == bulks("f", "v")
        assert run("HSETEX key XX FNX EX 10 FIELDS 2 new 1 other 2") == b":1\r\n"
        assert run("HTTL key FIELDS 3 new other f") == integers(10, 10, -1)

    def test_keepttl_keeps_each_fields_own_deadline(self, run: Run) -> None:
        run("HSETEX key EX 10 FIELDS 1 f v")
        run("HSETEX key EX 20 FIELDS 1 g v")
        run("HSETEX key KEEPTTL FIELDS 3 f w g w h w")
        assert run("HTTL key FIELDS 3 f g h") == integers(10, 20, -1)

    def test_a_key_may_be_called_fields(self, run: Run) -> None:
        """Valkey 9.1 takes it for the word FIELDS."""
        assert run("HSETEX fields FIELDS 1 f v") == b":1\r\n"
        assert run("HGETEX FIELDS FIELDS 1 f") == b"*1\r\n$-1\r\n"
