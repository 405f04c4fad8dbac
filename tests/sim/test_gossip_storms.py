"""Storms of gossip: everything happens to nodes and their network at once; afterwards all views are equal.

`GOSSIP_SEEDS=1000` runs so many.
"""

import os
import random

import pytest

from trio_dynomite.membership.member import Status
from trio_dynomite.testing.gossip_world import GossipWorld

SEEDS = int(os.environ.get("GOSSIP_SEEDS", "25"))
STEPS = 60
STEP_S = 0.5
SETTLED_S = 40.0


class Storm:
    """Random faults, from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.world = GossipWorld(seed=seed)
        self.world.populate(7)
        self.left: set[str] = set()
        self.acts = [self.kill, self.restart, self.pause, self.cut, self.part, self.deafen, self.heal]
        self.acts += [self.restart, self.heal, self.join, self.leave, self.lose]

    def run(self) -> None:
        for _ in range(STEPS):
            if self.rng.random() < 0.5:
                self.rng.choice(self.acts)()
            self.world.run_for(STEP_S)

    def some(self) -> list[str]:
        """The names of a few running nodes; one stays unharmed, so that there is a cluster."""
        names = [node.name for node in self.world.running if node.name != "node0"]
        return self.rng.sample(names, min(len(names), self.rng.randint(1, 3)))

    def kill(self) -> None:
        for name in self.some():
            self.world.kill(name)

    def restart(self) -> None:
        for name, node in list(self.world.nodes.items()):
            if not node.is_running and name not in self.left and self.rng.random() < 0.7:
                self.world.restart(name)

    def pause(self) -> None:
        for name in self.some():
            self.world.pause(name, self.rng.uniform(0.2, 6.0))

    def cut(self) -> None:
        for name in self.some():
            self.world.cut([name], self.some(), both_ways=self.rng.random() < 0.5)

    def part(self) -> None:
        names = list(self.world.nodes)
        self.rng.shuffle(names)
        half = self.rng.randrange(1, len(names))
        self.world.cut(names[:half], names[half:], both_ways=self.rng.random() < 0.7)

    def deafen(self) -> None:
        self.world.deaf.update(self.some())

    def heal(self) -> None:
        self.world.heal()

    def join(self) -> None:
        number = len(self.world.nodes)
        if number < 14:
            self.world.start(self.world.member(number), contacts=[("10.0.0.0", 8101)])

    def leave(self) -> None:
        name = self.some()[0] if self.some() else None
        if name is not None and name not in self.left and len(self.left) < 4:
            self.left.add(name)
            self.world.leave(name)

    def lose(self) -> None:
        self.world.loss = self.rng.choice([0.0, 0.05, 0.2, 0.5])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_a_storm_all_views_are_equal_and_nobody_who_left_is_back(seed: int) -> None:
    storm = Storm(seed)
    storm.run()
    world = storm.world
    world.heal()
    world.loss = 0.0
    world.run_for(10.0)
    took_s = world.until_agreed(SETTLED_S)
    assert took_s < SETTLED_S, {node.name: node.gossip.table.my.incarnation for node in world.running}
    world.run_for(5.0)
    assert world.views_agree()
    for name in storm.left:
        assert set(world.statuses(name).values()) <= {Status.LEFT, Status.DEAD, None}
    assert world.longest <= world.settings.datagram_bytes
