"""When a node is away: hints written and delivered, a node that fills itself, replicas that are repaired.

Hints and warm-up are measured on three real nodes, one a rack, over the loopback interface. Of repair the
network and the pauses are simulated and all else is the real code, so its bytes and its own time are exact.
"""

import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from attrs import frozen

from benchmarks import proc
from benchmarks.fill import ELEMENT, Fill, value_of
from benchmarks.tables import NONE
from trio_dynomite.data.stamp import NODE_BITS
from trio_dynomite.model import Level
from trio_dynomite.storage.contract import SLOTS, hash_of
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until
from trio_dynomite.testing.simulation import EPOCH_MS, SimNode, Simulation

VALUE_BYTES = 32
DIGEST_PERCENT = 5.0
DIFFERING = 1000
_PATIENCE_S = 300.0


@frozen(kw_only=True)
class Finding:
    """A row of the table: what was measured, and what came out."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    """It should not be more."""

    @property
    def met(self) -> bool | None:
        """Is it not? None where nothing is asked."""
        return None if self.limit is None else self.value <= self.limit


HEADINGS = ("what", "measured", "unit", "target", "met")


def cells(findings: list[Finding]) -> list[list[str]]:
    """The table, headings first."""
    rows = [
        [
            each.what,
            f"{each.value:,.0f}" if each.value >= 100 else f"{each.value:.2f}",
            each.unit,
            NONE if each.limit is None else f"≤ {each.limit:g}",
            NONE if each.met is None else "yes" if each.met else "NO",
        ]
        for each in findings
    ]
    return [list(HEADINGS), *rows]


def measure(keys: int) -> Iterator[Callable[[], list[Finding]]]:
    """What measures each part, with so many keys, or some of them where more tell nothing new."""
    yield lambda: hints(keys // 4, durable=False)
    yield lambda: hints(keys // 4, durable=True)
    yield lambda: warm_up(keys)
    yield lambda: repair(keys)
    yield lambda: digests(keys // 4)


# Three real nodes


def _cluster(folder: str, *, durable: bool = False) -> LocalCluster:
    limits = {"hints": "2gb", "hints_per_peer": "2gb"}
    return LocalCluster(
        {"dc1": [1, 1, 1]},
        {
            "consistency": {"write": Level.DC_QUORUM.name},
            "storage": {"path": folder},
            "limits": limits,
            "hints": {"durable": durable, "rate": "1gb"},
            "repair": {"interval": 0},
        },
    )


def _fill(word: str, keys: int) -> Fill:
    return Fill(words=("SET", f"{word}:{ELEMENT}", value_of(VALUE_BYTES)), elements=keys)


def _written(nodes: list[LocalNode], word: str, keys: int) -> tuple[float, float]:
    """(writes a second, microseconds of CPU of these nodes a write), all sent to the first."""
    before, began_s = _cpu_s(nodes), time.perf_counter()
    _fill(word, keys).write(nodes[0].port)
    took_s = time.perf_counter() - began_s
    return keys / took_s, (_cpu_s(nodes) - before) / keys * 1e6


def _cpu_s(nodes: Iterable[LocalNode]) -> float:
    return sum([proc.cpu_s(node.pid) for node in nodes])


def _owed(node: LocalNode, field: str = "hints") -> int:
    return int(node.info("stats")[field])


def hints(keys: int, *, durable: bool) -> list[Finding]:
    """Writes while a node is frozen, and what it gets when it goes on."""
    where = "in files" if durable else "in memory"
    with tempfile.TemporaryDirectory() as folder, _cluster(folder, durable=durable) as cluster:
        *keepers, away = cluster
        _written(keepers, "warm", keys // 10)
        away.freeze()
        for node in keepers:
            wait_until(lambda node=node: not node.sees(away.name), "it is missed")  # type: ignore[misc]
        rate, cpu_us = _written(keepers, "missed", keys)
        count = sum(map(_owed, keepers))
        size = sum([_owed(node, "hints_log_bytes") for node in keepers]) if durable else 0
        before = _cpu_s(cluster)
        away.thaw()
        began_s = time.perf_counter()
        wait_until(lambda: not any(map(_owed, keepers)), "all is delivered", timeout_s=_PATIENCE_S)
        took_s, delivery_us = time.perf_counter() - began_s, (_cpu_s(cluster) - before) / count * 1e6
    found = [
        Finding(what=f"writes while a node is away, hints {where}", value=rate, unit="a second"),
        Finding(what=f"CPU of both others a write, hints {where}", value=cpu_us, unit="µs"),
        Finding(what=f"hints delivered from {where.split()[1]}", value=count / took_s, unit="keys a second"),
        Finding(what=f"CPU of all three a hint from {where.split()[1]}", value=delivery_us, unit="µs"),
    ]
    if durable:
        found.append(Finding(what="files of hints", value=size / count, unit="bytes a key of 19"))
    return found


def warm_up(keys: int) -> list[Finding]:
    """A node that starts empty, until it has everything and serves."""
    with tempfile.TemporaryDirectory() as folder, _cluster(folder) as cluster:
        *others, late = cluster
        first = others[0]
        _fill("key", keys).write(first.port)
        late.kill()
        began, before = len(late.log_text()), _cpu_s(others)
        late.start()
        late.wait_ready(_PATIENCE_S)
        cpu_us = [cpu_s / keys * 1e6 for cpu_s in (proc.cpu_s(late.pid), _cpu_s(others) - before)]
        seconds = _joining_s(late.log_text()[began:])
        held = int(late.command("DBSIZE"))
    size = keys * (len("key:") + 12 + VALUE_BYTES)
    assert held == keys, f"{held} of {keys} keys are there"
    return [
        Finding(what=f"warm-up with {keys:,} keys", value=seconds, unit="s"),
        Finding(what="warm-up", value=keys / seconds, unit="keys a second"),
        Finding(what="warm-up", value=size / seconds / 1e6, unit="MB of keys and values a second"),
        Finding(what="CPU of the empty node a key, its start included", value=cpu_us[0], unit="µs"),
        Finding(what="CPU of both that it learns from a key", value=cpu_us[1], unit="µs"),
    ]


def _joining_s(log: str) -> float:
    """From JOINING to NORMAL, by the node's log."""
    times = dict(
        (found[2], datetime.fromisoformat(found[1]))
        for found in re.finditer(r"^(\S+) \S+ info +node\.state state=(\w+)", log, re.MULTILINE)
    )
    return (times["NORMAL"] - times["JOINING"]).total_seconds()


