"""What is done to the cluster: processes killed and frozen, links cut, disks filled, clocks set.

A fault picks its victims, lasts a while and is undone. Several may overlap. A node that keeps its data in
memory forgets it when it is killed, and one lost copy of a datacenter is all that a majority of three
survives: so such a node is killed only while all three know the same (`_is_whole`), and everything else may
happen meanwhile.
"""

from __future__ import annotations

import errno
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import trio
from attrs import define, field

from tests.chaos.cluster import DATACENTERS, Cluster, Host
from tests.chaos.deadlines import JUMP_S
from tests.chaos.lab import Pair
from tests.chaos.wire import LostError

_READY_S = 60.0
_WHOLE_S = 40.0
_CHUNK = b"\0" * (1 << 20)


@define(eq=False)
class Faults:
    """All faults of a run, and how often each was done."""

    cluster: Cluster
    rng: random.Random
    say: Callable[[str], None]
    counts: Counter[str] = field(factory=Counter)
    seconds: Counter[str] = field(factory=Counter)
    left_out: Counter[str] = field(factory=Counter)
    """Faults whose condition was not met."""
    surprises: list[str] = field(factory=list)
    _busy: set[int] = field(factory=set)
    """Hosts whose process something is done to."""
    _mended_s: float = 0.0
    """When the last fault ended."""
    _calm: trio.Event = field(factory=trio.Event)
    """Not set while somebody waits for a datacenter to be whole: no fault begins then."""

    def __attrs_post_init__(self) -> None:
        self._calm.set()

    def all(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """By name; each says whether it did anything."""
        faults: dict[str, Callable[[], Awaitable[bool]]] = {
            "kill -9, data in memory": lambda: self._kill(on_disk=False),
            "kill -9, data on disk": lambda: self._kill(on_disk=True),
            "freeze (SIGSTOP)": self._freeze,
            "cut between two nodes": lambda: self._between_two(both=True),
            "one-way cut": lambda: self._between_two(both=False),
            "node cut off": lambda: self._alone(hears=False, speaks=False),
            "node that hears nobody": lambda: self._alone(hears=False, speaks=True),
            "node that nobody hears": lambda: self._alone(hears=True, speaks=False),
            "flapping link": self._flap,
            "links cut and mended in turn": self._swizzle,
            "datacenters split": self._split,
            "connections reset": self._reset,
            "slow link": self._slow,
            "disk full": self._fill,
            "clock set": self._jump,
        }
        if not any(host.clock for host in self.cluster):
            del faults["clock set"]
        if not self.cluster.lab.has_small_disks:
            del faults["disk full"]
        if not self.cluster.lab.can_delay:
            del faults["slow link"]
        return faults

    async def do(self, name: str, fault: Callable[[], Awaitable[bool]]) -> None:
        """One fault from beginning to end."""
        while not self._calm.is_set():
            await self._calm.wait()
        began_s = trio.current_time()
        if await fault():
            self.counts[name] += 1
            self.seconds[name] += round(trio.current_time() - began_s)
        else:
            self.left_out[name] += 1
        self._mended_s = trio.current_time()

    async def _last(self, least_s: float = 0.5, most_s: float = 6.0) -> None:
        await trio.sleep(self.rng.uniform(least_s, most_s))

    # Processes

    async def _kill(self, *, on_disk: bool) -> bool:
        host = self._idle(lambda host: (host.disk is not None) is on_disk)
        if host is None:
            return False
        self._busy.add(host.number)
        try:
            if not on_disk and not await self._wait_whole(host.node.datacenter):
                return False
            self.say(f"kill {host.name}")
            host.node.kill()
            await self._last(0.1, 5.0)
            await self.start(host)
        finally:
            self._busy.discard(host.number)
        return True

    async def start(self, host: Host) -> None:
        """Start a node that is not running, and wait until it serves."""
        self.say(f"start {host.name}")
        host.node.start()
        with trio.move_on_after(_READY_S) as waiting:
            while host.node.is_running and not await self._is_serving(host):
                await trio.sleep(0.1)
        if waiting.cancelled_caught:
            self.surprises.append(f"{host.name} did not serve within {_READY_S:.0f} s of its start")
        self.say(f"{host.name} serves")

    async def _is_serving(self, host: Host) -> bool:
        try:
            return (await host.info())["state"] == "NORMAL"
        except LostError:
            return False

    async def _freeze(self) -> bool:
        host = self._idle(lambda host: True)
        if host is None:
            return False
        self._busy.add(host.number)
        try:
            self.say(f"freeze {host.name}")
            host.node.freeze()
            await self._last(0.3, 6.0)
            host.node.thaw()
            self.say(f"thaw {host.name}")
        finally:
            self._busy.discard(host.number)
        return True

    def _idle(self, fits: Callable[[Host], bool]) -> Host | None:
        """Somebody whose process nothing is done to, nor to another of its datacenter."""
        busy = {self.cluster.hosts[number].node.datacenter for number in self._busy}
        found = [host for host in self.cluster if fits(host) and host.node.datacenter not in busy]
        return self.rng.choice(found) if found else None

    async def _wait_whole(self, datacenter: str) -> bool:
        """Keep other faults from beginning until a datacenter is whole; was it in time?"""
        self._calm = trio.Event()
        try:
            with trio.move_on_after(_WHOLE_S):
                while not await self._is_whole(datacenter):
                    await trio.sleep(0.1)
                return True
            return False
        finally:
            self._calm.set()

    async def _is_whole(self, datacenter: str) -> bool:
        """Do all of a datacenter know the same: up, no hints, compared since the last fault?"""
        hosts = self.cluster.of(datacenter)
        if self.cluster.lab.is_touched(host.number for host in hosts):
            return False
        since_s = trio.current_time() - self._mended_s
        try:
            infos = [await host.info() for host in hosts]
        except LostError:
            return False
        return all(
            knows(info, peer.name, since_s)
            for host, info in zip(hosts, infos, strict=True)
            for peer in hosts
            if peer is not host
        )

    # Links

    async def _cut_for_a_while(self, what: str, pairs: Iterable[Pair]) -> bool:
        pairs = list(pairs)
        self.say(f"{what}: {pairs}")
        await self.cluster.lab.cut(pairs)
        await self._last()
        await self.cluster.lab.mend(pairs)
        self.say(f"mended: {what}")
        return True

    def _two(self) -> Pair:
        first, second = self.rng.sample(sorted(self.cluster.hosts), 2)
        return first, second

    async def _between_two(self, *, both: bool) -> bool:
        pair = self._two()
        return await self._cut_for_a_while("cut", [pair, pair[::-1]] if both else [pair])

    async def _alone(self, *, hears: bool, speaks: bool) -> bool:
        me, *_ = self._two()
        others = [number for number in self.cluster.hosts if number != me]
        pairs = [] if hears else [(other, me) for other in others]
        pairs += [] if speaks else [(me, other) for other in others]
        return await self._cut_for_a_while(f"node{me} hears={hears} speaks={speaks}", pairs)

    async def _flap(self) -> bool:
        pair = self._two()
        self.say(f"flapping: {pair}")
        for _ in range(self.rng.randint(3, 8)):
            await self.cluster.lab.cut([pair, pair[::-1]])
            await self._last(0.1, 1.0)
            await self.cluster.lab.mend([pair, pair[::-1]])
            await self._last(0.1, 0.7)
        return True

    async def _swizzle(self) -> bool:
        pairs = list(itertools.combinations(self.cluster.hosts, 2))
        some = self.rng.sample(pairs, self.rng.randint(3, 8))
        self.say(f"cut in turn: {some}")
        for pair in some:
            await self.cluster.lab.cut([pair, pair[::-1]])
            await self._last(0.0, 0.5)
        self.rng.shuffle(some)
        for pair in some:
            await self.cluster.lab.mend([pair, pair[::-1]])
            await self._last(0.0, 0.7)
        return True

    async def _slow(self) -> bool:
        pairs = [pair := self._two(), pair[::-1]][: self.rng.randint(1, 2)]
        delay_s = self.rng.uniform(0.02, 0.5)
        self.say(f"slow by {delay_s:.2f} s: {pairs}")
        await self.cluster.lab.delay(pairs, delay_s)
        await self._last()
        await self.cluster.lab.delay(pairs, 0.0)
        return True

    async def _split(self) -> bool:
        west, east = ([host.number for host in self.cluster.of(name)] for name in DATACENTERS)
        ways = [[*itertools.product(west, east)], [*itertools.product(east, west)]]
        chosen = self.rng.choice([ways[0], ways[1], ways[0] + ways[1], ways[0] + ways[1]])
        return await self._cut_for_a_while("split", chosen)

    async def _reset(self) -> bool:
        for _ in range(self.rng.randint(1, 5)):
            first, second = self._two()
            self.say(f"reset: {first} {second}")
            await self.cluster.lab.reset(first, second)
            await self._last(0.0, 0.3)
        return True

    # Disks and clocks

    async def _fill(self) -> bool:
        host = self._idle(lambda host: host.disk is not None)
        if host is None or host.disk is None:
            return False
        self._busy.add(host.number)
        ballast = host.disk / "ballast"
        try:
            self.say(f"fill the disk of {host.name}")
            await trio.to_thread.run_sync(_fill, ballast)
            await self._last(2.0, 6.0)
            ballast.unlink()
            self.say(f"room on the disk of {host.name}, which is running={host.node.is_running}")
            if not host.node.is_running:
                await self.start(host)
        finally:
            self._busy.discard(host.number)
        return True

    async def _jump(self) -> bool:
        host = self.cluster.hosts[self._two()[0]]
        ahead_s = self.rng.choice([-JUMP_S, JUMP_S])
        self.say(f"clock of {host.name}: {ahead_s:+d} s")
        host.set_clock(ahead_s)
        await self._last(2.0, 8.0)
        host.set_clock(0)
        return True


def knows(info: dict[str, str], peer: str, since_s: float) -> bool:
    """Does a node see this peer up, owe it nothing, and has it found since then that both know the same?"""
    facts = dict(word.split("=", 1) for word in info[f"peer_{peer}"].split(","))
    agreed = facts["agreed_s_ago"]
    is_up = (facts["liveness"], facts["state"], facts["hints"]) == ("up", "NORMAL", "0")
    return is_up and agreed != "never" and float(agreed) < since_s


def _fill(ballast: Path) -> None:
    """Write until there is no room."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_CHUNK)
        except OSError as why:
            if why.errno != errno.ENOSPC:
                raise
