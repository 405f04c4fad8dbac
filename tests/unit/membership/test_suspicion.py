"""How long a suspect has."""

import pytest

from trio_dynomite.membership.health import SCORE_MAX, Health
from trio_dynomite.membership.settings import GossipSettings
from trio_dynomite.membership.suspicion import MAX_FACTOR, Suspicion


def accused(expected: int, *accusers: str) -> Suspicion:
    suspicion = Suspicion(10.0, 2.0, expected)
    for accuser in accusers:
        suspicion.accuse(accuser)
    return suspicion


@pytest.mark.parametrize(
    ("expected", "accusers", "wait_s"),
    [
        (0, "a", 2.0),
        (3, "a", 2.0 * MAX_FACTOR),
        (3, "ab", 4.0),
        (3, "abcd", 2.0),
        (3, "aaaa", 2.0 * MAX_FACTOR),
        (1, "ab", 2.0),
    ],
)
def test_every_accuser_makes_it_shorter(expected: int, accusers: str, wait_s: float) -> None:
    assert accused(expected, *accusers).deadline_s == pytest.approx(10.0 + wait_s)


def test_an_accuser_is_news_once_and_only_while_it_matters() -> None:
    suspicion = accused(1)
    assert [suspicion.accuse(name) for name in ("a", "a", "b", "c")] == [True, False, True, False]


def test_the_time_of_our_own_pause_does_not_count() -> None:
    suspicion = accused(0, "a")
    suspicion.pause(5.0, 0.0)
    assert suspicion.deadline_s == 17.0
    suspicion.pause(0.0, 30.0)
    assert suspicion.deadline_s == 30.0


def test_health_has_bounds() -> None:
    health = Health()
    health.answered()
    assert (health.score, health.stretch, health.patience) == (0, 1, 1.0)
    health.missed(100)
    assert health.score == SCORE_MAX
    health.answered()
    assert health.stretch == SCORE_MAX


@pytest.mark.parametrize(("members", "tells"), [(1, 2), (3, 2), (10, 4), (100, 7), (1000, 10)])
def test_a_rumour_is_told_thrice_the_logarithm(members: int, tells: int) -> None:
    assert GossipSettings().tells(members) == tells


def test_a_suspect_has_longer_in_a_large_cluster() -> None:
    waits = [GossipSettings().suspicion_min_s(members) for members in (1, 3, 10, 100, 1000)]
    assert waits == sorted(waits)
    assert waits[0] > 1.2
    assert waits[-1] < 2.0
