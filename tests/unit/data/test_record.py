"""Records: what readers see of them, and how two that differ are joined."""

import pytest

from trio_dynomite.data.record import (
    ABSENT,
    DIGEST_MASK,
    Record,
    digest,
    is_from_nothing,
    is_live,
    join,
    join_counts,
    marks,
    newest,
    shell,
    text,
    total,
    version,
)

OLD, NEW = 5 << 48 | 1, 6 << 48 | 2
NOW = 10_000


@pytest.mark.parametrize(
    ("record", "live"),
    [
        (ABSENT, False),
        ((OLD, b"", 0, 0, None), True),
        ((OLD, None, 0, 0, None), False),
        ((OLD, b"v", OLD, NOW + 1, None), True),
        ((OLD, b"v", OLD, NOW, None), False),
        ((OLD, b"v", NEW, 0, None), True),
    ],
    ids=["absent", "empty string", "deleted", "expires next", "expires now", "persisted"],
)
def test_who_sees_it(record: Record, live: bool) -> None:
    assert is_live(record, NOW) is live


def test_the_newer_write_wins_with_its_deadline() -> None:
    old: Record = (OLD, b"old", OLD, NOW + 5, None)
    new: Record = (NEW, b"new", 0, 0, None)

    assert join(old, new) == new


def test_a_delete_beats_an_older_deadline_move() -> None:
    moved: Record = (OLD, b"v", OLD + 1, NOW + 5, None)
    deleted: Record = (NEW, None, 0, 0, None)

    assert join(moved, deleted) == deleted


def test_a_newer_deadline_stays_on_an_older_value() -> None:
    written: Record = (OLD, b"v", 0, 0, None)

    assert join(written, (OLD, b"v", NEW, NOW + 5, None)) == (OLD, b"v", NEW, NOW + 5, None)


def test_a_value_comes_back_to_its_shell() -> None:
    """One replica noticed the expiry, another not yet: they know the same, and neither forgets."""
    record: Record = (OLD, b"v", OLD, NOW, None)

    assert join(shell(record), record) == join(record, shell(record)) == record
    assert digest(shell(record)) == digest(record)


def test_a_counted_record_is_the_sum_of_all_origins() -> None:
    record: Record = (OLD, b"10", 0, 0, ((1, 1, 5), (2, 7, -3)))

    assert total(record) == 12
    assert text(record) == b"12"


def test_per_origin_the_later_total_wins_even_when_it_is_smaller() -> None:
    assert join_counts(((1, 1, 50),), ((1, 2, 3), (2, 1, 1))) == ((1, 2, 3), (2, 1, 1))


def test_a_write_ends_the_counts_before_it() -> None:
    counted: Record = (OLD, b"1", 0, 0, ((1, 3, 3),))

    assert join(counted, (NEW, b"0", 0, 0, None)) == (NEW, b"0", 0, 0, None)


def test_counts_on_either_side_are_kept() -> None:
    here: Record = (OLD, b"1", 0, 0, ((1, 1, 1),))
    there: Record = (OLD, b"1", 0, 0, ((2, 1, 2),))

    assert text(join(here, there)) == b"4"


def test_the_newest_stamp_may_be_the_deadlines() -> None:
    assert newest((OLD, b"v", NEW, 0, None)) == NEW
    assert newest((NEW, b"v", 0, 0, None)) == NEW


def test_different_knowledge_has_different_digests() -> None:
    records: list[Record] = [
        ABSENT,
        (OLD, b"v", 0, 0, None),
        (NEW, b"v", 0, 0, None),
        (OLD, b"v", NEW, 0, None),
        (OLD, b"v", OLD, 9, None),
        (OLD, b"1", 0, 0, ((1, 1, 1),)),
        (OLD, b"1", 0, 0, ((1, 2, 2),)),
        (OLD, b"1", 0, 0, ((2, 1, 1),)),
        (OLD, b"1", 0, 0, ((1, 1, 1), (2, 1, 1))),
    ]

    assert len({digest(record) & DIGEST_MASK for record in records}) == len(records)


def test_marks_are_no_count() -> None:
    marked_only: Record = (OLD, b"v", 0, 0, ((0, 1, 9),))
    counted: Record = (OLD, b"5", 0, 0, ((0, 1, 9), (NEW, 2, 3)))

    assert (text(marked_only), marks(marked_only), total(counted), text(counted)) == (b"v", 9, 8, b"8")
    assert not is_from_nothing((OLD, b"", 0, 0, ((0, 1, 9),)))
    assert is_from_nothing((OLD, b"", 0, 0, ((0, 1, 9), (NEW, 2, 3))))
    assert (marks((OLD, b"v", 0, 0, None)), marks((OLD, b"v", 0, 0, ((NEW, 1, 1),)))) == (0, 0)


def test_the_version_tells_values_apart_and_nothing_else() -> None:
    first: Record = (OLD, b"v", 0, 0, None)
    same = [(OLD, b"v", NEW, NOW, None), (OLD, b"v", 0, 0, ((0, 2, 9),))]
    later: list[Record] = [
        (OLD, b"5", 0, 0, ((NEW, 1, 1),)),
        (OLD, b"5", 0, 0, ((NEW, 2, 1),)),
        (NEW, b"v", 0, 0, None),
    ]

    assert {version(record) for record in same} == {version(first)}
    assert sorted({version(first), *map(version, later)}) == [version(first), *map(version, later)]
