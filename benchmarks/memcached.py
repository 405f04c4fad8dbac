"""Memcached's protocol beside Debian's memcached: the same requests in turns, and the CPU time of each as a
ratio.

Classic set and get, and meta ms and mg, of values of one size under random keys; one node, and three racks
at DC_QUORUM with keys that the asked node leads. The load is a loader of our own, as for transactions.
"""

import contextlib
import random
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle

from attrs import frozen

from benchmarks.conversation import SILENCE_S, Talker, talk
from benchmarks.load import CONNECTIONS, RANDOM_KEYS, LoadError, LoadResult, summary
from benchmarks.measure import Plan, Round, Side
from benchmarks.scenarios import Share
from benchmarks.servers import START_S, Server, StartError, free_ports
from benchmarks.slots import primary_tag
from benchmarks.wire import Client
from trio_dynomite.testing.local import LocalCluster

VALUE = b"x" * 32
_PREPARED = 8192
_FILL_BATCH = 500
_MARK = b"mn\r\n"
_HOST = "127.0.0.1"
REQUESTS = {
    "set": b"set %b 0 0 32\r\n" + VALUE + b"\r\n",
    "get": b"get %b\r\n",
    "ms": b"ms %b 32\r\n" + VALUE + b"\r\n",
    "mg": b"mg %b v\r\n",
}
"""What is sent, by the name of the command; the key is put in."""
IN_FLIGHT = (1, 16)
HEADINGS = ("cluster", "op", "in flight", "memcached µs/op", "our µs/op", "ratio", "all nodes", "our op/s")


def exchange(port: int, request: bytes) -> bytes:
    """The whole answer to some requests. Raises LoadError when there is an error in it."""
    with socket.create_connection((_HOST, port), timeout=SILENCE_S) as wire:
        wire.sendall(request + _MARK)
        said = b""
        while not said.endswith(b"MN\r\n"):
            chunk = wire.recv(1 << 16)
            if not chunk:
                raise LoadError("the server closed the connection")
            said += chunk
    if b"ERROR" in said:
        raise LoadError(f"the server said {said[:200]!r}")
    return said[:-4]


@frozen(kw_only=True)
class Requests:
    """One request under random keys, so many in flight for each connection: a `Work`."""

    request: bytes
    tag: bytes
    in_flight: int

    @property
    def batch(self) -> int:
        """The operations that are under way at once."""
        return CONNECTIONS * self.in_flight

    def key(self, number: int) -> bytes:
        """The key of a number."""
        return b"%b:%012d" % (self.tag, number)

    def run(self, ports: Sequence[int], operations: int) -> LoadResult:
        """Do `operations`, in whole batches, on the server that listens on the first of `ports`."""
        chance = random.Random(operations)
        batches = [self._batch(chance) for _ in range(_PREPARED // self.in_flight)]
        size = len(exchange(ports[0], batches[0]))
        with ExitStack() as stack:
            talkers = [
                Talker(
                    stack.enter_context(Client(ports[0], timeout_s=SILENCE_S)),
                    cycle(batches[number:] + batches[:number]),
                    size,
                )
                for number in range(CONNECTIONS)
            ]
            began_s = time.perf_counter()
            latencies = talk(talkers, operations // self.in_flight)
            return summary(latencies, operations, time.perf_counter() - began_s)

    def _batch(self, chance: random.Random) -> bytes:
        keys = [self.key(chance.randrange(RANDOM_KEYS)) for _ in range(self.in_flight)]
        return b"".join([self.request % key for key in keys])

    def fill(self, port: int) -> None:
        """Write every key once."""
        for first in range(0, RANDOM_KEYS, _FILL_BATCH):
            keys = map(self.key, range(first, first + _FILL_BATCH))
            exchange(port, b"".join([REQUESTS["set"] % key for key in keys]))


@contextlib.contextmanager
def memcached() -> Iterator[Server]:
    """Debian's memcached with room for all keys, and its other defaults."""
    (port,) = free_ports(1)
    argv = ["memcached", "-u", "root", "-l", _HOST, "-p", str(port), "-U", "0", "-m", "1024"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await(port)
            yield Server(name="memcached", pid=process.pid, port=port)
        finally:
            process.terminate()


def _await(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            exchange(port, b"")
            return
        time.sleep(0.05)
    raise StartError(f"memcached on port {port} does not serve")


@frozen(kw_only=True)
class Measured:
    """A row of the table."""

    cluster: str
    op: str
    in_flight: int
    rounds: tuple[Round, ...]

    def median(self, pick: Callable[[Round], float]) -> float:
        """The median over the rounds of what `pick` takes from each."""
        return statistics.median(map(pick, self.rounds))

    def ratio(self, share: Share) -> float:
        """The median ratio of `share`, to memcached."""
        return self.median(lambda each: each.ratio(share))


def measure(plan: Plan) -> Iterator[Measured]:
    """Every row, on servers started for them."""
    for name, racks, level in (("1-node", 1, "DC_ONE"), ("3-racks-quorum", 3, "DC_QUORUM")):
        sections = {"consistency": {"read": level, "write": level}}
        with memcached() as theirs, LocalCluster({"dc1": [1] * racks}, sections) as cluster:
            nodes = [Server(name=node.name, pid=node.pid, port=node.memcached_port) for node in cluster]
            tag = primary_tag(cluster["node1"].port) if racks > 1 else "t0"
            yield from _measure_all(name, f"{{{tag}}}".encode(), theirs, nodes, plan)


def _measure_all(
    name: str, tag: bytes, theirs: Server, nodes: Sequence[Server], plan: Plan
) -> Iterator[Measured]:
    for server in (theirs, nodes[0]):
        Requests(request=b"", tag=tag, in_flight=1).fill(server.port)
    for op, request in REQUESTS.items():
        for in_flight in IN_FLIGHT:
            work = Requests(request=request, tag=tag, in_flight=in_flight)
            sides = [Side(servers=some, work=work, prepare=lambda _: None) for some in ([theirs], nodes)]
            counts = [side.operations(plan.duration_s) for side in sides]
            rounds = [
                Round(*[side.sample(count) for side, count in zip(sides, counts, strict=True)])
                for _ in range(plan.rounds)
            ]
            yield Measured(cluster=name, op=op, in_flight=in_flight, rounds=tuple(rounds))


def cells(rows: Sequence[Measured]) -> list[list[str]]:
    """The table, headings first."""
    return [
        list(HEADINGS),
        *(
            [
                row.cluster,
                row.op,
                str(row.in_flight),
                f"{row.median(lambda each: each.redis.cpu_us[0]):.1f}",
                f"{row.median(lambda each: each.ours.cpu_us[0]):.1f}",
                f"{row.ratio(Share.SERVING):.2f}",
                f"{row.ratio(Share.ALL):.2f}",
                f"{row.median(lambda each: each.ours.result.rps):.0f}",
            ]
            for row in rows
        ),
    ]