# Repair


def repair(keys: int) -> list[Finding]:
    """So many keys of two replicas, of which a few differ and nobody knows."""
    simulation = Simulation(layout([1, 1]), seed=1)
    simulation.start()
    a, b = simulation.nodes.values()
    names = _equal(a, b, keys)
    rng = random.Random(1)
    for at, key in enumerate(rng.sample(names, DIFFERING)):
        _rewrite((a, b)[at % 2], key, at)
    engine = a.engine
    before, cpu_s, began_s = simulation.network.sent, time.process_time(), simulation.timeline.now_s
    a.turn(lambda: engine.repair.compare(engine.roster.peers[b.name]))
    while not _agree(a, b):
        simulation.run_for(0.02)
    took_s, cpu_s = simulation.timeline.now_s - began_s, time.process_time() - cpu_s
    size = simulation.network.sent - before
    what = f"repair of {DIFFERING:,} among {keys:,} keys"
    return [
        Finding(what=f"{what}, its pace and network", value=took_s, unit="s"),
        Finding(what=f"{what}, CPU of both", value=cpu_s, unit="s"),
        Finding(what=f"{what}, bytes", value=size / 1000, unit="kB"),
    ]


def _equal(a: SimNode, b: SimNode, keys: int) -> list[bytes]:
    names = [b"key:%012d" % number for number in range(keys)]
    stores = [node.engine.keyspace.store for node in (a, b)]
    stamp = EPOCH_MS << 16 + NODE_BITS
    for at, name in enumerate(names):
        slot = stores[0].slot_of(name)
        for store in stores:
            store.put(slot, name, stamp + (at << NODE_BITS), b"%032d" % at, 0)
    return names


def _rewrite(node: SimNode, key: bytes, at: int) -> None:
    store = node.engine.keyspace.store
    store.put(store.slot_of(key), key, node.engine.keyspace.clock.next(), b"new value %022d" % at, 0)


def _agree(a: SimNode, b: SimNode) -> bool:
    slots = [*range(SLOTS)]
    first, second = [node.engine.keyspace.store.slot_digests(slots) for node in (a, b)]
    return first == second


# Digests


def digests(keys: int) -> list[Finding]:
    """What keeping digests takes of the cheapest write there is: a SET in a pipeline of a thousand, alone."""
    with LocalCluster({"dc1": [1]}) as cluster:
        (node,) = cluster
        _written([node], "key", keys // 10)
        _, cpu_us = _written([node], "key", keys)
    kept_us = _digest_us()
    return [
        Finding(what="digest of a slot, kept at a write", value=kept_us, unit="µs"),
        Finding(
            what="the same, of the CPU of a SET in a pipeline of 1000",
            value=100 * kept_us / cpu_us,
            unit="percent",
            limit=DIGEST_PERCENT,
        ),
    ]


def _digest_us() -> float:
    """Microseconds that one write takes to keep its slot's digest, as `Store.put` does it."""
    names = [b"key:%012d" % number for number in range(200_000)]
    sums = [EPOCH_MS << 80] * SLOTS
    change = EPOCH_MS << 16 + NODE_BITS
    began_s = time.process_time()
    for name in names:
        sums[1000] += hash_of(name) * change
    with_s = time.process_time() - began_s
    began_s = time.process_time()
    for _ in names:
        sums[1000] = change
    return (with_s - (time.process_time() - began_s)) / len(names) * 1e6
