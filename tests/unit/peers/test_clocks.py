"""Whose clock is followed, and who finds that its own is wrong."""

import pytest

from trio_dynomite.peers.clocks import Clocks, Verdict, judge

HOUR = 3_600_000
MAX = 1000


@pytest.mark.parametrize(
    ("own", "others", "verdict"),
    [
        (0, [], Verdict(0, 0)),
        (0, [300, -300], Verdict(0, 300)),
        (300, [0, 0], Verdict(300, 300)),
        (HOUR, [0, 10], Verdict(HOUR - 10, 10)),
        (-HOUR, [0, 10], Verdict(-HOUR, 10)),
        (0, [HOUR, 10], Verdict(-10, 10)),
        (0, [HOUR, -HOUR], Verdict(0, 0)),
        (0, [HOUR], Verdict(0, HOUR)),
        (HOUR, [0], Verdict(0, HOUR)),
        (HOUR, [0, 0, HOUR], Verdict(0, HOUR)),
        (HOUR, [0, 0, 20], Verdict(HOUR - 20, 20)),
    ],
)
def test_the_middle_of_all_clocks_tells_who_is_off(own: int, others: list[int], verdict: Verdict) -> None:
    assert judge(own, others, MAX) == verdict


def cluster(*others: int) -> Clocks:
    clocks = Clocks(MAX)
    for number, offset in enumerate(others):
        clocks.heard(f"peer{number}", 10_000 + offset, 10.0)
    return clocks


def test_stamps_follow_the_clock_that_is_furthest_ahead_of_those_that_are_right() -> None:
    clocks = cluster(0, 400, HOUR)
    clocks.look(10_000, 10.0)

    assert not clocks.is_off
    assert clocks.stamp_ms(10_000, 10.0) == 10_400
    assert clocks.stamp_ms(12_700, 12.5) == 12_900


def test_a_clock_that_is_off_gives_no_stamps_and_is_right_again_well_within_the_limit() -> None:
    clocks = cluster(0, 0)

    assert clocks.look(10_000 + HOUR, 10.0)
    assert clocks.is_off
    assert clocks.stamp_ms(10_000 + HOUR, 10.0) == 10_000
    assert not clocks.look(10_000 + 700, 10.0)
    assert clocks.is_off
    assert clocks.look(10_000 + 400, 10.0)
    assert not clocks.is_off


def test_signs_of_life_that_were_long_on_their_way_make_nobody_late() -> None:
    clocks = cluster(0, 0)
    for peer in ("peer0", "peer1"):
        clocks.heard(peer, 10_200, 15.0)

    assert not clocks.look(15_000, 15.0)


def test_a_clock_that_went_back_is_believed_after_some_signs() -> None:
    clocks = cluster(HOUR, HOUR)
    for _ in range(10):
        for peer in ("peer0", "peer1"):
            clocks.heard(peer, 10_000, 10.0)

    assert not clocks.look(10_000, 10.0)


def test_the_slowest_clock_is_known_by_its_offset_also_when_ours_has_leapt() -> None:
    clocks = cluster(-300, 200)

    assert clocks.slowest_ms(["peer0", "peer1"], 12_000, 12.0) == 11_700
    assert clocks.slowest_ms(["peer1"], 12_000 + HOUR, 12.0) == 12_200
    assert clocks.slowest_ms(["peer1", "never heard"], 12_000, 12.0) == 12_000
