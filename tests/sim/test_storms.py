"""Storms over simulated clusters: random faults under load, then calm, then judgement.

`SIM_SEEDS=100000 python -m pytest tests/sim` searches longer, with short storms; `SIM_LONG=1000` with long
ones. A failure prints the line that replays it. `-s` tells how long the replicas took to agree.
"""

import os

import pytest
from attrs import evolve

from trio_dynomite.testing.__main__ import distribution
from trio_dynomite.testing.forms import LONG, SHORT, Form
from trio_dynomite.testing.small_ring import small_ring
from trio_dynomite.testing.storm import Storm
from trio_dynomite.testing.storms import STORMS

SEEDS = int(os.environ.get("SIM_SEEDS", "1600"))
"""Short storms, of all kinds together."""
LONG_SEEDS = int(os.environ.get("SIM_LONG", "2"))
"""Long ones, of each kind."""
FIRST = int(os.environ.get("SIM_FIRST", "0"))
SHORT_A_TEST, LONG_A_TEST = 50, 3
KIND_SEEDS = SEEDS // len(STORMS)


def check(kind: str, seed: int, form: Form) -> Storm:
    """A storm that kept every promise."""
    storm = STORMS[kind](seed, form)
    broken = storm.run()

    line = f"python -m trio_dynomite.testing {seed} 1 {kind}{' short' if form is SHORT else ''}\n"
    assert not broken, line + "\n".join(broken[:10])
    return storm


def check_all(kind: str, tried: range, form: Form) -> None:
    """Storms that kept every promise under load."""
    storms = [check(kind, seed, form) for seed in tried]
    requests = sum([storm.workload.requests for storm in storms]) / len(storms)
    assert requests > (300 if form is LONG else 20), "storms without load prove nothing"
    print(f"{kind} from {tried[0]}: alike after {distribution([storm.converged_s for storm in storms])}")


def seeds(first: int, count: int, last: int) -> range:
    """The seeds of one test."""
    return range(first, min(first + count, last))


@pytest.mark.parametrize("first", range(FIRST, FIRST + LONG_SEEDS, LONG_A_TEST))
@pytest.mark.parametrize("kind", STORMS)
def test_every_promise_is_kept(kind: str, first: int) -> None:
    check_all(kind, seeds(first, LONG_A_TEST, FIRST + LONG_SEEDS), LONG)


@pytest.mark.parametrize("first", range(FIRST, FIRST + KIND_SEEDS, SHORT_A_TEST))
@pytest.mark.parametrize("kind", STORMS)
def test_every_promise_is_kept_in_short_storms(kind: str, first: int) -> None:
    with small_ring():
        check_all(kind, seeds(first, SHORT_A_TEST, FIRST + KIND_SEEDS), SHORT)


def test_a_seed_tells_the_same_story_twice() -> None:
    form = evolve(LONG, strike_s=(6.0,))
    first, second = Storm(7, form), Storm(7, form)

    assert first.run() == second.run() == []
    assert first.happened == second.happened
    assert first.simulation.notes == second.simulation.notes
    assert first.simulation.timeline.steps == second.simulation.timeline.steps
