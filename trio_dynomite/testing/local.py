"""A cluster of real processes on this machine, for tests, examples and experiments.

    with LocalCluster({"dc1": [1, 1, 1]}) as cluster:
        cluster["node1"].port      # any Redis client can connect now
        cluster["node1"].kill()    # and see what happens

Each node is `python -m trio_dynomite` on free ports of 127.0.0.1, with its log in a file. The nodes hold one
end of a pipe whose other end is ours, so they end with this process, whatever ends it.
"""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hiredis
from attrs import define, field

from trio_dynomite.errors import DynomiteError

HOST = "127.0.0.1"
POLL_S = 0.02
PORTS = range(10_000, 30_000)
"""Below those that the system gives to outgoing connections, so that nobody takes one between two runs.

Who has several processes make clusters at once gives each its own part of them."""
_LOG_TAIL = 4000
Sections = Mapping[str, Mapping[str, object]]


def wait_until(happened: Callable[[], object], what: str, *, timeout_s: float = 15.0) -> None:
    """Wait until `happened` says yes. Raises TimeoutError, naming `what`, when it did not in time."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        time.sleep(POLL_S)


@define(eq=False)
class LocalNode:
    """One node: a process that can be started, stopped, killed and frozen."""

    name: str
    datacenter: str
    rack: str
    port: int
    """For clients."""
    peer_port: int
    admin_port: int
    directory: Path
    """Holds `cluster.toml` and the node's log."""
    parent_fd: int
    process: subprocess.Popen[bytes] | None = None
    host: str = HOST
    prefix: tuple[str, ...] = ()
    """Words before its command, of a program that becomes the node: `ip netns exec …`."""
    variables: dict[str, str] = field(factory=dict)
    """Of its environment, besides those of this process."""
    memcached_port: int = 0
    engine: str = ""
    """Where it keeps its records; empty: where all nodes do."""
    _ready_fd: int = -1

    @property
    def is_running(self) -> bool:
        """Is there a process, frozen or not?"""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self.process is not None
        return self.process.pid

    @property
    def log_path(self) -> Path:
        """The log of all this node's lives."""
        return self.directory / f"{self.name}.log"

    def log_text(self) -> str:
        """The log so far."""
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def start(self) -> None:
        """Start the process; `wait_ready` waits until it serves."""
        if self.is_running:
            raise DynomiteError(f"{self.name} is already running")
        module = [sys.executable, "-m", "trio_dynomite"]
        command = [*self.prefix, *module, str(self.directory / "cluster.toml")]
        self._forget_ready()
        self._ready_fd, write_fd = os.pipe()
        command += ["--node", self.name, "--ready-fd", str(write_fd), "--parent-fd", str(self.parent_fd)]
        top = str(Path(__file__).parents[2])
        path = os.pathsep.join([top, *filter(None, [os.environ.get("PYTHONPATH")])])
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(write_fd, self.parent_fd),
                env={**os.environ, "PYTHONPATH": path, **self.variables},
                process_group=0,
            )
        os.close(write_fd)

    def wait_ready(self, timeout_s: float = 20.0) -> None:
        """Wait until the node takes clients. Raises DynomiteError with its log when it does not."""
        if self._ready_fd < 0:
            return
        readable, _, _ = select.select([self._ready_fd], [], [], timeout_s)
        said = os.read(self._ready_fd, 64) if readable else b""
        self._forget_ready()
        if not said:
            why = "ended before it was ready" if readable else f"was not ready within {timeout_s:g} s"
            raise DynomiteError(f"{self.name} {why}:\n{self.log_text()[-_LOG_TAIL:]}")

    def _forget_ready(self) -> None:
        if self._ready_fd >= 0:
            os.close(self._ready_fd)
            self._ready_fd = -1

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        self.send_signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP): its connections stay open and nobody answers."""
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self.send_signal(signal.SIGCONT)

    def send_signal(self, signum: int) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(signum)

    def stop(self, signum: int = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """Ask it to stop in order; its exit code, 0 when it did."""
        self.send_signal(signum)
        assert self.process is not None
        return self.process.wait(timeout_s)

    def end(self) -> None:
        """Leave nothing of it behind."""
        self._forget_ready()
        if self.is_running:
            self.kill()

    def command(self, *args: bytes | str | int, timeout_s: float = 5.0) -> Any:
        """The reply to one command on a connection of its own; an error reply is returned, not raised."""
        with socket.create_connection((self.host, self.port), timeout_s) as wire:
            wire.sendall(hiredis.pack_command(args))  # type: ignore[arg-type]  # its stub says one argument
            reader = hiredis.Reader()
            while (reply := reader.gets()) is False:
                data = wire.recv(1 << 16)
                if not data:
                    raise ConnectionError(f"{self.name} closed the connection")
                reader.feed(data)
        return reply

    def info(self, section: str = "everything") -> dict[str, str]:
        """The lines of INFO."""
        text = self.command("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def sees(self, peer: str) -> bool:
        """Does this node hold `peer` for alive and serving?"""
        words = self.info("dynomite").get(f"peer_{peer}", "").split(",")
        return {"liveness=up", "state=NORMAL"} <= set(words)


class LocalCluster:
    """Nodes `node1`, `node2`… of one cluster, in racks `rack1`… of each datacenter.

    Args:
        layout: The number of nodes in each rack of each datacenter: `{"dc1": [1, 1, 1]}`.
        sections: Further sections of `cluster.toml`: `{"consistency": {"write": "DC_QUORUM"}}`.
        directory: Where the configuration and the logs go; a temporary one that is removed, when None.
        engines: Of each node in turn where it keeps its records.
    """

    def __init__(
        self,
        layout: Mapping[str, Sequence[int]] | None = None,
        sections: Sections | None = None,
        directory: Path | None = None,
        engines: Sequence[str] = (),
    ) -> None:
        self._left_behind = ExitStack()
        if directory is None:
            directory = Path(self._left_behind.enter_context(tempfile.TemporaryDirectory()))
        parent_fd, self._our_fd = os.pipe()
        self._left_behind.callback(os.close, parent_fd)
        self._left_behind.callback(os.close, self._our_fd)
        self.directory = directory
        self.nodes = {
            node.name: node for node in _lay_out(layout or {"dc1": [1, 1, 1]}, directory, parent_fd)
        }
        for node, engine in zip(self, engines, strict=False):
            node.engine = engine
        (directory / "cluster.toml").write_text(_toml(self.nodes.values(), sections or {}), encoding="utf-8")

    def __getitem__(self, name: str) -> LocalNode:
        """The node of that name."""
        return self.nodes[name]

    def __iter__(self) -> Iterator[LocalNode]:
        """All nodes, in order."""
        return iter(self.nodes.values())

    def __enter__(self) -> LocalCluster:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, timeout_s: float = 20.0) -> None:
        """Start every node that is not running, and wait until all of them know each other."""
        for node in self:
            if not node.is_running:
                node.start()
        for node in self:
            node.wait_ready(timeout_s)
        self.wait_connected(timeout_s)

    def wait_connected(self, timeout_s: float = 15.0) -> None:
        """Wait until every running node holds every other running node for alive and serving."""
        running = [node for node in self if node.is_running]
        for node in running:
            others = [peer.name for peer in running if peer is not node]
            wait_until(
                lambda node=node, others=others: all(map(node.sees, others)),  # type: ignore[misc]
                f"{node.name} sees {others}",
                timeout_s=timeout_s,
            )

    def end(self) -> None:
        """Kill what runs, and leave nothing behind."""
        for node in self:
            node.end()
        self._left_behind.close()


def _lay_out(layout: Mapping[str, Sequence[int]], directory: Path, parent_fd: int) -> Iterator[LocalNode]:
    places = [
        (datacenter, f"rack{rack}")
        for datacenter, racks in layout.items()
        for rack, count in enumerate(racks, 1)
        for _ in range(count)
    ]
    ports = free_ports(4 * len(places))
    for number, (datacenter, rack) in enumerate(places, 1):
        first, second, third, fourth = ports[4 * number - 4 : 4 * number]
        node = LocalNode(f"node{number}", datacenter, rack, first, second, third, directory, parent_fd)
        node.memcached_port = fourth
        yield node


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses."""
    found: list[int] = []
    for port in random.Random().sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise DynomiteError(f"{HOST} has no {count} free ports from {PORTS[0]} to {PORTS[-1]}")


def _toml(nodes: Iterable[LocalNode], sections: Sections) -> str:
    lines = []
    for section, settings in {"cluster": {"name": "local"}, **sections}.items():
        lines += [f"[{section}]", *(f"{key} = {_value(value)}" for key, value in settings.items()), ""]
    for node in nodes:
        names = ("name", "datacenter", "rack", "peer_port", "admin_port", "memcached_port")
        lines += ["[[nodes]]", *(f"{name} = {_value(getattr(node, name))}" for name in names)]
        lines += [f"client_port = {node.port}", ""]
        if node.engine:
            lines.insert(-1, f"storage = {_value(node.engine)}")
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
