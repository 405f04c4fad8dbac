"""XDELEX and XACKDEL, which Valkey 9.1 does not have: the promises of Redis 8.2's own tests."""

import pytest

from .fake import FakeKeyspace, Run

EMPTY = b"*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n"


def codes(*numbers: int) -> bytes:
    return b"*%d\r\n" % len(numbers) + b"".join([b":%d\r\n" % number for number in numbers])


def is_pending(run: Run, group: str) -> bool:
    return run(f"XPENDING s {group}") != EMPTY


@pytest.fixture
def filled(run: Run) -> Run:
    """Two entries that are pending in two groups."""
    for number in (1, 2):
        run(f"XADD s {number}-0 f v")
    for group in ("g", "h"):
        run(f"XGROUP CREATE s {group} 0")
        run(f"XREADGROUP GROUP {group} c STREAMS s >")
    return run


@pytest.mark.parametrize("command", ["XDELEX s", "XACKDEL s g"])
@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("IDS abc 1-1", "ERR Number of IDs must be a positive integer"),
        ("IDS 0 1-1", "ERR Number of IDs must be a positive integer"),
        ("IDS -5 1-1", "ERR Number of IDs must be a positive integer"),
        ("IDS 3 1-1 2-2", "ERR The `numids` parameter must match the number of arguments"),
        ("IDS 1 1-1 2-2", "ERR syntax error"),
        ("KEEPREF DELREF IDS 1 1-1", "ERR syntax error"),
        ("delref acked IDS 1 1-1", "ERR syntax error"),
        ("IDS 1 1-1 IDS 1 1-1", "ERR syntax error"),
        ("nope IDS 1 1-1", "ERR syntax error"),
        ("IDS 1 x", "ERR Invalid stream ID specified as stream command argument"),
    ],
)
def test_bad_arguments_are_refused(run: Run, command: str, rest: str, text: str) -> None:
    assert run(f"{command} {rest}") == b"-" + text.encode()


def test_what_is_absent(run: Run) -> None:
    assert run("XACKDEL s g IDS 2 1-1 2-2") == run("XDELEX s IDS 2 1-1 2-2") == codes(-1, -1)
    run("XADD s 1-0 f v")
    assert run("XACKDEL s g IDS 2 1-0 2-2") == codes(-1, -1)
    assert run("XDELEX s ids 3 1-0 1-0 2-2") == codes(1, -1, -1)
    assert run("TYPE s") == b"+stream\r\n"


def test_delref_takes_entries_out_of_every_group(filled: Run) -> None:
    assert filled("XACKDEL s g DELREF IDS 2 1-0 2-0") == codes(1, 1)
    assert filled("XLEN s") == b":0\r\n"
    assert not is_pending(filled, "g")
    assert not is_pending(filled, "h")
    assert filled("XACKDEL s h DELREF IDS 2 1-0 2-0") == codes(-1, -1)


def test_acked_deletes_what_every_group_has_acknowledged(filled: Run) -> None:
    assert filled("XDELEX s ACKED IDS 2 1-0 2-0") == codes(2, 2)
    assert filled("XACKDEL s g ACKED IDS 2 1-0 2-0") == codes(2, 2)
    assert filled("XLEN s") == b":2\r\n"
    assert not is_pending(filled, "g")
    assert is_pending(filled, "h")
    assert filled("XACKDEL s h ACKED IDS 2 1-0 2-0") == codes(1, 1)
    assert filled("XLEN s") == b":0\r\n"


def test_acked_leaves_what_a_group_has_still_to_read(filled: Run) -> None:
    filled("XGROUP CREATE s late 1")
    assert filled("XACKDEL s g ACKED IDS 2 1-0 2-0") == codes(2, 2)
    assert filled("XACKDEL s h ACKED IDS 2 1-0 2-0") == codes(1, 2)
    filled("XREADGROUP GROUP late c NOACK STREAMS s >")
    assert filled("XDELEX s ACKED IDS 1 2-0") == codes(1)


def test_keepref_leaves_references_in_other_groups(filled: Run) -> None:
    assert filled("XACKDEL s g IDS 2 1-0 2-0") == codes(1, 1)
    assert filled("XLEN s") == b":0\r\n"
    assert not is_pending(filled, "g")
    assert is_pending(filled, "h")
    assert filled("XACKDEL s h KEEPREF IDS 2 1-0 2-0") == codes(1, 1)
    assert not is_pending(filled, "h")


def test_delref_cleans_up_after_what_is_gone(filled: Run) -> None:
    filled("XDEL s 1-0")
    assert filled("XDELEX s DELREF IDS 2 1-0 2-0") == codes(-1, 1)
    assert not is_pending(filled, "g")
    assert not is_pending(filled, "h")


def test_the_deletion_is_told(ks: FakeKeyspace, filled: Run) -> None:
    ks.events.clear()
    filled("XACKDEL s g ACKED IDS 1 1-0")
    assert ks.events == []
    filled("XDELEX s IDS 1 1-0")
    assert ks.events == [("xdel", b"s")]
    assert b"max-deleted-entry-id\r\n$3\r\n1-0" in filled("XINFO STREAM s")
