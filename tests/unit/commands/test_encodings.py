"""OBJECT ENCODING: the limits up to which Valkey keeps a value in its small form."""

import pytest

from .fake import FakeKeyspace, Run


def encoding(run: Run) -> str:
    return run("OBJECT ENCODING key").split(b"\r\n")[1].decode()


@pytest.mark.parametrize(
    ("fields", "value", "expected"),
    [
        (1, 64, "listpack"),
        (1, 65, "hashtable"),
        (512, 1, "listpack"),
        (513, 1, "hashtable"),
    ],
)
def test_hashes(ks: FakeKeyspace, run: Run, fields: int, value: int, expected: str) -> None:
    ks.hash_at(b"key").put([(b"%d" % n, b"v" * value) for n in range(fields)])
    assert encoding(run) == expected


def test_a_hash_with_a_long_field_or_one_that_expires_is_large(ks: FakeKeyspace, run: Run) -> None:
    ks.hash_at(b"key").put([(b"f", b"v")], ks.now_ms + 1000)
    assert encoding(run) == "hashtable"
    ks.hash_at(b"key").put([(b"f", b"v")])
    assert encoding(run) == "listpack"
    ks.hash_at(b"key").put([(b"f" * 65, b"v")])
    assert encoding(run) == "hashtable"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([b"%d" % n for n in range(512)], "intset"),
        ([b"%d" % n for n in range(513)], "hashtable"),
        ([b"%02d" % n for n in range(128)], "listpack"),
        ([b"%03d" % n for n in range(129)], "hashtable"),
        ([b"a" * 64], "listpack"),
        ([b"a" * 65], "hashtable"),
        ([b"9223372036854775807"], "intset"),
        ([b"9223372036854775808"], "listpack"),
    ],
)
def test_sets(ks: FakeKeyspace, run: Run, members: list[bytes], expected: str) -> None:
    ks.set_at(b"key").add(members)
    assert encoding(run) == expected


@pytest.mark.parametrize(
    ("count", "size", "expected"), [(128, 64, "listpack"), (129, 3, "skiplist"), (1, 65, "skiplist")]
)
def test_sorted_sets(ks: FakeKeyspace, run: Run, count: int, size: int, expected: str) -> None:
    ks.sorted_set_at(b"key").put([(b"%0*d" % (size, n), 1.0) for n in range(count)])
    assert encoding(run) == expected


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([b"x" * 8185], "listpack"),
        ([b"x" * 8186], "quicklist"),
        ([b"x" * 5000, b"x" * 3178], "listpack"),
        ([b"x" * 5000, b"x" * 3179], "quicklist"),
        ([b"%d" % n for n in range(100)] * 40, "listpack"),
        ([b"%d" % n for n in range(100)] * 41, "quicklist"),
    ],
)
def test_lists(ks: FakeKeyspace, run: Run, elements: list[bytes], expected: str) -> None:
    ks.list_at(b"key").push(elements, left=False)
    assert encoding(run) == expected


def test_streams_and_absent_keys(ks: FakeKeyspace, run: Run) -> None:
    assert run("OBJECT ENCODING key") == b"$-1\r\n"
    ks.plant(b"key", "stream")
    assert encoding(run) == "stream"
