import pytest

from .fake import FakeKeyspace, Run

FAR_S = 2_000_000_000


@pytest.mark.parametrize(
    ("line", "milliseconds"),
    [
        ("EXPIRE key 10", 10_000),
        ("PEXPIRE key 10", 10),
        ("EXPIREAT key 1000000010", 10_000),
        ("PEXPIREAT key 1000000000010", 10),
    ],
)
def test_every_form_sets_an_absolute_deadline(
    ks: FakeKeyspace, run: Run, line: str, milliseconds: int
) -> None:
    run("SET key v")
    assert run(line) == b":1\r\n"
    assert ks.deadline(b"key") == ks.now_ms + milliseconds


@pytest.mark.parametrize(
    "line", ["EXPIRE key 0", "EXPIRE key -1", "PEXPIREAT key 0", "EXPIREAT key -5", "PEXPIREAT key 1"]
)
def test_a_passed_deadline_deletes(run: Run, line: str) -> None:
    run("SET key v")
    assert run(line) == b":1\r\n"
    assert run("EXISTS key") == b":0\r\n"


@pytest.mark.parametrize(
    ("old", "condition", "new", "changed"),
    [
        (0, "NX", 5, True),
        (9, "NX", 5, False),
        (0, "XX", 5, False),
        (9, "XX", 5, True),
        (0, "GT", 5, False),
        (5, "GT", 5, False),
        (5, "GT", 6, True),
        (0, "LT", 5, True),
        (5, "LT", 5, False),
        (5, "LT", 4, True),
        (0, "XX LT", 5, False),
        (9, "XX GT", 10, True),
    ],
)
def test_conditions_compare_with_the_old_deadline(
    run: Run, old: int, condition: str, new: int, changed: bool
) -> None:
    run("SET key v")
    if old:
        run(f"EXPIREAT key {FAR_S + old}")
    assert run(f"EXPIREAT key {FAR_S + new} {condition}") == (b":1\r\n" if changed else b":0\r\n")
    deadline = FAR_S + (new if changed else old) if changed or old else -1
    assert run("EXPIRETIME key") == b":%d\r\n" % deadline


@pytest.mark.parametrize(("left_ms", "seconds"), [(1, 0), (499, 0), (500, 1), (1499, 1), (1500, 2)])
def test_ttl_rounds_to_the_nearest_second(run: Run, left_ms: int, seconds: int) -> None:
    run(f"SET key v PX {left_ms}")
    assert run("PTTL key") == b":%d\r\n" % left_ms
    assert run("TTL key") == b":%d\r\n" % seconds


def test_persist(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v EX 10")
    assert [run("PERSIST key"), run("PERSIST key"), run("PERSIST absent")] == [
        b":1\r\n",
        b":0\r\n",
        b":0\r\n",
    ]
    assert run("TTL key") == b":-1\r\n"
    assert run("TTL absent") == b":-2\r\n"


def test_a_key_is_absent_from_its_deadline_on(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v PX 100")
    ks.now_ms += 99
    assert run("TYPE key") == b"+string\r\n"
    ks.now_ms += 1
    assert run("TYPE key") == b"+none\r\n"


@pytest.mark.parametrize(
    "line", ["EXPIRE k 9223372036854775807", "PEXPIRE k 9223372036854775807", "SET k v EX 0"]
)
def test_a_time_out_of_range_is_refused(run: Run, line: str) -> None:
    run("SET k v")
    name = line.split()[0].lower()
    assert run(line) == f"-ERR invalid expire time in '{name}' command".encode()
