"""A network of one's own: hosts as network namespaces on one bridge, and the faults that a network has.

`enter` starts this program again in namespaces of its own (network, mounts, processes), so that nothing of it
is left on the machine, whatever ends it. It needs Linux and the `ip` of iproute2, and is root or may make
user namespaces. A cut is an entry in the sender's neighbour table that leads nowhere: packets vanish
silently, one way, and no firewall is needed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

import trio
from attrs import define, field

Pair = tuple[int, int]
"""(from, to)."""
_INSIDE = "TRIO_DYNOMITE_CHAOS_INSIDE"
_NOWHERE = "02:00:00:00:00:01"
_BRIDGE = "lab"
_PREFIX = "10.77.0."
OURS = f"{_PREFIX}254"
"""The address from which clients connect; it is never cut off."""


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["unshare", *user, *spaces]


def why_not() -> str | None:
    """Why this machine cannot have such a network; None when it can."""
    missing = [tool for tool in ("unshare", "ip", "ss", "mount") if shutil.which(tool) is None]
    if missing:
        return f"there is no {missing[0]} on this machine"
    tried = subprocess.run(
        [*_unshare(), "sh", "-ec", "mount -t tmpfs none /run; mkdir /run/netns; ip netns add probe"],
        capture_output=True,
        text=True,
    )
    return None if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


def is_inside() -> bool:
    """Has `enter` been here?"""
    return os.environ.get(_INSIDE) is not None


def enter(module: str, arguments: list[str]) -> None:
    """Go on as `python -m module` inside; returns only in there. It ends with the process that started it."""
    if os.environ.get(_INSIDE) is None:
        os.environ[_INSIDE] = "1"
        command = [*_unshare(), sys.executable, "-m", module, *arguments]
        os.execvp(command[0], command)


def run(*commands: str) -> None:
    """Run commands that must work."""
    for command in commands:
        subprocess.run(command.split(), check=True)


@define(eq=False)
class Cuts:
    """Who is cut off from whom, of hosts 1 to `count`."""

    count: int
    _cuts: dict[Pair, int] = field(factory=dict)
    """(from, to) → by how many faults. Faults may overlap, and a cut is mended when the last one ends."""

    async def cut(self, pairs: Iterable[Pair]) -> None:
        """Of each pair (from, to), what the first sends the second gets lost from now on."""
        for pair in pairs:
            self._cuts[pair] = self._cuts.get(pair, 0) + 1
            if self._cuts[pair] == 1:
                await self._cut_one(pair)

    async def mend(self, pairs: Iterable[Pair]) -> None:
        """The end of a `cut`."""
        for pair in pairs:
            self._cuts[pair] -= 1
            if not self._cuts[pair]:
                await self._mend_one(pair)

    def is_cut(self, pair: Pair) -> bool:
        """Does nothing pass from the first to the second?"""
        return self._cuts.get(pair, 0) > 0

    def is_touched(self, hosts: Iterable[int]) -> bool:
        """Is any of these hosts cut off from anybody?"""
        some = set(hosts)
        return any(count and some & set(pair) for pair, count in self._cuts.items())

    async def _cut_one(self, pair: Pair) -> None:
        raise NotImplementedError

    async def _mend_one(self, pair: Pair) -> None:
        raise NotImplementedError


@define(eq=False)
class Lab(Cuts):
    """Hosts 1 to `count`, each with an address."""

    has_small_disks = True
    """Hosts may have file systems of their own, which can be filled."""
    can_delay = False

    def up(self) -> None:
        """Make the network."""
        run(
            "mount -t tmpfs none /run",
            "mkdir /run/netns",
            "ip link set lo up",
            f"ip link add {_BRIDGE} type bridge",
            f"ip link set {_BRIDGE} up",
            f"ip address add {OURS}/24 dev {_BRIDGE}",
        )
        for host in range(1, self.count + 1):
            run(
                f"ip netns add host{host}",
                f"ip link add veth{host} type veth peer name eth0 netns host{host}",
                f"ip link set veth{host} master {_BRIDGE} up",
                f"ip -n host{host} address add {self.address(host)}/24 dev eth0",
                f"ip -n host{host} link set eth0 up",
                f"ip -n host{host} link set lo up",
            )

    @staticmethod
    def address(host: int) -> str:
        """Of a host."""
        return f"{_PREFIX}{host}"

    @staticmethod
    def prefix(host: int) -> tuple[str, ...]:
        """What a command begins with that shall run on a host; it becomes that process itself."""
        return ("ip", "netns", "exec", f"host{host}")

    @classmethod
    def announced(cls, host: int) -> str:
        """Where other nodes find it."""
        return cls.address(host)

    async def serve(self, nursery: trio.Nursery) -> None:
        """The kernel does."""

    async def delay(self, pairs: Iterable[Pair], seconds: float) -> None:
        """Not here."""
        raise NotImplementedError

    async def _cut_one(self, pair: Pair) -> None:
        await self._neighbour(*pair, "replace", "lladdr", _NOWHERE, "nud", "permanent")

    async def _mend_one(self, pair: Pair) -> None:
        await self._neighbour(*pair, "del")

    async def _neighbour(self, sender: int, receiver: int, act: str, *more: str) -> None:
        command = ["ip", "-n", f"host{sender}", "neigh", act, self.address(receiver), "dev", "eth0", *more]
        await trio.run_process(command)

    async def reset(self, host: int, other: int) -> None:
        """Reset (RST) all connections between two hosts."""
        command = [*self.prefix(host), "ss", "-K", "state", "connected", "dst", self.address(other)]
        await trio.run_process(command, capture_stdout=True, capture_stderr=True)
