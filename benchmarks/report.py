"""The results as a table for the terminal, as Markdown and as JSON."""

import json
from collections.abc import Callable, Sequence

from attrs import asdict, field, frozen

from benchmarks import memcached, recovery, stored
from benchmarks.elements import Element
from benchmarks.heap import MEMORY_RATIO, PAUSE_MS, Heap
from benchmarks.measure import Round, Row, Sample
from benchmarks.memcached import Measured
from benchmarks.recovery import Finding
from benchmarks.scenarios import Keys, Limit, Part, Share
from benchmarks.stored import Stored
from benchmarks.tables import NONE, Table, used_columns

HEADINGS = (
    "cluster",
    "keys",
    "op",
    "value",
    "in flight",
    "redis µs/op",
    "our µs/op",
    "ratio",
    "redis p50/p99 ms",
    "our p50/p99 ms",
    "redis op/s",
    "our op/s",
    "target",
    "met",
)
_TITLES = {
    Part.STRINGS: "SET and GET",
    Part.COMMANDS: "Every other kind of command",
}


@frozen(kw_only=True)
class Results:
    """All that one run of the benchmarks found; `machine` and `versions` are lines for the reader."""

    machine: str
    versions: str
    date: str
    plan: str
    rows: list[Row] = field(factory=list)
    heaps: list[Heap] = field(factory=list)
    elements: list[Element] = field(factory=list)
    recovery: list[Finding] = field(factory=list)
    memcached: list[Measured] = field(factory=list)
    stored: list[Stored] = field(factory=list)
    failures: list[str] = field(factory=list)
    """What could not be measured, and why."""


def verdict(met: bool | None) -> str:
    """`yes`, `NO`, or a dash where nothing is asked."""
    return NONE if met is None else "yes" if met else "NO"


def our_cost(row: Row) -> str:
    """CPU per operation of each of our nodes, first the one that is asked: `29.1 + 3.8 + 3.9`."""
    processes = len(row.rounds[0].ours.cpu_us)
    medians = [row.median(lambda each, n=n: each.ours.cpu_us[n]) for n in range(processes)]  # type: ignore[misc]
    return " + ".join(f"{median:.1f}" for median in medians)


def ratios(row: Row) -> str:
    """The ratio of the serving node, and of all nodes together where there are several."""
    if len(row.rounds[0].ours.cpu_us) == 1:
        return f"{row.ratio(Share.SERVING):.2f}"
    everything = f"all {row.ratio(Share.ALL):.2f}"
    if row.scenario.keys is Keys.OWNERS:
        return everything
    return f"{row.ratio(Share.SERVING):.2f}, replica {row.ratio(Share.REPLICA):.2f}, {everything}"


def _latency(row: Row, side: Callable[[Round], Sample]) -> str:
    p50 = row.median(lambda each: side(each).result.p50_ms)
    p99 = row.median(lambda each: side(each).result.p99_ms)
    return f"{p50:.2f}/{p99:.2f}"


def _target(limits: Sequence[Limit]) -> str:
    return ", ".join(f"{limit.share.value} ≤ {limit.ratio:g}" for limit in limits) or NONE


def cells(row: Row) -> list[str]:
    """The row under `HEADINGS`."""
    scenario = row.scenario
    return [
        scenario.shape.name,
        scenario.keys.value if scenario.shape.racks > 1 else NONE,
        scenario.op.name,
        str(scenario.value_bytes),
        str(scenario.in_flight),
        f"{row.median(lambda each: each.redis.cpu_us[0]):.1f}",
        our_cost(row),
        ratios(row),
        _latency(row, lambda each: each.redis),
        _latency(row, lambda each: each.ours),
        f"{row.median(lambda each: each.redis.result.rps):.0f}",
        f"{row.median(lambda each: each.ours.result.rps):.0f}",
        _target(scenario.limits),
        verdict(row.met),
    ]


def heap_cells(heap: Heap) -> list[list[str]]:
    """The table of memory and pauses, headings first."""
    pause_met = None if heap.pause_ms is None else heap.pause_ms < PAUSE_MS
    memory_target = [f"≤ {MEMORY_RATIO:g}", verdict(heap.ratio <= MEMORY_RATIO)]
    pause_target = [f"< {PAUSE_MS:g}", verdict(pause_met)]
    free = [NONE, NONE]
    return [
        ["what", "redis", "ours", "ratio", "target", "met"],
        [
            f"bytes per {heap.what} ({heap.keys} of them)",
            f"{heap.redis_bytes:.0f}",
            f"{heap.our_bytes:.0f}",
            f"{heap.ratio:.2f}",
            *(memory_target if heap.judged else free),
        ],
        ["longest GC pause, load, ms", NONE, _pause(heap.load_pause_ms), NONE, *free],
        [
            "longest GC pause, then mixed load, ms",
            NONE,
            _pause(heap.mixed_pause_ms),
            NONE,
            *(pause_target if heap.judged else free),
        ],
    ]


