"""Two datacenters that cannot see each other write every type, and are one again when they can."""

from random import Random
from typing import Any

import pytest

from trio_dynomite.model import Level
from trio_dynomite.testing.contents import READS, parsed, read
from trio_dynomite.testing.judge import verdict
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.workload import Workload

HERE, THERE = b"here", b"there"
UNIONS: dict[str, tuple[Any, Any]] = {
    "hash": (lambda key, element: [b"HSET", key, element, b"v"], lambda found: set(dict(found))),
    "set": (lambda key, element: [b"SADD", key, element], set),
    "zset": (lambda key, element: [b"ZADD", key, b"1", element], lambda found: set(dict(found))),
}
COUNTERS: dict[str, tuple[Any, Any]] = {
    "string": (lambda key, by: [b"INCRBY", key, by], int),
    "hash": (lambda key, by: [b"HINCRBY", key, b"n", by], lambda found: int(dict(found)[b"n"])),
    "zset": (lambda key, by: [b"ZINCRBY", key, by, b"n"], lambda found: dict(found)[b"n"]),
}
WHOLE: dict[str, Any] = {
    "string": lambda key, value: [b"SET", key, value],
    "list": lambda key, value: [b"RPUSH", key, value],
    "stream": lambda key, value: [b"XADD", key, b"*", b"f", value],
}


class Parted:
    """Two datacenters of three racks, cut off from each other."""

    def __init__(self, seed: int) -> None:
        self.simulation = Simulation(layout([1, 1, 1], [1, 1, 1]), seed)
        self.rng = Random(seed)
        self.simulation.start()
        self.sides = [
            [
                name
                for name, node in self.simulation.nodes.items()
                if node.engine.node.datacenter == datacenter
            ]
            for datacenter in ("dc1", "dc2")
        ]
        for node in self.simulation.nodes.values():
            node.skew_ms = self.rng.randint(-300, 300)

    def part(self) -> None:
        self.simulation.isolate(self.sides[0])
        self.simulation.run_for(2.0)

    def write(self, side: int, request: list[bytes]) -> None:
        name = self.rng.choice(self.sides[side])
        assert not self.simulation.ask(name, Level.DC_QUORUM, *request).startswith(b"-")

    def heal(self) -> None:
        self.simulation.network.heal()
        self.simulation.run_for(5.0)

    def told(self, type_: str, key: bytes) -> Any:
        """What every node says that `key` holds."""
        replies = [
            read(type_, parsed(self.simulation.ask(name, Level.DC_ONE, *READS[type_](key))))
            for name in self.simulation.nodes
        ]
        assert all(reply == replies[0] for reply in replies), replies
        return replies[0]


@pytest.mark.parametrize("seed", range(3))
def test_two_parted_datacenters_write_every_type_and_end_with_equal_records_all_elements_and_exact_counters(
    seed: int,
) -> None:
    parted = Parted(seed)
    parted.write(0, [b"SADD", b"removed:set", b"gone", b"stays"])
    parted.part()

    for number in range(4):
        for side, mark in enumerate((HERE, THERE)):
            for type_, (add, _) in UNIONS.items():
                parted.write(side, add(b"union:" + type_.encode(), b"%b%d" % (mark, number)))
            for type_, (count, _) in COUNTERS.items():
                parted.write(side, count(b"counter:" + type_.encode(), b"%d" % (10**side)))
            for type_, put in WHOLE.items():
                parted.write(side, put(b"whole:" + type_.encode(), mark))
    parted.write(1, [b"SREM", b"removed:set", b"gone"])
    parted.heal()

    assert verdict(parted.simulation, Workload(parted.simulation, parted.rng)) == []  # equal records
    for type_, (_, elements_of) in UNIONS.items():
        everything = {b"%b%d" % (mark, number) for mark in (HERE, THERE) for number in range(4)}
        assert elements_of(parted.told(type_, b"union:" + type_.encode())) == everything
    for type_, (_, number_in) in COUNTERS.items():
        assert number_in(parted.told(type_, b"counter:" + type_.encode())) == 44
    assert parted.told("set", b"removed:set") == {b"stays"}


@pytest.mark.parametrize("seed", range(3))
def test_a_string_a_list_or_a_stream_is_that_of_the_datacenter_that_wrote_last(seed: int) -> None:
    parted = Parted(seed)
    parted.part()

    for side, mark in [(0, HERE), (1, THERE), (0, HERE)]:
        for type_, put in WHOLE.items():
            parted.write(side, put(type_.encode(), mark))
        parted.simulation.run_for(1.0)
    parted.heal()

    assert verdict(parted.simulation, Workload(parted.simulation, parted.rng)) == []
    assert parted.told("string", b"string") == HERE
    assert parted.told("list", b"list") == (HERE, HERE)
    assert [fields for _, fields in parted.told("stream", b"stream")] == [(b"f", HERE)] * 2
