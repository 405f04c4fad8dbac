"""What is measured, and what it may cost: every scenario with its targets.

Ratios are CPU time per operation over redis-server's under the same load in the same round.
"""

import enum
import itertools
from collections.abc import Iterator

from attrs import evolve, frozen

from benchmarks.load import RANDOM_KEYS, Load
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


@frozen(kw_only=True)
class Scenario:
    """One row of the results."""

    shape: Shape
    keys: Keys
    op: str
    value_bytes: int
    in_flight: int

    @property
    def name(self) -> str:
        """What `--only` is matched with: `3-racks-quorum/token-aware/SET/32/16`."""
        keys = self.keys.value.replace(", ", "-").replace(" ", "-")
        return f"{self.shape.name}/{keys}/{self.op}/{self.value_bytes}/{self.in_flight}"

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The targets that judge this row; empty where there is none."""
        return _limits(self)

    def load(self, tag: str) -> Load:
        """The load on our node; `tag` is a hash tag of a slot whose primary is under test."""
        patterns = {
            Keys.ANY: "key:__rand_int__",
            Keys.PRIMARY: f"{{{tag}}}:__rand_int__",
            Keys.OWNERS: "key:{tag}:__rand_int__",
        }
        work = Load(
            op=self.op, key=patterns[self.keys], value_bytes=self.value_bytes, in_flight=self.in_flight
        )
        if self.keys is Keys.OWNERS:
            return evolve(work, cluster=True, random_keys=RANDOM_KEYS // self.shape.racks)
        return work


ONE_NODE = Shape(name="1-node", racks=1, level=Level.DC_ONE)
RACKS_ONE = Shape(name="3-racks-one", racks=3, level=Level.DC_ONE)
RACKS_QUORUM = Shape(name="3-racks-quorum", racks=3, level=Level.DC_QUORUM)
SHAPES = (ONE_NODE, RACKS_ONE, RACKS_QUORUM)


def _limits(scenario: Scenario) -> tuple[Limit, ...]:
    if scenario.keys is not Keys.PRIMARY:
        return ()
    unpipelined = scenario.in_flight == 1
    local = scenario.shape is ONE_NODE or (scenario.shape is RACKS_ONE and scenario.op == "GET")
    if local:
        return (Limit(Share.SERVING, 1.5 if unpipelined else 3.0),)
    if scenario.shape is RACKS_QUORUM and scenario.op == "SET":
        if unpipelined:
            return (Limit(Share.SERVING, 2.3), Limit(Share.REPLICA, 0.5))
        return (Limit(Share.ALL, 8.0),)
    return ()


def every() -> Iterator[Scenario]:
    """All scenarios; those of one shape, choice of keys and value size stand together."""
    for shape in SHAPES:
        # On one node every key is its own; all nodes at once are measured with one value size.
        choices = (Keys.PRIMARY,) if shape.racks == 1 else tuple(Keys)
        for keys in choices:
            sizes = (32,) if keys is Keys.OWNERS else (32, 1024)
            for size, op, in_flight in itertools.product(sizes, ("SET", "GET"), (1, 16)):
                yield Scenario(shape=shape, keys=keys, op=op, value_bytes=size, in_flight=in_flight)


def select(only: str | None) -> list[Scenario]:
    """The scenarios whose name contains `only` (all of them for None), in order."""
    return [scenario for scenario in every() if only is None or only in scenario.name]
