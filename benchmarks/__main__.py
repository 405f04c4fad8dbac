"""The command line: `python -m benchmarks` starts what it needs, measures, prints and writes the tables."""

import argparse
import contextlib
import datetime
import itertools
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import trio_dynomite
from benchmarks import elements, heap, memcached, proc, recovery, report, servers, stored
from benchmarks.filler import Filler
from benchmarks.load import LoadError
from benchmarks.measure import Plan, Row, measure
from benchmarks.scenarios import ONE_NODE, Part, Scenario, select
from benchmarks.servers import NodeCommands, StartError, node_commands
from benchmarks.slots import primary_tag
from benchmarks.wire import ReplyError
from trio_dynomite.errors import DynomiteError

MEMORY = "memory"
PAUSES = "pauses"
ELEMENTS = "elements"
RECOVERY = "recovery"
MEMCACHED = "memcached"
STORED = "stored"
HELD = (MEMORY, PAUSES, ELEMENTS, RECOVERY, MEMCACHED, STORED)
"""Parts that are no scenarios."""
PARTS = (*(part.value for part in Part), *HELD)
QUICK_KEYS = 100_000
"""Of the recovery."""
OUTPUT = Path("benchmarks/results.md")


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    options.add_argument(
        "--quick", action="store_true", help="runs of 1 s instead of 3 s, fewer keys to recover"
    )
    options.add_argument("--rounds", type=int, default=3, help="rounds per scenario (default 3)")
    parts = ", ".join(PARTS)
    options.add_argument(
        "--only", metavar="NAME", help=f"scenarios whose name contains NAME, or one part: {parts}"
    )
    options.add_argument("--list", action="store_true", help="print the names of the scenarios and stop")
    where = f"Markdown file (default {OUTPUT}; none with --only)"
    options.add_argument("--output", type=Path, metavar="FILE", help=where)
    options.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    return options


def say(text: str) -> None:
    """Progress, apart from the results."""
    print(text, file=sys.stderr, flush=True)


def measure_rows(scenarios: Sequence[Scenario], plan: Plan, commands: NodeCommands) -> Iterator[Row]:
    """Measure `scenarios` of one group, on servers started for them."""
    shape = scenarios[0].shape
    with servers.redis() as redis, servers.cluster(shape, commands) as nodes:
        # A node alone is the primary of every tag.
        tag = primary_tag(nodes[0].port) if shape.racks > 1 else "t0"
        filler = Filler()
        for scenario in scenarios:
            row = measure(scenario, redis, nodes, tag, plan, filler)
            say(f"{scenario.name}: {report.ratios(row)}")
            yield row


def measure_heap(crowd: heap.Crowd, commands: NodeCommands) -> heap.Heap:
    """Memory and pauses, on servers that hold nothing else."""
    with servers.redis() as redis, servers.cluster(ONE_NODE, commands) as nodes:
        return heap.measure(redis, nodes[0], crowd)


def measure_element(layout: elements.Layout, commands: NodeCommands) -> elements.Element:
    """Memory per element, on servers that hold nothing else."""
    with servers.redis() as redis, servers.cluster(ONE_NODE, commands) as nodes:
        element = elements.measure(layout, redis, nodes[0])
    say(f"{element.element}, {element.held}: {element.our_bytes:.0f} bytes, {element.ratio:.2f}")
    return element


def versions() -> str:
    """What was measured, and with what."""
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    number = next((word[2:] for word in redis.split() if word.startswith("v=")), redis.strip())
    return f"trio-dynomite {trio_dynomite.__version__}, redis-server {number}"


def run(options: argparse.Namespace, commands: NodeCommands = node_commands) -> report.Results:
    """Everything that the options ask for; what fails is named in the results and does not stop the rest."""
    plan = Plan(duration_s=1.0 if options.quick else 3.0, rounds=options.rounds)
    results = report.Results(
        machine=proc.machine(),
        versions=versions(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        plan=f"{plan.rounds} rounds of {plan.duration_s:g} s each, 50 connections",
    )
    scenarios = [] if options.only in HELD else select(options.only)
    for (part, shape, keys), group in itertools.groupby(scenarios, key=lambda each: each.group):
        with noted(f"{part.value}, {shape.name}, {keys.value}", results.failures):
            results.rows.extend(measure_rows(list(group), plan, commands))
    for part, crowd in ((MEMORY, heap.STRINGS), (PAUSES, heap.HASHES)):
        if options.only in (None, part):
            with noted(part, results.failures):
                results.heaps.append(measure_heap(crowd, commands))
    for layout in elements.LAYOUTS if options.only in (None, ELEMENTS) else ():
        with noted(f"{ELEMENTS}: {layout.element}", results.failures):
            results.elements.append(measure_element(layout, commands))
    for part_of in (
        recovery.measure(QUICK_KEYS if options.quick else heap.KEYS)
        if options.only in (None, RECOVERY)
        else ()
    ):
        with noted(RECOVERY, results.failures):
            found = part_of()
            results.recovery.extend(found)
            say("; ".join(f"{each.what}: {each.value:.4g} {each.unit}" for each in found))
    if options.only in (None, MEMCACHED):
        with noted(MEMCACHED, results.failures):
            results.memcached.extend(measure_memcached(plan))
    if options.only in (None, STORED):
        with noted(STORED, results.failures):
            results.stored.extend(measure_stored(plan))
    return results


def measure_stored(plan: Plan) -> Iterator[stored.Stored]:
    """Storage on a Redis, each row as it is found."""
    for row in stored.measure(plan):
        say(" ".join(stored.cells([row])[1]))
        yield row


def measure_memcached(plan: Plan) -> Iterator[memcached.Measured]:
    """Memcached's protocol, each row as it is found."""
    for row in memcached.measure(plan):
        say(" ".join(memcached.cells([row])[1]))
        yield row


@contextlib.contextmanager
def noted(what: str, failures: list[str]) -> Iterator[None]:
    """Go on behind a failure of a server or of the load, and add it to `failures`."""
    try:
        yield
    except (StartError, LoadError, ReplyError, DynomiteError, OSError, ValueError) as error:
        failures.append("\n".join([f"{what}: {error}", *getattr(error, "__notes__", ())]))
        say(failures[-1])


def complaint(options: argparse.Namespace) -> str | None:
    """Why these options cannot be run here, or None."""
    if options.rounds < 1:
        return "--rounds must be at least 1"
    if options.only not in (None, *HELD) and not select(options.only):
        return f"no scenario is called like {options.only!r}; --list prints their names"
    needed = {
        "redis-server": "redis-server",
        "redis-benchmark": "redis-tools",
        **({"memcached": "memcached"} if options.only in (None, MEMCACHED) else {}),
    }
    missing = [tool for tool in needed if shutil.which(tool) is None]
    if missing:
        packages = " and ".join([needed[tool] for tool in missing])
        return f"{' and '.join(missing)} not found: install Debian's {packages}"
    return None


def main(arguments: list[str] | None = None, commands: NodeCommands = node_commands) -> int:
    """Run the command line; 0 when all was measured, 1 when something failed, 2 for wrong usage."""
    options = parser().parse_args(arguments)
    if options.list:
        print("\n".join([*(scenario.name for scenario in select(None)), *HELD]))
        return 0
    if problem := complaint(options):
        say(problem)
        return 2
    # Leave through the context managers, which stop the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = run(options, commands)
    print(report.as_json(results) if options.json else report.terminal(results))
    output = options.output or (None if options.only else OUTPUT)
    if output is not None:
        output.write_text(report.markdown(results))
        say(f"written to {output}")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
