"""What is told to whom, and how often."""

from trio_dynomite.membership.rumours import Rumour, Rumours

NEWS = Rumour(b"x" * 30, is_member=False)
PLENTY = 1000


def test_a_rumour_is_told_so_often_and_no_more() -> None:
    rumours = Rumours(PLENTY)
    rumours.put("a", NEWS)
    assert [len(rumours.take(PLENTY, 3)) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert not len(rumours)


def test_the_least_told_goes_first() -> None:
    rumours = Rumours(PLENTY)
    old, new = Rumour(b"old" * 10, is_member=False), Rumour(b"new" * 10, is_member=False)
    rumours.put("a", old)
    rumours.take(PLENTY, 5)
    rumours.put("b", new)
    assert rumours.take(50, 5) == [new]


def test_newer_news_of_a_member_takes_the_place_of_older_and_starts_again() -> None:
    rumours = Rumours(PLENTY)
    rumours.put("a", NEWS)
    rumours.take(PLENTY, 2)
    newer = Rumour(b"y", is_member=True)
    rumours.put("a", newer)
    assert [rumours.take(PLENTY, 2) for _ in range(3)] == [[newer], [newer], []]


def test_only_what_has_room_is_told() -> None:
    rumours = Rumours(PLENTY)
    for name in "abcdef":
        rumours.put(name, NEWS)
    assert len(rumours.take(12 + 30 * 4, 1)) == 4
    assert len(rumours.take(12 + 29, 1)) == 0
    assert len(rumours.take(12 + 30 * 4, 1)) == 2


def test_nobody_is_told_of_itself() -> None:
    rumours = Rumours(PLENTY)
    rumours.put("a", NEWS)
    assert rumours.take(PLENTY, 2, to="a") == []
    assert rumours.take(PLENTY, 2, to="b") == [NEWS]


def test_what_is_dropped_is_told_no_more() -> None:
    rumours = Rumours(PLENTY)
    rumours.put("a", NEWS)
    rumours.drop("a")
    rumours.drop("never")
    assert rumours.take(PLENTY, 2) == []
    assert "a" not in rumours


def test_one_that_fits_into_no_datagram_goes_alone() -> None:
    rumours = Rumours(100)
    long = Rumour(b"x" * 5000, is_member=True)
    rumours.put("a", long)
    rumours.put("b", NEWS)
    assert rumours.take(200, 1) == [long]
    assert rumours.take(200, 1) == [NEWS]
