"""The load: redis-benchmark's command line, how it is run and what its CSV says.

redis-benchmark is used as it comes with Redis 7: one command at a time, given in full so that the key can
carry a hash tag, and `--csv` for the percentiles. What it cannot send (`conversation.py`, `fanout.py`) is a
`Work`, too, and gives the same result.
"""

import subprocess
from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

CONNECTIONS = 50
RANDOM_KEYS = 100_000
RANDOM = "__rand_int__"
"""Stands for a random number, twelve digits long, wherever it is in a word."""
_NUMBERS = 7  # rps and six latencies stand behind the title, which is not escaped

Words = tuple[str, ...]
"""A command, with placeholders in it."""


class LoadError(Exception):
    """The load failed, or redis-benchmark printed something else than its CSV."""


@frozen(kw_only=True)
class LoadResult:
    """What a load saw: operations per second and latency percentiles in milliseconds."""

    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Work(Protocol):
    """What can be asked of servers, again and again."""

    @property
    def batch(self) -> int:
        """How many operations are under way at once, over all connections."""
        ...

    def run(self, ports: Sequence[int], operations: int) -> LoadResult:
        """Do `operations` on the server on the first of `ports`, and wait for the end. Raises LoadError."""
        ...


@frozen(kw_only=True)
class Load:
    """One command repeated by redis-benchmark: how many in flight per connection, which random numbers."""

    words: Words
    in_flight: int
    random_keys: int = RANDOM_KEYS
    """`RANDOM` in a word is a number below this."""
    cluster: bool = False
    """Load every node at once: redis-benchmark takes one slot of each, so keys count per node."""

    @property
    def batch(self) -> int:
        """The operations that are under way at once."""
        return CONNECTIONS * self.in_flight

    def argv(self, port: int, operations: int, *, forever: bool = False) -> list[str]:
        """The redis-benchmark command line that sends `operations` of it to `port` (or goes on `forever`)."""
        options = {
            "-p": port,
            "-n": operations,
            "-c": CONNECTIONS,
            "-P": self.in_flight,
            "-r": self.random_keys,
        }
        words = [word for option, value in options.items() for word in (option, str(value))]
        flags = ["--csv"] + ["--cluster"] * self.cluster + ["-l"] * forever
        return ["redis-benchmark", *words, *flags, *self.words]

    def run(self, ports: Sequence[int], operations: int, *, timeout_s: float = 120.0) -> LoadResult:
        """Send `operations` to the first of `ports` and wait for the end. LoadError has what it said."""
        what = f"{self.words[0]} to port {ports[0]}"
        argv = self.argv(ports[0], operations)
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise LoadError(f"{what}: no end within {timeout_s} s") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout)[-500:]
            raise LoadError(f"{what}: redis-benchmark gave up: {said}")
        return parse_csv(done.stdout)


def parse_csv(text: str) -> LoadResult:
    """The result in the output of `redis-benchmark --csv` for one command (Redis 7: eight columns).

    Numbers are taken from the right, because the title is the command itself, quotes and commas included.
    Raises LoadError when no line has them.
    """
    for line in text.splitlines():
        cells = [cell.strip('"') for cell in line.rsplit(",", _NUMBERS)]
        try:
            rps, _, _, p50, p95, p99, _ = (float(cell) for cell in cells[1:])
        except ValueError:
            continue
        return LoadResult(rps=rps, p50_ms=p50, p95_ms=p95, p99_ms=p99)
    raise LoadError(f"redis-benchmark printed no result (is it of Redis 7 or newer?): {text[-500:]!r}")


def summary(latencies_s: Sequence[float], operations: int, elapsed_s: float) -> LoadResult:
    """The result of `operations` in `elapsed_s`, from how long each batch of them took."""
    ordered = sorted(latencies_s)
    p50, p95, p99 = (1000 * ordered[int(len(ordered) * part)] for part in (0.50, 0.95, 0.99))
    return LoadResult(rps=operations / elapsed_s, p50_ms=p50, p95_ms=p95, p99_ms=p99)


def operations_for(rps: float, duration_s: float, batch: int) -> int:
    """How many operations last about `duration_s` at `rps`, in whole batches."""
    return max(1, round(rps * duration_s / batch)) * batch
