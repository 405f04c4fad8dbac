"""`docs/consistency.md` tells what every level waits for and when it refuses, and a cluster does just that.

The tables are made from `coordinator/levels.py`; then a simulated cluster walks through all of them: for
every number of racks, level and number of dead replicas a write and a read, asked of a replica and of a node
that has to forward.
"""

import pytest

from tests.tidy import pages
from trio_dynomite.coordinator.levels import needed, shortfall
from trio_dynomite.model import Level
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation

RACKS = (1, 2, 3, 5)
KEY = b"key"
HERE, AWAY = "dc1", "dc2"
SETTLED_S = 3.0


def needed_table() -> str:
    rows = [
        [f"`{level.name}`", *(f"{needed(level, {HERE: racks}, HERE)[HERE]} of {racks}" for racks in RACKS)]
        for level in Level
    ]
    return pages.table(["Level", *(f"{racks} rack{'s' * (racks > 1)}" for racks in RACKS)], rows)


def verdict(level: Level, racks: dict[str, int], alive: dict[str, int]) -> str:
    """A cell: `yes`, or why not in the words of the error."""
    reason = shortfall(level, racks, HERE, alive)
    return "yes" if reason is None else "no: " + reason.removeprefix(f"{level.name} needs ")


def shown(cell: str) -> str:
    """A cell as the page has it."""
    return cell.replace(f" replicas in {HERE}", " needed").replace(
        f" replicas in {AWAY}", f" needed in {AWAY}"
    )


def down_table() -> str:
    most = max(RACKS)
    rows = []
    for racks in RACKS:
        for level in Level:
            cells = [verdict(level, {HERE: racks}, {HERE: racks - down}) for down in range(racks + 1)]
            rows.append([str(racks), f"`{level.name}`", *map(shown, cells), *[""] * (most - racks)])
    return pages.table(["Racks", "Level", *(f"{down} down" for down in range(most + 1))], rows)


def two_table() -> str:
    rows = [
        [
            f"{here} down in {HERE}",
            *(shown(verdict_of_two(Level.DC_EACH_SAFE_QUORUM, here, away)) for away in range(4)),
        ]
        for here in range(3)
    ]
    return pages.table(["", *(f"{away} down in {AWAY}" for away in range(4))], rows)


def verdict_of_two(level: Level, here: int, away: int) -> str:
    return verdict(level, {HERE: 3, AWAY: 3}, {HERE: 3 - here, AWAY: 3 - away})


def test_the_page_tells_what_each_level_waits_for() -> None:
    pages.check("consistency.md", "needed", needed_table())


def test_the_page_tells_what_happens_with_replicas_down() -> None:
    pages.check("consistency.md", "down", down_table())


def test_the_page_tells_what_happens_with_replicas_down_in_two_datacenters() -> None:
    pages.check("consistency.md", "two", two_table())


def owners(simulation: Simulation) -> tuple[str, ...]:
    engine = next(iter(simulation.nodes.values())).engine
    return engine.table.of_key(KEY).placement.in_datacenter(HERE)


@pytest.mark.parametrize(
    ("racks", "down"), [(racks, down) for racks in RACKS for down in range(racks + 1)], ids=str
)
def test_a_cluster_does_what_the_table_says(racks: int, down: int) -> None:
    # The first rack has two nodes, so that one is left that can be asked when no replica is.
    simulation = Simulation(layout([2, *[1] * (racks - 1)]), seed=racks * 10 + down)
    simulation.start()
    replicas = owners(simulation)
    forwarder = next(name for name in simulation.nodes if name not in replicas)
    assert simulation.ask(forwarder, Level.DC_ONE, b"SET", KEY, b"before") == b"+OK\r\n"
    simulation.run_for(SETTLED_S)
    for name in replicas[:down]:
        simulation.crash(name)
    simulation.run_for(SETTLED_S)
    for asked in [forwarder, *replicas[down:]]:
        for level in Level:
            expected = verdict(level, {HERE: racks}, {HERE: racks - down})
            walk(simulation, asked, level, expected, survivors=replicas[down:])


@pytest.mark.parametrize("here", range(3))
@pytest.mark.parametrize("away", range(4))
def test_two_datacenters_do_what_the_table_says(here: int, away: int) -> None:
    simulation = Simulation(layout([1, 1, 1], [1, 1, 1]), seed=here * 10 + away)
    simulation.start()
    replicas = owners(simulation)
    assert simulation.ask(replicas[-1], Level.DC_ONE, b"SET", KEY, b"before") == b"+OK\r\n"
    simulation.run_for(SETTLED_S)
    for name in [*replicas[:here], *(f"d2r{rack}n1" for rack in range(1, away + 1))]:
        simulation.crash(name)
    simulation.run_for(SETTLED_S)
    for level in Level:
        walk(simulation, replicas[-1], level, verdict_of_two(level, here, away), survivors=replicas[here:])


def walk(
    simulation: Simulation, asked: str, level: Level, expected: str, *, survivors: tuple[str, ...]
) -> None:
    """A write and a read at `level` through node `asked` end as the table's cell `expected` says."""
    value = f"{asked} {level.name}".encode()
    started_s = simulation.timeline.now_s
    write = simulation.ask(asked, level, b"SET", KEY, value)
    read = simulation.ask(asked, level, b"GET", KEY)
    assert simulation.timeline.now_s - started_s < 0.5, "it is known at once what can be had"
    simulation.run_for(0.5)
    kept = [simulation.nodes[name].engine.keyspace.get(KEY) for name in survivors]
    if expected == "yes":
        assert write == b"+OK\r\n"
        assert read[:1] == b"$"
        assert level is Level.DC_ONE or read == b"$%d\r\n%b\r\n" % (len(value), value)
        assert kept == [value] * len(survivors)
        return
    reason = expected.removeprefix("no: ")
    assert value not in kept
    told = f"-NOREPLICAS {level.name} needs {reason}"
    assert write.decode() == f"{told}; nothing was written\r\n"
    assert read.decode() == f"{told}\r\n"
