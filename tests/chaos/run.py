"""A run: load from all sides, faults, then peace; and the verdict with its tables."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import trio
from attrs import define, field

from tests.chaos.cluster import DATACENTERS, Cluster, Host
from tests.chaos.deadlines import Deadlines
from tests.chaos.faults import Faults
from tests.chaos.lab import Lab
from tests.chaos.loads import Elements, Load, Pieces, Tallies
from tests.chaos.registers import Registers
from tests.chaos.relay import RelayLab
from tests.chaos.wire import Client, LostError, Outcome

_MISTAKES = ("command.failed", "peer.protocol_error", "broke the peer protocol", "by a mistake in the node")
_CLIENTS_A_DATACENTER = 6
_PAUSE_S = 0.02
_START_S = 60.0
"""Six nodes start at once, on a machine that may be busy."""
_CONVERGE_S = 60.0
_EXPIRY_ENDS_S = 8.0


@define(eq=False)
class Run:
    """One run of a seed."""

    directory: Path
    seconds: float
    seed: int
    echo: Callable[[str], None]
    lanes: int = 2
    """How many faults at once."""
    are_all_on_disk: bool = False
    has_relay: bool = False
    """Nodes reach each other through a relay of ours, and not each in a network namespace."""
    rng: random.Random = field(init=False)
    cluster: Cluster = field(init=False)
    faults: Faults = field(init=False)
    loads: list[Load] = field(factory=list)
    outcomes: dict[str, Counter[Outcome]] = field(factory=dict)
    """By load."""
    reasons: Counter[str] = field(factory=Counter)
    surprises: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)
    """Promises."""
    converged_s: float = float("nan")
    collected: int = 0
    """Tombstones, by the nodes' last lives."""
    happened: list[str] = field(factory=list)
    _began_s: float = 0.0
    _is_over: bool = False

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.cluster = Cluster(
            self.directory, RelayLab(6) if self.has_relay else Lab(6), self.are_all_on_disk
        )
        self.faults = Faults(self.cluster, random.Random(self.seed + 1), self.say)

    def say(self, text: str) -> None:
        """Note what happens, with the time."""
        line = f"{trio.current_time() - self._began_s:7.2f} {text}"
        self.happened.append(line)
        self.echo(line)

    async def run(self) -> None:
        """All of it; `broken` tells what was wrong."""
        self._began_s = trio.current_time()
        self.cluster.lab.up()
        self.cluster.make()
        try:
            async with trio.open_nursery() as services:
                await self.cluster.lab.serve(services)
                await self._live()
                services.cancel_scope.cancel()
        finally:
            self.cluster.end()

    async def _live(self) -> None:
        await self._begin()
        async with trio.open_nursery() as nursery:
            self._start_clients(nursery)
            await self._torment()
            self._is_over = True
        await self._converge()
        await self._judge()

    async def _begin(self) -> None:
        for host in self.cluster:
            host.node.start()
        for host in self.cluster:
            await trio.to_thread.run_sync(host.node.wait_ready, _START_S)
        self.say("all nodes serve")

    # The load

    def _start_clients(self, nursery: trio.Nursery) -> None:
        everywhere: list[Load] = [Elements(name, self.rng) for name in ("SADD", "HSET", "ZADD")]
        everywhere += [Tallies(name, self.rng) for name in ("INCRBY", "HINCRBY", "ZINCRBY")]
        self.loads += everywhere
        for datacenter in DATACENTERS:
            own: list[Load] = [Pieces(name, datacenter) for name in ("LPUSH", "APPEND", "XADD")]
            own += [Registers(datacenter, self.rng), Deadlines(datacenter, self.rng, trio.current_time)]
            self.loads += own
            for _ in range(_CLIENTS_A_DATACENTER):
                # Registers more than once: most of their steps are reads.
                nursery.start_soon(self._client, datacenter, [*everywhere, *own, own[3], own[3], own[3]])

    async def _client(self, datacenter: str, loads: list[Load]) -> None:
        addresses = [host.address for host in self.cluster.of(datacenter)]
        client = Client(addresses, self.rng, surprises=self.surprises)
        while not self._is_over:
            load = self.rng.choice(loads)
            client.count = self._counter(load)
            await load.step(client)
            if self.rng.random() < 0.01:
                await client.close()
            await trio.sleep(self.rng.uniform(0, 2 * _PAUSE_S))
        await client.close()

    def _counter(self, load: Load) -> Callable[[Outcome, str], None]:
        counts = self.outcomes.setdefault(load.name, Counter())

        def count(outcome: Outcome, why: str) -> None:
            counts[outcome] += 1
            self.reasons[why] += outcome is not Outcome.ACKED

        return count

    # The faults

    async def _torment(self) -> None:
        await trio.sleep(2)
        until_s = trio.current_time() + self.seconds
        async with trio.open_nursery() as nursery:
            for _ in range(self.lanes):
                nursery.start_soon(self._lane, until_s)
            await trio.sleep_until(until_s - _EXPIRY_ENDS_S)
            for load in self.loads:
                if isinstance(load, Deadlines):
                    load.is_ending = True

    async def _lane(self, until_s: float) -> None:
        """One fault after the other, all kinds before one comes again; lanes overlap."""
        faults, rng = self.faults.all(), self.faults.rng
        left: list[str] = []
        while trio.current_time() < until_s:
            if not left:
                left = list(faults)
                rng.shuffle(left)
            name = left.pop()
            await self.faults.do(name, faults[name])
            await trio.sleep(rng.uniform(0.2, 3.0))

    # Afterwards

    async def _converge(self) -> None:
        """Every node serves, and all copies are equal."""
        began_s = trio.current_time()
        self.say("peace")
        for host in self.cluster:
            if not host.node.is_running:
                await self.faults.start(host)
        with trio.move_on_after(_CONVERGE_S) as waiting:
            while len(set(await self._digests())) != 1:
                await trio.sleep(0.2)
        if waiting.cancelled_caught:
            self.broken.append(f"DIVERGED: not equal within {_CONVERGE_S:.0f} s: {await self._differing()}")
        else:
            self.converged_s = trio.current_time() - began_s
        self.say(f"equal after {self.converged_s:.1f} s")

    async def _digests(self) -> list[object]:
        """Of every node's own copy; who gives none counts as different."""
        digests: list[object] = []

        async def ask(host: Host) -> None:
            try:
                digests.append(await host.ask("DEBUG", "DIGEST"))
            except LostError:
                digests.append(host.name)

        async with trio.open_nursery() as nursery:
            for host in self.cluster:
                nursery.start_soon(ask, host)
        return digests

    async def _differing(self) -> dict[str, list[object]]:
        """Keys that nodes hold differently, with what each tells of one."""
        found: dict[str, list[object]] = {}
        for key in sorted({key for load in self.loads for key in load.names()}):
            told = [
                [*await host.ask("DEBUG", "DIGEST-VALUE", key), await host.ask("PEXPIRETIME", key)]
                for host in self.cluster
            ]
            if any(one != told[0] for one in told):
                found[key] = [*told]
        return dict(list(found.items())[:5])

    async def _judge(self) -> None:
        self.broken += [f"SURPRISE: {text}" for text in [*self.surprises, *self.faults.surprises]]
        for load in self.loads:
            if isinstance(load, Registers | Deadlines):
                self.broken += load.wrong
        for host in self.cluster:
            for load in self.loads:
                found = await load.check(host)
                self.broken += [f"{host.name}: {wrong}" for wrong in found]
            self.broken += [f"{host.name}: {wrong}" for wrong in await self._mistakes(host)]

    async def _mistakes(self, host: Host) -> list[str]:
        lines = host.node.log_text().splitlines()
        wrong = [line for line in lines if any(mistake in line for mistake in _MISTAKES)]
        info = await host.info()
        self.collected += int(info["tombstones_collected"])
        return wrong + [
            f"{name}:{info[name]}" for name in ("internal_errors", "digests_drifted") if info[name] != "0"
        ]
