"""What is measured, and what it may cost: every scenario with its targets.

Ratios are CPU time per operation over redis-server's under the same load in the same round.
"""

import enum
import itertools
from collections.abc import Iterator

from attrs import evolve, frozen

from benchmarks.fill import Fill
from benchmarks.load import RANDOM_KEYS, Load, Work
from benchmarks.operations import COMMANDS, GET, SET, STRINGS, Operation
from trio_dynomite.model import Level


class Share(enum.Enum):
    """Whose CPU time a ratio counts."""

    SERVING = "serving node"
    REPLICA = "each replica"
    ALL = "all nodes"


class Keys(enum.Enum):
    """Which keys the load touches, and so which node does the work."""

    ANY = "any node"
    """Random keys sent to one node, as a plain client does: it forwards what others are primary for."""
    PRIMARY = "token-aware"
    """Keys of one hash tag, sent to the primary of its slot, as a token-aware client does."""
    OWNERS = "token-aware, all nodes"
    """Keys of every node, each sent to its primary (redis-benchmark --cluster): all nodes count."""


@frozen(kw_only=True)
class Shape:
    """A cluster to start: one node in each of `racks` racks, reading and writing at `level`."""

    name: str
    racks: int
    level: Level


@frozen
class Limit:
    """A target: the ratio of this share must not be above `ratio`."""

    share: Share
    ratio: float


class Part(enum.Enum):
    """A part of the scenarios, which is a table of the results and can be chosen with `--only`."""

    STRINGS = "strings"
    COMMANDS = "commands"


@frozen(kw_only=True)
class Scenario:
    """One row of the results."""

    part: Part
    shape: Shape
    keys: Keys
    op: Operation
    value_bytes: int
    in_flight: int

    @property
    def name(self) -> str:
        """What `--only` is matched with: `3-racks-quorum/token-aware/SET/32/16`."""
        keys = self.keys.value.replace(", ", "-").replace(" ", "-")
        return f"{self.shape.name}/{keys}/{self.op.name}/{self.value_bytes}/{self.in_flight}"

    @property
    def group(self) -> tuple[Part, Shape, Keys]:
        """Scenarios of one group are measured on the same servers."""
        return self.part, self.shape, self.keys

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The targets that judge this row; empty where there is none."""
        return _limits(self)

    def work(self, tag: str) -> Work:
        """The load on redis-server; `tag` is a hash tag of a slot whose primary, with us, is under test."""
        return self.op.work(self._key(tag), self.value_bytes, self.in_flight)

    def our_work(self, tag: str) -> Work:
        """The load on our node: the same, but that it may go to all nodes at once."""
        work = self.work(tag)
        return self._on_all(work) if self.keys is Keys.OWNERS and isinstance(work, Load) else work

    def fill(self, tag: str, operations: int) -> Fill:
        """What must be there before a run of so many `operations`."""
        return self.op.fill_for(self._key(tag), self.value_bytes, operations)

    def fill_of_all(self, tag: str) -> Load | None:
        """Where the load goes to all nodes, random keys of each, whose tags only redis-benchmark knows."""
        work = SET.work(self._key(tag), self.value_bytes, 16)
        return self._on_all(work) if self.keys is Keys.OWNERS and isinstance(work, Load) else None

    def _on_all(self, work: Load) -> Load:
        return evolve(work, cluster=True, random_keys=RANDOM_KEYS // self.shape.racks)

    def _key(self, tag: str) -> str:
        return {Keys.ANY: "key", Keys.PRIMARY: f"{{{tag}}}", Keys.OWNERS: "key:{tag}"}[self.keys]


ONE_NODE = Shape(name="1-node", racks=1, level=Level.DC_ONE)
RACKS_ONE = Shape(name="3-racks-one", racks=3, level=Level.DC_ONE)
RACKS_QUORUM = Shape(name="3-racks-quorum", racks=3, level=Level.DC_QUORUM)
SHAPES = (ONE_NODE, RACKS_ONE, RACKS_QUORUM)


def _limits(scenario: Scenario) -> tuple[Limit, ...]:
    if scenario.part is not Part.STRINGS or scenario.keys is not Keys.PRIMARY:
        return ()
    unpipelined = scenario.in_flight == 1
    local = scenario.shape is ONE_NODE or (scenario.shape is RACKS_ONE and scenario.op is GET)
    if local:
        return (Limit(Share.SERVING, 1.5 if unpipelined else 3.0),)
    if scenario.shape is RACKS_QUORUM and scenario.op is SET:
        if unpipelined:
            return (Limit(Share.SERVING, 2.3), Limit(Share.REPLICA, 0.5))
        return (Limit(Share.ALL, 8.0),)
    return ()


def every() -> Iterator[Scenario]:
    """All scenarios; those of one group stand together."""
    yield from _strings()
    yield from _commands()


def _strings() -> Iterator[Scenario]:
    for shape in SHAPES:
        # On one node every key is its own; all nodes at once are measured with one value size.
        choices = (Keys.PRIMARY,) if shape.racks == 1 else tuple(Keys)
        for keys in choices:
            sizes = (32,) if keys is Keys.OWNERS else (32, 1024)
            for size, op, in_flight in itertools.product(sizes, STRINGS, (1, 16)):
                yield Scenario(
                    part=Part.STRINGS, shape=shape, keys=keys, op=op, value_bytes=size, in_flight=in_flight
                )


def _commands() -> Iterator[Scenario]:
    for shape, op, in_flight in itertools.product((ONE_NODE, RACKS_QUORUM), COMMANDS, (1, 16)):
        yield Scenario(
            part=Part.COMMANDS, shape=shape, keys=Keys.PRIMARY, op=op, value_bytes=32, in_flight=in_flight
        )


def select(only: str | None) -> list[Scenario]:
    """The scenarios of the part `only`, or whose name contains it (all of them for None), in order."""
    return [
        scenario
        for scenario in every()
        if only is None or only == scenario.part.value or only in scenario.name
    ]
