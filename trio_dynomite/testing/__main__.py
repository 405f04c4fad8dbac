"""`python -m trio_dynomite.testing SEED [COUNT [KIND [FORM]]]`: run storms, tell the story of one that fails.

The form is `long` or `short`.

At the end stands how long the replicas took to agree, in simulated seconds after the last fault.
"""

import sys
from contextlib import nullcontext

from trio_dynomite.testing.forms import LONG, SHORT, Form
from trio_dynomite.testing.small_ring import small_ring
from trio_dynomite.testing.storm import Storm
from trio_dynomite.testing.storms import STORMS


def main(arguments: list[str]) -> int:
    """Run `COUNT` storms of a kind from `SEED` on; 1 when a promise was broken."""
    first, count, kind, form = [*arguments, *["1", "storm", "long"][len(arguments) - 1 :]]
    seeds = range(int(first), int(first) + int(count))
    with small_ring() if form == "short" else nullcontext():
        return run(seeds, STORMS[kind], SHORT if form == "short" else LONG)


def run(seeds: range, kind: type[Storm], form: Form) -> int:
    """Run a storm of each seed; 1 when a promise was broken."""
    converged_s: list[float] = []
    for seed in seeds:
        storm = kind(seed, form)
        broken = storm.run()
        if broken:
            story = sorted([*storm.happened, *storm.simulation.notes])
            sys.stdout.write("\n".join([*story, f"{kind.kind} {seed}:", *broken, ""]))
            return 1
        converged_s.append(storm.converged_s)
        told = f"{storm.workload.requests} requests, all promises kept, alike after {storm.converged_s:.2f} s"
        sys.stdout.write(f"{kind.kind} {seed}: {told}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(converged_s)} storms, alike after: {distribution(converged_s)}\n")
    return 0


def distribution(values: list[float]) -> str:
    """The median, some high percentiles and the longest of some times."""
    ranked = sorted(values)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    places = {name: min(int(share * len(ranked)), len(ranked) - 1) for name, share in shares.items()}
    return ", ".join([f"{name} {ranked[place]:.2f} s" for name, place in places.items()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
