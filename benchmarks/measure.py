"""One scenario measured: redis-server and we take turns under the same load, several rounds.

A round gives one ratio; the median over the rounds is the result, so that a burst of somebody else's work on
the machine spoils one round and not the figure.
"""

import statistics
import time
from collections.abc import Callable, Sequence

from attrs import evolve, frozen

from benchmarks import load, proc, wire
from benchmarks.load import RANDOM_KEYS, Load, LoadResult
from benchmarks.scenarios import Scenario, Share
from benchmarks.servers import Server

# Replicas may still be applying the last writes of a level that does not wait for them.
_SETTLE_S = 0.1
_PROBE_PIPELINES = 40
_FILL_RANDOM = 4 * RANDOM_KEYS  # leaves out about 2 % of the keys


@frozen(kw_only=True)
class Sample:
    """One run: what redis-benchmark saw, and CPU microseconds per operation of each server process."""

    result: LoadResult
    cpu_us: tuple[float, ...]


@frozen
class Round:
    """One turn each, a moment apart."""

    redis: Sample
    ours: Sample

    def ratio(self, share: Share) -> float:
        """Our CPU time per operation of `share` over redis-server's. The serving node comes first."""
        serving, *replicas = self.ours.cpu_us
        cost = {
            Share.SERVING: serving,
            Share.REPLICA: max(replicas, default=0.0),
            Share.ALL: sum(self.ours.cpu_us),
        }
        return cost[share] / max(self.redis.cpu_us[0], 1e-3)


@frozen
class Row:
    """A scenario and its rounds."""

    scenario: Scenario
    rounds: tuple[Round, ...]

    def ratio(self, share: Share) -> float:
        """The median ratio of `share`."""
        return statistics.median(each.ratio(share) for each in self.rounds)

    def median(self, pick: Callable[[Round], float]) -> float:
        """The median over the rounds of what `pick` takes from each."""
        return statistics.median(pick(each) for each in self.rounds)

    @property
    def met(self) -> bool | None:
        """Whether all targets are met; None when there are none."""
        limits = self.scenario.limits
        return all(self.ratio(limit.share) <= limit.ratio for limit in limits) if limits else None


@frozen(kw_only=True)
class Plan:
    """How long and how often each side of a scenario runs."""

    duration_s: float
    rounds: int


class Filler:
    """Writes the keys that a load will touch, once for each server, key pattern and value size."""

    def __init__(self) -> None:
        self._filled: set[tuple[int, str, int]] = set()

    def fill(self, server: Server, work: Load) -> None:
        """Make sure that reads of `work` on `server` find values."""
        done = (server.pid, work.key, work.value_bytes)
        if done in self._filled:
            return
        if work.cluster:
            load.run(evolve(work, op="SET", in_flight=16), server.port, _FILL_RANDOM)
        else:
            wire.fill(server.port, work.key.replace("__rand_int__", "%012d"), RANDOM_KEYS, work.value_bytes)
        # Values of another size have been overwritten.
        self._filled = {each for each in self._filled if each[:2] != done[:2]} | {done}


def sample(work: Load, servers: Sequence[Server], operations: int) -> Sample:
    """Run `operations` of `work` against the first of `servers` and measure all of them."""
    before = [proc.cpu_s(server.pid) for server in servers]
    result = load.run(work, servers[0].port, operations)
    time.sleep(_SETTLE_S)
    after = [proc.cpu_s(server.pid) for server in servers]
    used = tuple((end - start) * 1e6 / operations for start, end in zip(before, after, strict=True))
    return Sample(result=result, cpu_us=used)


def _operations(work: Load, port: int, duration_s: float) -> int:
    """How many operations take about `duration_s`, from a short run that also warms the server up."""
    probe = load.run(work, port, _PROBE_PIPELINES * load.CONNECTIONS * work.in_flight)
    return load.operations_for(probe.rps, duration_s, work.in_flight)


def measure(
    scenario: Scenario, redis: Server, nodes: Sequence[Server], tag: str, plan: Plan, filler: Filler
) -> Row:
    """Fill the keys, then run the rounds of `scenario` (redis-server, we, redis-server, we…)."""
    ours = scenario.load(tag)
    theirs = evolve(ours, cluster=False, random_keys=RANDOM_KEYS)
    filler.fill(redis, theirs)
    filler.fill(nodes[0], ours)
    their_count = _operations(theirs, redis.port, plan.duration_s)
    our_count = _operations(ours, nodes[0].port, plan.duration_s)
    rounds = [
        Round(sample(theirs, [redis], their_count), sample(ours, nodes, our_count))
        for _ in range(plan.rounds)
    ]
    return Row(scenario, tuple(rounds))
