"""The log of refusals."""

from trio_dynomite.access.denial import Reason
from trio_dynomite.access.log import LENGTH_MAX, AccessLog

MINUTE_MS = 60_000


def note(log: AccessLog, what: bytes, now_ms: int, **other: str) -> None:
    log.note(
        Reason.KEY,
        other.get("context", "toplevel"),
        what,
        other.get("user", "u").encode(),
        f"at {now_ms}",
        now_ms,
    )


def shown(log: AccessLog) -> list[tuple[bytes, int, int]]:
    return [(entry.object, entry.count, entry.number) for entry in log.entries]


def test_the_newest_comes_first_and_the_same_again_is_counted() -> None:
    log = AccessLog()
    note(log, b"a", 1000)
    note(log, b"b", 2000)
    note(log, b"a", 3000)
    assert shown(log) == [(b"a", 2, 0), (b"b", 1, 1)]
    first = log.entries[0]
    assert (first.created_ms, first.updated_ms, first.client) == (1000, 3000, "at 3000")
    note(log, b"c", 4000)
    assert shown(log)[0] == (b"c", 1, 2)


def test_what_is_not_the_same_or_long_ago_is_another_entry() -> None:
    log = AccessLog()
    note(log, b"a", 0)
    note(log, b"a", MINUTE_MS)
    note(log, b"a", 2 * MINUTE_MS + 1)
    note(log, b"a", 2 * MINUTE_MS + 1, user="other")
    note(log, b"a", 2 * MINUTE_MS + 1, context="multi")
    assert [count for _, count, _ in shown(log)] == [1, 1, 1, 2]


def test_only_the_last_ten_are_looked_at() -> None:
    log = AccessLog()
    for number in range(11):
        note(log, b"%d" % number, 0)
    note(log, b"1", 0)
    note(log, b"0", 0)
    assert [count for _, count, _ in shown(log)[:2]] == [1, 2]


def test_it_is_bounded_and_can_be_emptied() -> None:
    log = AccessLog()
    for number in range(LENGTH_MAX + 1):
        note(log, b"%d" % number, 0)
    assert len(log.entries) == LENGTH_MAX
    assert log.entries[-1].object == b"1"
    log.reset()
    assert log.entries == []
    assert log.counts == {Reason.KEY: LENGTH_MAX + 1}