def _pause(pause_ms: float | None) -> str:
    return "n/a" if pause_ms is None else f"{pause_ms:.1f}"


def element_cells(elements: Sequence[Element]) -> list[list[str]]:
    """The table of bytes per element, headings first."""
    head = ["element", "held in", "redis bytes", "our bytes", "ratio"]
    return [
        head,
        *(
            [
                each.element,
                each.held,
                f"{each.redis_bytes:.0f}",
                f"{each.our_bytes:.0f}",
                f"{each.ratio:.2f}",
            ]
            for each in elements
        ),
    ]


def _tables(results: Results) -> list[Table]:
    tables = []
    for part, title in _TITLES.items():
        rows = [cells(row) for row in results.rows if row.scenario.part is part]
        if rows:
            tables.append(Table(title, used_columns([list(HEADINGS), *rows])))
    for heap in results.heaps:
        title = f"Memory and pauses of a node with {heap.keys} times one {heap.what}"
        tables.append(Table(title, used_columns(heap_cells(heap))))
    if results.elements:
        tables.append(Table("Memory per element", element_cells(results.elements)))
    if results.recovery:
        tables.append(Table("When a node is away, and back", recovery.cells(results.recovery)))
    if results.memcached:
        tables.append(Table("Memcached's protocol, beside memcached", memcached.cells(results.memcached)))
    if results.stored:
        tables.append(Table("Storage on a Redis, beside redis-server", stored.cells(results.stored)))
    return tables


def _failures(results: Results) -> list[str]:
    if not results.failures:
        return []
    first_lines = (failure.splitlines()[0] for failure in results.failures)
    return ["\n".join(["Not measured:", "", *(f"- {line}" for line in first_lines)])]


def terminal(results: Results) -> str:
    """Everything for the terminal."""
    heads = [results.machine, results.versions, results.plan]
    return "\n\n".join(
        ["\n".join(heads), *(table.terminal() for table in _tables(results)), *_failures(results)]
    )


_READING = """\
CPU is user and system time of the whole process per operation; "our µs/op" lists every node, the one that the
load is sent to first. A ratio is CPU over redis-server's under the same load in the same round; all figures
are medians over the rounds. "token-aware" keys belong to the node that is asked, "any node" keys are mostly
forwarded, and with "token-aware, all nodes" every key goes to its own primary. Operations per second on a
shared machine say little: trust the ratios.

Of the other commands: HSET and ZADD write again what is in a collection of 100,000; SADD and LPUSH add to one
of 100,000 and RPOP leaves 100,000 behind, made anew before each run, which has as many operations on both;
LRANGE_100 reads a hundred of 1000; XADD keeps about 10,000; EVAL is a script with a GET and a SET; MULTI a
transaction of GET, SET and EXPIRE; each PUBLISH goes to 50 subscribers, spread over all nodes, who must have
it before the next is sent. MULTI and PUBLISH are sent by a loader of our own.

When a node is away, the writes are SETs at DC_QUORUM in pipelines of a thousand, sent to one node, which
forwards what the other leads; keys have 19 bytes, values 32. A node that comes back also copies what differs
from both others while they deliver. Of repair the network is simulated, with its pace (`repair.rate`) and its
waits."""


def markdown(results: Results) -> str:
    """Everything as a Markdown page."""
    facts = [f"- {fact}" for fact in (results.machine, results.versions, results.date, results.plan)]
    tables = [table.markdown() for table in _tables(results)]
    title = "# CPU, latency and memory beside redis-server"
    made = "Made by `python -m benchmarks`."
    return "\n\n".join([title, made, "\n".join(facts), _READING, *tables, *_failures(results)]) + "\n"


def as_json(results: Results) -> str:
    """Everything as JSON: every round, with the medians of the ratios and the verdicts beside them."""
    rows = [
        {
            "name": row.scenario.name,
            "ratio": {share.value: row.ratio(share) for share in Share},
            "targets": {limit.share.value: limit.ratio for limit in row.scenario.limits},
            "met": row.met,
            "rounds": [asdict(each) for each in row.rounds],
        }
        for row in results.rows
    ]
    heaps = [asdict(heap) for heap in results.heaps]
    elements = [asdict(each) for each in results.elements]
    about = {"machine": results.machine, "versions": results.versions, "date": results.date}
    found = {"rows": rows, "memory": heaps, "elements": elements, "failures": results.failures}
    found["memcached"] = [asdict(each) for each in results.memcached]
    found["stored"] = [asdict(each) for each in results.stored]
    found["recovery"] = [asdict(each) for each in results.recovery]
    return json.dumps({**about, "plan": results.plan, **found}, indent=2)
