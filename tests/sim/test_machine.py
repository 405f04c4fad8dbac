"""A Hypothesis state machine over a simulated cluster: it chooses commands and faults, and shrinks.

The model knows, per key, every value that a reader may find: the last acknowledged one, and those whose
outcome is unknown. One node at a time is away, as a quorum of three promises to survive.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from trio_dynomite.model import Level, NodeState
from trio_dynomite.testing.asking import DURABLE
from trio_dynomite.testing.contents import parsed
from trio_dynomite.testing.judge import verdict
from trio_dynomite.testing.layouts import layout
from trio_dynomite.testing.simulation import Simulation
from trio_dynomite.testing.workload import Workload

NODES = ["d1r1n1", "d1r2n1", "d1r3n1"]
KEYS = [b"a", b"b", b"c"]
names, keys = st.sampled_from(NODES), st.sampled_from(KEYS)
levels = st.sampled_from(DURABLE)


class ClusterMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**16), skews=st.tuples(*[st.integers(-300, 300)] * 3))
    def begin(self, seed: int, skews: tuple[int, ...]) -> None:
        self.simulation = Simulation(layout([1, 1, 1]), seed)
        for node, skew_ms in zip(self.simulation.nodes.values(), skews, strict=True):
            node.skew_ms = skew_ms
        self.simulation.start()
        self.allowed: dict[bytes, set[bytes | None]] = {key: {None} for key in KEYS}
        self.number = 0
        self.away = ""

    def ask(self, name: str, level: Level, *args: bytes) -> bytes:
        return self.simulation.ask(name, level, *args, within_s=8)

    def judge_write(self, key: bytes, value: bytes | None, reply: bytes) -> None:
        if reply.startswith(b"-UNKNOWN"):
            self.allowed[key] |= {value}
        elif not reply.startswith(b"-"):
            self.allowed[key] = {value}

    @rule(name=names, key=keys, level=levels, kind=st.sampled_from(["set", "delete", "append"]))
    def write(self, name: str, key: bytes, level: Level, kind: str) -> None:
        if len(self.allowed[key]) > 1:
            return  # an unknown outcome is settled by a read
        self.number += 1
        value: bytes | None = b"%d" % self.number
        if kind == "set":
            self.judge_write(key, value, self.ask(name, level, b"SET", key, value or b""))
        elif kind == "delete":
            self.judge_write(key, None, self.ask(name, level, b"DEL", key))
        else:
            (held,) = self.allowed[key]
            self.judge_write(key, (held or b"") + b",", self.ask(name, level, b"APPEND", key, b","))

    @rule(name=names, key=keys, level=levels)
    def read(self, name: str, key: bytes, level: Level) -> None:
        reply = self.ask(name, level, b"GET", key)
        if not reply.startswith(b"-"):
            assert parsed(reply) in self.allowed[key], (key, reply, self.allowed[key])

    @rule(seconds=st.sampled_from([0.001, 0.01, 0.1, 0.5, 1.5, 3.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.simulation.run_for(seconds)

    @precondition(lambda self: not self.away)
    @rule(name=names, how=st.sampled_from(["isolate", "deafen", "mute", "slow"]))
    def trouble(self, name: str, how: str) -> None:
        self.away = name
        network = self.simulation.network
        if how == "isolate":
            self.simulation.isolate([name])
        elif how == "slow":
            network.slow[name] = 0.2
        else:
            for other in NODES:
                if other != name:
                    network.cut(*((other, name) if how == "deafen" else (name, other)))

    @precondition(lambda self: not self.away)
    @rule(name=names, power=st.booleans(), seconds=st.sampled_from([0.0, 0.2, 2.0]))
    def crash_and_restart(self, name: str, power: bool, seconds: float) -> None:
        self.simulation.crash(name, power=power)
        self.simulation.run_for(seconds)
        self.simulation.restart(name)
        self.heal()

    @precondition(lambda self: not self.away)
    @rule(a=names, b=names)
    def reset(self, a: str, b: str) -> None:
        self.simulation.reset_connections(a, b)

    @rule(name=names, jump_ms=st.integers(-300, 300))
    def clock_jumps(self, name: str, jump_ms: int) -> None:
        self.simulation.nodes[name].skew_ms += jump_ms

    @rule()
    def heal(self) -> None:
        self.away = ""
        self.simulation.network.heal()
        for _ in range(100):
            self.simulation.run_for(0.1)
            if self.is_well():
                return
        raise AssertionError(f"not recovered in 10 s: {self.simulation.notes[-5:]}")

    def is_well(self) -> bool:
        engines = [node.engine for node in self.simulation.nodes.values()]
        peers = [peer for engine in engines for peer in engine.roster.peers.values()]
        return all(engine.state is NodeState.NORMAL for engine in engines) and all(
            peer.is_serving and peer.synced and not peer.hints for peer in peers
        )

    def teardown(self) -> None:
        if not hasattr(self, "simulation"):
            return
        self.heal()
        self.simulation.run_for(5)
        assert not verdict(self.simulation, Workload(self.simulation, self.simulation.rng))
        for key in KEYS:
            for name in NODES:
                assert parsed(self.ask(name, Level.DC_ONE, b"GET", key)) in self.allowed[key]


TestCluster = ClusterMachine.TestCase
EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "30"))
TestCluster.settings = settings(max_examples=EXAMPLES, stateful_step_count=15, deadline=None)
