"""Figures of gossip: how soon a death is known, who is held for dead and lives, what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import define, field

from trio_dynomite.membership.events import Happening
from trio_dynomite.testing.gossip_world import TICK_S, GossipWorld

VICTIM = "node1"
_COARSE_TICK_S = 0.05
_LARGE = 500
"""So many nodes run with a coarser tick, and begin to be measured sooner."""


@define
class Deaths:
    """One node of a cluster dies, in several runs."""

    nodes: int
    loss: float
    runs: int = 0
    first_s: list[float] = field(factory=list)
    """When the first knew, a run."""
    each_s: list[float] = field(factory=list)
    """When each knew, all runs."""
    last_s: list[float] = field(factory=list)
    """When all knew, a run; infinity when somebody never did."""
    wrong: int = 0
    """How often somebody held one for dead who lived."""
    suspected: int = 0
    """How often somebody suspected one who lived."""
    node_seconds: float = 0.0
    bytes_a_second: list[float] = field(factory=list)
    """Sent by a node before anybody died, a run."""


def deaths(nodes: int, loss: float, seeds: Sequence[int], watch_s: float = 8.0) -> Deaths:
    """Kill a node of a settled cluster and watch."""
    found = Deaths(nodes, loss)
    for seed in seeds:
        world = settled(nodes, loss, seed, found)
        world.kill(VICTIM)
        started_s = world.now_s
        world.run_for(watch_s)
        _read(world, found, started_s)
    return found


def settled(nodes: int, loss: float, seed: int, found: Deaths | None = None) -> GossipWorld:
    """A cluster that has run for a few seconds, at a moment that depends on the seed."""
    is_large = nodes >= _LARGE
    world = GossipWorld(seed=seed, loss=loss, tick_s=_COARSE_TICK_S if is_large else TICK_S)
    world.populate(nodes)
    world.run_for(1.0)
    before, began_s = _bytes(world), world.now_s
    world.reports.clear()
    world.run_for((1.0 if is_large else 5.0) + seed * 0.037 % 0.3)
    if found is not None:
        found.bytes_a_second.append((_bytes(world) - before) / (world.now_s - began_s) / nodes)
        found.node_seconds += nodes * (world.now_s - began_s)
    return world


def _bytes(world: GossipWorld) -> int:
    return sum(node.gossip.counters.bytes_out for node in world.running)


def _read(world: GossipWorld, found: Deaths, started_s: float) -> None:
    found.runs += 1
    times = sorted(when_s - started_s for when_s in world.deaths_reported(VICTIM, started_s).values())
    found.each_s += times
    found.first_s += times[:1]
    found.last_s.append(times[-1] if len(times) == found.nodes - 1 else math.inf)
    found.wrong += world.count(Happening.DIED, but=[VICTIM])
    found.wrong += len(world.deaths_reported(VICTIM)) - len(times)
    found.suspected += world.count(Happening.SUSPECTED, but=[VICTIM])
    found.node_seconds += found.nodes * (world.now_s - started_s)


@define
class Pauses:
    """Some nodes of a cluster do nothing for a while, in several runs."""

    nodes: int
    loss: float
    paused: int
    pause_s: float
    runs: int = 0
    held_dead: int = 0
    """Runs in which somebody held a paused node for dead."""
    wrong: int = 0
    """How often somebody held one for dead who was not paused."""
    agreed_s: list[float] = field(factory=list)
    """How long after waking all views were equal, a run."""


def pauses(nodes: int, loss: float, paused: int, pause_s: float, seeds: Sequence[int]) -> Pauses:
    """Pause nodes of a settled cluster and watch until all agree again."""
    found = Pauses(nodes, loss, paused, pause_s)
    for seed in seeds:
        world = settled(nodes, loss, seed)
        sleepers = [f"node{number}" for number in range(paused)]
        for name in sleepers:
            world.pause(name, pause_s)
        world.run_for(pause_s)
        found.agreed_s.append(world.until_agreed(60.0))
        world.run_for(5.0)
        found.runs += 1
        found.held_dead += any(world.deaths_reported(name) for name in sleepers)
        found.wrong += world.count(Happening.DIED, but=sleepers)
    return found


def joins(nodes: int, loss: float, seeds: Sequence[int]) -> list[float]:
    """How long it takes until all know a newcomer, who has the address of one, and it knows all."""
    found = []
    for seed in seeds:
        world = settled(nodes, loss, seed)
        world.start(world.member(nodes), contacts=[("10.0.0.2", 8101)])
        found.append(world.until_agreed(60.0))
    return found


def heals(nodes: int, loss: float, seeds: Sequence[int]) -> list[float]:
    """How long two halves that held each other for dead take to agree after the cut between them is gone."""
    found = []
    for seed in seeds:
        world = settled(nodes, loss, seed)
        names = list(world.nodes)
        world.cut(names[: nodes // 2], names[nodes // 2 :])
        world.run_for(20.0)
        world.heal()
        found.append(world.until_agreed(60.0))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of `values` lies; NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
