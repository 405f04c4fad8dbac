"""One scenario measured: redis-server and we take turns under the same load, several rounds.

A round gives one ratio; the median over the rounds is the result, so that a burst of somebody else's work on
the machine spoils one round and not the figure.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

from attrs import frozen

from benchmarks import load, proc
from benchmarks.filler import Filler
from benchmarks.load import LoadResult, Work
from benchmarks.scenarios import Scenario, Share
from benchmarks.servers import Server

# Replicas may still be applying the last writes of a level that does not wait for them.
_SETTLE_S = 0.1
_PROBE_BATCHES = 40
_PROBE_OPERATIONS = 1000  # at least


@frozen(kw_only=True)
class Sample:
    """One run: what the load saw, and CPU microseconds per operation of each server process."""

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


@frozen(kw_only=True)
class Side:
    """One of the two that take turns: its servers, first the one that is asked; what it is asked."""

    servers: Sequence[Server]
    work: Work
    prepare: Callable[[int], None]
    """See to it that a run of so many operations finds what it must."""

    def operations(self, duration_s: float) -> int:
        """How many operations take about `duration_s`, from a short run that also warms the server up."""
        batch = self.work.batch
        count = batch * max(_PROBE_BATCHES, _PROBE_OPERATIONS // batch)
        self.prepare(count)
        return load.operations_for(self._run(count).rps, duration_s, batch)

    def sample(self, operations: int) -> Sample:
        """Run so many operations and measure all servers."""
        self.prepare(operations)
        time.sleep(_SETTLE_S)
        before = [proc.cpu_s(server.pid) for server in self.servers]
        result = self._run(operations)
        time.sleep(_SETTLE_S)
        after = [proc.cpu_s(server.pid) for server in self.servers]
        used = tuple((end - start) * 1e6 / operations for start, end in zip(before, after, strict=True))
        return Sample(result=result, cpu_us=used)

    def _run(self, operations: int) -> LoadResult:
        return self.work.run([server.port for server in self.servers], operations)


def measure(
    scenario: Scenario, redis: Server, nodes: Sequence[Server], tag: str, plan: Plan, filler: Filler
) -> Row:
    """Run the rounds of `scenario` (redis-server, we, redis-server, we…), each on what it must find."""

    def fill(operations: int, server: Server) -> None:
        filler.fill(server, scenario, tag, operations)

    def fill_nodes(operations: int) -> None:
        if (of_all := scenario.fill_of_all(tag)) is not None:
            filler.fill_all(nodes[0], of_all, scenario.value_bytes)
        else:
            fill(operations, nodes[0])

    theirs = Side(servers=[redis], work=scenario.work(tag), prepare=partial(fill, server=redis))
    ours = Side(servers=nodes, work=scenario.our_work(tag), prepare=fill_nodes)
    counts = [side.operations(plan.duration_s) for side in (theirs, ours)]
    if scenario.op.fills_every_run:
        # A collection that grows or shrinks by what is done must do so equally on both.
        counts = [min(counts)] * 2
    rounds = [Round(theirs.sample(counts[0]), ours.sample(counts[1])) for _ in range(plan.rounds)]
    return Row(scenario, tuple(rounds))
