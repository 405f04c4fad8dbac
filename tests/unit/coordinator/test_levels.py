"""Levels: the numbers that the consistency page promises."""

import pytest

from trio_dynomite.coordinator.levels import needed, quorum, shortfall
from trio_dynomite.model import Level

RACKS = {"east": 3, "west": 5}


@pytest.mark.parametrize(("racks", "most"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4)])
def test_a_quorum_is_more_than_half(racks: int, most: int) -> None:
    assert quorum(racks) == most
    assert 2 * most > racks


@pytest.mark.parametrize(
    ("level", "local", "numbers"),
    [
        (Level.DC_ONE, "east", {"east": 1}),
        (Level.DC_QUORUM, "east", {"east": 2}),
        (Level.DC_QUORUM, "west", {"west": 3}),
        (Level.DC_SAFE_QUORUM, "west", {"west": 3}),
        (Level.DC_EACH_SAFE_QUORUM, "west", {"east": 2, "west": 3}),
    ],
)
def test_what_a_level_waits_for(level: Level, local: str, numbers: dict[str, int]) -> None:
    assert needed(level, RACKS, local) == numbers


@pytest.mark.parametrize("level", list(Level))
def test_with_everybody_alive_every_level_is_reached(level: Level) -> None:
    assert shortfall(level, RACKS, "east", RACKS) is None


@pytest.mark.parametrize(
    ("level", "alive", "reason"),
    [
        (Level.DC_ONE, {"east": 0, "west": 5}, "DC_ONE needs 1 replicas in east, 0 alive"),
        (Level.DC_QUORUM, {"east": 1, "west": 5}, "DC_QUORUM needs 2 replicas in east, 1 alive"),
        (Level.DC_QUORUM, {"west": 5}, "DC_QUORUM needs 2 replicas in east, 0 alive"),
        (Level.DC_EACH_SAFE_QUORUM, {"east": 3}, "DC_EACH_SAFE_QUORUM needs 3 replicas in west, 0 alive"),
    ],
)
def test_a_shortfall_says_where_and_how_many(level: Level, alive: dict[str, int], reason: str) -> None:
    assert shortfall(level, RACKS, "east", alive) == reason


@pytest.mark.parametrize("level", [Level.DC_ONE, Level.DC_QUORUM, Level.DC_SAFE_QUORUM])
def test_another_datacenter_that_is_away_matters_to_one_level_only(level: Level) -> None:
    assert shortfall(level, RACKS, "east", {"east": 2}) is None
