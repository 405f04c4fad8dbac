"""Six nodes in two datacenters, three racks each, on the hosts of a lab; what each of them says of itself.

One node of each datacenter keeps its data on disk, on a small file system of its own that can be filled. The
clock of every node can be set, where libfaketime is installed.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis
from attrs import define, field

from tests.chaos.lab import Lab, run
from tests.chaos.relay import RelayLab
from tests.chaos.wire import Argument, LostError, Wire
from trio_dynomite.testing.local import LocalNode

DATACENTERS = ("dc1", "dc2")
RACKS = 3
COUNT = len(DATACENTERS) * RACKS
_CLIENT_PORT, _PEER_PORT, _ADMIN_PORT = 7000, 7001, 7002
DISK_BYTES = 320 << 20
_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


@define(eq=False)
class Host:
    """One node of the cluster and what belongs to it."""

    number: int
    node: LocalNode
    disk: Path | None
    """Where its data is; None: in memory."""
    clock: Path | None
    """The file that sets its clock."""

    @property
    def name(self) -> str:
        """Of its node."""
        return self.node.name

    @property
    def address(self) -> tuple[str, int]:
        """For clients."""
        return self.node.host, self.node.port

    def set_clock(self, ahead_s: int) -> None:
        """Put its clock so far ahead."""
        if self.clock is not None:
            beside = self.clock.with_suffix(".new")
            beside.write_text(f"{ahead_s:+d}\n")
            beside.replace(self.clock)

    async def ask(self, *args: Argument, patience_s: float = 30.0) -> Any:
        """The reply of its own copy (DC_ONE). Raises LostError, also for an error."""
        wire = await Wire.open(self.address)
        try:
            await wire.ask("DYNO_CONFIG:CONN_CONSISTENCY", "DC_ONE", patience_s=patience_s)
            reply = await wire.ask(*args, patience_s=patience_s)
        finally:
            await wire.close()
        if isinstance(reply, hiredis.ReplyError):
            raise LostError(str(reply))
        return reply

    async def info(self) -> dict[str, str]:
        """All lines of INFO."""
        text = (await self.ask("INFO", "everything", patience_s=2.0)).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


@define(eq=False)
class Cluster:
    """All of them."""

    directory: Path
    lab: Lab | RelayLab
    are_all_on_disk: bool = False
    hosts: dict[int, Host] = field(factory=dict)

    def make(self) -> None:
        """Write the configuration; start nothing yet."""
        parent_fd, _ = os.pipe()
        for number in range(1, COUNT + 1):
            self.hosts[number] = self._host(number, parent_fd)
        (self.directory / "cluster.toml").write_text(self._toml(), encoding="utf-8")

    def _host(self, number: int, parent_fd: int) -> Host:
        datacenter, rack = DATACENTERS[(number - 1) // RACKS], f"rack{(number - 1) % RACKS + 1}"
        ports = (_CLIENT_PORT, _PEER_PORT, _ADMIN_PORT)
        node = LocalNode(f"node{number}", datacenter, rack, *ports, self.directory, parent_fd)
        node.host, node.prefix = self.lab.address(number), self.lab.prefix(number)
        disk = self._disk(node) if rack == "rack3" or self.are_all_on_disk else None
        return Host(number, node, disk, self._clock(node))

    def _disk(self, node: LocalNode) -> Path:
        path = self.directory / f"{node.name}.disk"
        path.mkdir()
        if self.lab.has_small_disks:
            run(f"mount -t tmpfs -o size={DISK_BYTES} none {path}")
        node.variables["TRIO_DYNOMITE__STORAGE__ENGINE"] = "rocksdb"
        node.variables["TRIO_DYNOMITE__STORAGE__PATH"] = str(path)
        return path

    def _clock(self, node: LocalNode) -> Path | None:
        found = glob.glob(_FAKETIME)
        if not found:
            return None
        path = self.directory / f"{node.name}.clock"
        path.write_text("+0\n")
        node.variables.update(
            LD_PRELOAD=found[0],
            FAKETIME_TIMESTAMP_FILE=str(path),
            FAKETIME_CACHE_DURATION="1",
            DONT_FAKE_MONOTONIC="1",
        )
        return path

    def _toml(self) -> str:
        lines = ['[cluster]\nname = "chaos"', '[consistency]\nread = "DC_QUORUM"\nwrite = "DC_QUORUM"']
        lines += ["[access]\nallow_unprotected = true", '[repair]\ntombstone_grace = "2s"']
        for host in self:
            node = host.node
            lines += [
                f'[[nodes]]\nname = "{node.name}"\ndatacenter = "{node.datacenter}"\nrack = "{node.rack}"\n'
                f'host = "{node.host}"\nannounce_host = "{self.lab.announced(host.number)}"\n'
                f"client_port = {node.port}\npeer_port = {node.peer_port}\n"
                f"admin_port = {node.admin_port}"
            ]
        return "\n".join(lines) + "\n"

    def of(self, datacenter: str) -> list[Host]:
        """The hosts of a datacenter."""
        return [host for host in self.hosts.values() if host.node.datacenter == datacenter]

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def end(self) -> None:
        """Kill all nodes, and take their disks away."""
        for host in self:
            host.node.end()
            if host.disk is not None and self.lab.has_small_disks:
                run(f"umount --lazy {host.disk}")
