"""Storage on a Redis below a node, with stamps and without, beside redis-server itself under the same load.

Random keys of 100,000, values of 32 bytes; one node, or three racks of which the asked node leads the keys.
The CPU time of the node and that of the server below it are told apart.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks import servers
from benchmarks.load import RANDOM, RANDOM_KEYS, Load, Words
from benchmarks.measure import Plan, Round, Side
from benchmarks.servers import Server
from benchmarks.slots import primary_tag
from trio_dynomite.testing.local import LocalCluster, LocalNode

MODES: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "memory": {},
    "redis": {"storage": {"engine": "redis"}, "redis": {"append_only": "no"}},
    "redis, no stamps": {"storage": {"engine": "redis"}, "redis": {"stamps": False}},
}
"""The storage by what it is called in the table: its sections of the configuration."""
SHAPES = (("memory", 1), ("redis", 1), ("redis, no stamps", 1), ("redis, no stamps", 3))
"""What is measured: the mode, and how many racks of one node."""
VALUE = "x" * 32
COMMANDS: Mapping[str, Words] = {
    "SET": ("SET", f"{{key}}:{RANDOM}", VALUE),
    "GET": ("GET", f"{{key}}:{RANDOM}"),
    "HSET": ("HSET", f"{{key}}:h:{RANDOM}", "field", VALUE),
}
IN_FLIGHT = (1, 16)
HEADINGS = (
    *("storage", "racks", "op", "in flight", "redis µs/op", "node µs/op", "server µs/op"),
    *("node", "server", "our op/s"),
)


@frozen(kw_only=True)
class Stored:
    """A row of the table."""

    storage: str
    racks: int
    op: str
    in_flight: int
    rounds: tuple[Round, ...]

    def median(self, pick: Callable[[Round], float]) -> float:
        """The median over the rounds of what `pick` takes from each."""
        return statistics.median(map(pick, self.rounds))

    def cost(self, process: int) -> float:
        """CPU microseconds per operation of the node that is asked (0), or of the server below it (1)."""
        return self.median(lambda each: _cpu_us(each, process))

    def ratio(self, process: int) -> float:
        """The same over redis-server's."""
        return self.median(lambda each: _cpu_us(each, process) / max(each.redis.cpu_us[0], 1e-3))


def _cpu_us(each: Round, process: int) -> float:
    return each.ours.cpu_us[process] if process < len(each.ours.cpu_us) else 0.0


def loads(tag: str) -> Iterator[tuple[str, Load]]:
    """What is asked, by the command's name; every key has the `tag`."""
    for op, words in COMMANDS.items():
        for in_flight in IN_FLIGHT:
            tagged = tuple(word.replace("{key}", f"{{{tag}}}") for word in words)
            yield op, Load(words=tagged, in_flight=in_flight, random_keys=RANDOM_KEYS)


def measure(plan: Plan) -> Iterator[Stored]:
    """Every row, on servers started for them."""
    for storage, racks in SHAPES:
        with TemporaryDirectory(prefix="benchmark-stored-") as path:
            yield from _measure_mode(storage, racks, _at(MODES[storage], Path(path)), plan)


def _at(sections: Mapping[str, Mapping[str, object]], path: Path) -> dict[str, dict[str, object]]:
    made = {name: dict(section) for name, section in sections.items()}
    if "storage" in made:
        made["storage"]["path"] = str(path)
    return made


def _measure_mode(
    storage: str, racks: int, sections: Mapping[str, Mapping[str, object]], plan: Plan
) -> Iterator[Stored]:
    with servers.redis() as theirs, LocalCluster({"dc1": [1] * racks}, sections) as cluster:
        node = cluster["node1"]
        tag = primary_tag(node.port) if racks > 1 else "t0"
        for op, work in loads(tag):
            sides = [
                Side(servers=some, work=work, prepare=lambda _: None) for some in ([theirs], _processes(node))
            ]
            counts = [side.operations(plan.duration_s) for side in sides]
            rounds = [
                Round(*[side.sample(count) for side, count in zip(sides, counts, strict=True)])
                for _ in range(plan.rounds)
            ]
            yield Stored(storage=storage, racks=racks, op=op, in_flight=work.in_flight, rounds=tuple(rounds))


def _processes(node: LocalNode) -> list[Server]:
    """The node, and the server below it if there is one."""
    found = [Server(name=node.name, pid=node.pid, port=node.port)]
    below = node.info("stats").get("storage_server_pid")
    return found if below is None else [*found, Server(name="below", pid=int(below), port=node.port)]


def cells(rows: Sequence[Stored]) -> list[list[str]]:
    """The table, headings first."""
    return [
        list(HEADINGS),
        *(
            [
                row.storage,
                str(row.racks),
                row.op,
                str(row.in_flight),
                f"{row.median(lambda each: each.redis.cpu_us[0]):.1f}",
                *(f"{row.cost(process):.1f}" for process in (0, 1)),
                *(f"{row.ratio(process):.2f}" for process in (0, 1)),
                f"{row.median(lambda each: each.ours.result.rps):.0f}",
            ]
            for row in rows
        ),
    ]
