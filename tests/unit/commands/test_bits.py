"""What the oracle cannot show: how the keyspace is used, events, and what Redis 8 added to BITOP."""

import pytest

from .fake import FakeKeyspace, Run


def string(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def test_setbit_describes_one_byte(ks: FakeKeyspace, run: Run) -> None:
    """The fake checks that the description repeats the change."""
    run("SET key ab EX 10")
    assert run("SETBIT key 9 0") == b":1\r\n"
    assert run("SETBIT key 33 1") == b":0\r\n"
    assert ks.patches == [(b"setrange", 1, b"\x22"), (b"setrange", 4, b"\x40")]
    assert run("GET key") == string(b"a\x22\0\0\x40")
    assert ks.deadline(b"key") == ks.now_ms + 10_000


def test_what_changes_nothing_writes_nothing(ks: FakeKeyspace, run: Run) -> None:
    run("SET key ab")
    ks.events.clear()
    run("SETBIT key 1 1")
    run("BITFIELD key SET u8 8 98 INCRBY u4 0 0 OVERFLOW FAIL INCRBY u8 0 200")
    assert (ks.patches, ks.events) == ([], [])


def test_a_bit_that_lengthens_the_string_is_a_change_though_it_is_zero(ks: FakeKeyspace, run: Run) -> None:
    assert run("SETBIT key 15 0") == b":0\r\n"
    assert run("GET key") == string(b"\0\0")
    assert ks.events == [("setbit", b"key")]


def test_bitfield_describes_the_span_that_it_wrote(ks: FakeKeyspace, run: Run) -> None:
    run("SET key abcdefgh EX 10")
    ks.events.clear()
    run("BITFIELD key GET u8 0 SET u8 16 65 INCRBY u8 32 1")
    assert ks.patches == [(b"setrange", 2, b"Adf")]
    run("BITFIELD key SET i16 80 -1")
    assert ks.patches[1:] == [(b"setrange", 10, b"\xff\xff")]
    assert run("GET key") == string(b"abAdffgh\0\0\xff\xff")
    assert ks.deadline(b"key") == ks.now_ms + 10_000
    assert ks.events == [("setbit", b"key"), ("setbit", b"key")]


def test_bitfield_that_only_fails_still_lengthens_the_string_silently(ks: FakeKeyspace, run: Run) -> None:
    assert run("BITFIELD key OVERFLOW FAIL INCRBY u1 20 2") == b"*1\r\n$-1\r\n"
    assert run("GET key") == string(bytes(3))
    assert ks.events == []


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("DIFF", 0b1000_0000),
        ("DIFF1", 0b0001_0110),
        ("ANDOR", 0b0110_0000),
        ("ONE", 0b1001_0100),
    ],
)
def test_bitop_of_redis_8(run: Run, operation: str, result: int) -> None:
    for key, bits in (("x", 0b1110_0000), ("y", 0b0101_0010), ("z", 0b0010_0110)):
        run(f"SET {key}", bytes([bits]))
    assert run(f"BITOP {operation} to x y z") == b":1\r\n"
    assert run("GET to") == string(bytes([result]))
    run("SET long", b"\0\xff")
    assert run(f"BITOP {operation.lower()} to x long") == b":2\r\n"
    assert run("GET to") == string(
        {"DIFF": b"\xe0\0", "DIFF1": b"\0\xff", "ANDOR": b"\0\0"}.get(operation, b"\xe0\xff")
    )


@pytest.mark.parametrize("operation", ["DIFF", "diff1", "AndOr"])
def test_bitop_of_redis_8_wants_two_sources(run: Run, operation: str) -> None:
    assert run(f"BITOP {operation} to x").decode() == (
        f"-ERR BITOP {operation.upper()} must be called with at least two source keys."
    )
    assert run("BITOP ONE to x") == b":0\r\n"


def test_bitop_tells_what_became_of_its_target(ks: FakeKeyspace, run: Run) -> None:
    run("SET x a")
    run("SET to v EX 10")
    ks.events.clear()
    run("BITOP OR to x x")
    assert ks.deadline(b"to") == 0
    run("BITOP OR to absent")
    run("BITOP OR to absent")
    assert ks.events == [("set", b"to"), ("del", b"to")]


def test_a_long_string_is_counted_at_once(run: Run) -> None:
    run("SETBIT key 40000000 1")
    run("SETBIT key 7 1")
    assert run("BITCOUNT key") == b":2\r\n"
    assert run("BITPOS key 1 1") == b":40000000\r\n"
    assert run("BITPOS key 1 8 39999999 BIT") == b":-1\r\n"
    assert run("BITPOS key 0 40000000 -1 BIT") == b":40000001\r\n"
    assert run("BITCOUNT key 8 40000000 BIT") == b":1\r\n"
    run("SET key", b"\xff" * 200_000)
    assert [run("BITPOS key 0"), run("BITPOS key 0 0 -1")] == [b":1600000\r\n", b":-1\r\n"]
