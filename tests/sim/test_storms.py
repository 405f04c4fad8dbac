"""Storms over simulated clusters: random faults under load, then calm, then judgement.

`SIM_SEEDS=100000 python -m pytest tests/sim` searches longer; a failure prints the line that replays it.
"""

import os

import pytest

from trio_dynomite.testing.storm import Storm
from trio_dynomite.testing.storms import STORMS

SEEDS = int(os.environ.get("SIM_SEEDS", "4"))
"""Of each kind."""
FIRST = int(os.environ.get("SIM_FIRST", "0"))
SEEDS_A_TEST = 4


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, SEEDS_A_TEST))
@pytest.mark.parametrize("kind", STORMS)
def test_every_promise_is_kept(kind: str, first: int) -> None:
    for seed in range(first, min(first + SEEDS_A_TEST, FIRST + SEEDS)):
        storm = STORMS[kind](seed)
        broken = storm.run()

        assert not broken, f"python -m trio_dynomite.testing {seed} 1 {kind}\n" + "\n".join(broken[:10])
        assert storm.workload.requests > 300, "a storm without load proves nothing"


def test_a_seed_tells_the_same_story_twice() -> None:
    first, second = Storm(7, length_s=6), Storm(7, length_s=6)

    assert first.run() == second.run() == []
    assert first.happened == second.happened
    assert first.simulation.notes == second.simulation.notes
    assert first.simulation.timeline.steps == second.simulation.timeline.steps
