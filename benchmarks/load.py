"""The load: redis-benchmark's command line, how it is run and what its CSV says.

redis-benchmark is used as it comes with Redis 7: one command at a time, given in full so that the key can
carry a hash tag, and `--csv` for the percentiles.
"""

import subprocess

from attrs import frozen

CONNECTIONS = 50
RANDOM_KEYS = 100_000
_NUMBERS = 7  # rps and six latencies stand behind the title, which is not escaped


class LoadError(Exception):
    """redis-benchmark failed, or printed something else than its CSV."""


@frozen(kw_only=True)
class LoadResult:
    """One line of redis-benchmark: operations per second and latency percentiles in milliseconds."""

    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@frozen(kw_only=True)
class Load:
    """One command repeated: on which key pattern, with what value, how many in flight per connection."""

    op: str
    key: str
    value_bytes: int
    in_flight: int
    random_keys: int = RANDOM_KEYS
    """`__rand_int__` in the key is a number below this."""
    cluster: bool = False
    """Load every node at once: redis-benchmark takes one slot of each, so keys count per node."""

    def command(self) -> list[str]:
        """The Redis command with redis-benchmark's placeholders."""
        value = ["x" * self.value_bytes] if self.op == "SET" else []
        return [self.op, self.key, *value]

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
        return ["redis-benchmark", *words, *flags, *self.command()]


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


def run(load: Load, port: int, operations: int, *, timeout_s: float = 120.0) -> LoadResult:
    """Send `operations` of `load` to `port` and wait for the end. Raises LoadError with what it said."""
    argv = load.argv(port, operations)
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{load.op} to port {port}: no end within {timeout_s} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout)[-500:]
        raise LoadError(f"{load.op} to port {port}: redis-benchmark gave up: {said}")
    return parse_csv(done.stdout)


def operations_for(rps: float, duration_s: float, in_flight: int) -> int:
    """How many operations last about `duration_s` at `rps`, in whole pipelines over all connections."""
    batch = CONNECTIONS * in_flight
    return max(1, round(rps * duration_s / batch)) * batch
