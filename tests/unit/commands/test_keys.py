import pytest

from .fake import FakeKeyspace, Run


def test_counting_commands_count_each_key(run: Run) -> None:
    run("MSET a 1 b 2 c 3")
    assert run("EXISTS a a absent b") == b":3\r\n"
    assert run("TOUCH a absent c") == b":2\r\n"
    assert run("UNLINK a absent") == b":1\r\n"
    assert run("DEL a b c c") == b":2\r\n"


def test_rename_takes_deadline_and_type_along(ks: FakeKeyspace, run: Run) -> None:
    run("SET old v EX 10")
    run("SET new w")
    assert run("RENAME old new") == b"+OK\r\n"
    assert (ks.kind(b"old"), ks.get(b"new"), ks.deadline(b"new")) == (None, b"v", ks.now_ms + 10_000)
    ks.plant(b"list", "list")
    assert run("RENAMENX list new") == b":0\r\n"
    assert run("RENAMENX list other") == b":1\r\n"
    assert ks.kind(b"other") == "list"


def test_rename_to_itself_keeps_the_key(run: Run) -> None:
    run("SET key v")
    assert run("RENAME key key") == b"+OK\r\n"
    assert run("RENAMENX key key") == b":0\r\n"
    assert run("GET key") == b"$1\r\nv\r\n"
    assert run("RENAME absent absent") == b"-ERR no such key"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("COPY a b", b":0\r\n"),
        ("COPY a c", b":1\r\n"),
        ("COPY a b REPLACE", b":1\r\n"),
        ("COPY a b db 0 replace", b":1\r\n"),
        ("COPY absent c", b":0\r\n"),
        ("COPY a a", b"-ERR source and destination objects are the same"),
        ("COPY a c DB 1", b"-ERR DB index is out of range"),
        ("COPY a c DB", b"-ERR syntax error"),
    ],
)
def test_copy(run: Run, line: str, reply: bytes) -> None:
    run("MSET a 1 b 2")
    assert run(line) == reply
    assert run("GET a") == b"$1\r\n1\r\n"


def test_idletime_counts_from_the_last_write_or_touch(ks: FakeKeyspace, run: Run) -> None:
    run("SET key v")
    ks.now_ms += 5_000
    assert run("OBJECT IDLETIME key") == b":5\r\n"
    run("TOUCH key")
    assert run("OBJECT IDLETIME key") == b":0\r\n"
    assert run("OBJECT IDLETIME absent") == b"$-1\r\n"


def test_object_refcount_and_freq(run: Run) -> None:
    run("SET key 5")
    assert run("OBJECT REFCOUNT key") == b":1\r\n"
    assert run("OBJECT FREQ key").startswith(b"-ERR An LFU maxmemory policy is not selected")
