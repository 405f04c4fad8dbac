"""The processes under test: redis-server, and our nodes on free ports from a generated `cluster.toml`.

Each is a context manager that gives servers which answer, and ends them and their directory. An error that
leaves it has notes of what became of each server.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.scenarios import Shape
from benchmarks.wire import Client, ReplyError

ROOT = Path(__file__).resolve().parents[1]
START_S = 30.0
STOP_S = 10.0


class StartError(Exception):
    """A server ended or did not answer in time."""


@frozen(kw_only=True)
class Server:
    """A running process under test that serves clients on `port`."""

    name: str
    pid: int
    port: int


@frozen(kw_only=True)
class Command:
    """How to start a server: its name, the port that it will serve, its command line."""

    name: str
    port: int
    argv: tuple[str, ...]


NodeCommands = Callable[[Shape, Path], list[Command]]
"""Gives the commands that start the nodes of a shape, with their files in the directory."""


def free_ports(count: int) -> list[int]:
    """`count` different ports of the loopback address that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def redis_command() -> Command:
    """redis-server in memory only, with its other defaults."""
    (port,) = free_ports(1)
    argv = ("redis-server", "--save", "", "--appendonly", "no", "--port", str(port))
    return Command(name="redis-server", port=port, argv=argv)


def cluster_toml(shape: Shape, ports: Sequence[int]) -> str:
    """The configuration of `shape`: one node a rack, each taking the next three of `ports`."""
    level = shape.level.name
    lines = [
        "[cluster]",
        f'name = "{shape.name}"',
        "",
        "[consistency]",
        f'read = "{level}"',
        f'write = "{level}"',
    ]
    for rack in range(shape.racks):
        client, peer, admin = ports[3 * rack : 3 * rack + 3]
        lines += ["", "[[nodes]]", f'name = "node{rack + 1}"', f'rack = "rack{rack + 1}"']
        lines += [f"client_port = {client}", f"peer_port = {peer}", f"admin_port = {admin}"]
    return "\n".join(lines) + "\n"


def node_commands(shape: Shape, directory: Path) -> list[Command]:
    """Our nodes, one process each, from a `cluster.toml` written into `directory`."""
    ports = free_ports(3 * shape.racks)
    file = directory / "cluster.toml"
    file.write_text(cluster_toml(shape, ports))
    names = [f"node{rack + 1}" for rack in range(shape.racks)]
    base = (sys.executable, "-m", "trio_dynomite", str(file), "--node")
    return [Command(name=name, port=ports[3 * n], argv=(*base, name)) for n, name in enumerate(names)]


@contextlib.contextmanager
def redis() -> Iterator[Server]:
    """A redis-server that answers."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-redis-") as directory,
        _running([redis_command()], Path(directory)) as servers,
    ):
        yield servers[0]


@contextlib.contextmanager
def cluster(shape: Shape, commands: NodeCommands = node_commands) -> Iterator[list[Server]]:
    """The nodes of `shape`, all of them serving reads and writes at its level."""
    with tempfile.TemporaryDirectory(prefix="benchmark-nodes-") as name:
        directory = Path(name)
        with _running(commands(shape, directory), directory) as servers:
            yield servers


@contextlib.contextmanager
def _running(commands: Sequence[Command], directory: Path) -> Iterator[list[Server]]:
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            processes.append(_start(command, directory))
        deadline = time.monotonic() + START_S
        for command, process in zip(commands, processes, strict=True):
            _await_service(command, process, directory, deadline)
        yield [
            Server(name=command.name, pid=process.pid, port=command.port)
            for command, process in zip(commands, processes, strict=True)
        ]
    except Exception as error:
        for command, process in zip(commands, processes, strict=False):
            error.add_note(_fate(command, process, directory))
        raise
    finally:
        _stop(processes)


def _start(command: Command, directory: Path) -> subprocess.Popen[bytes]:
    with _log(command, directory).open("wb") as log:
        return subprocess.Popen(
            command.argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )


def _await_service(
    command: Command, process: subprocess.Popen[bytes], directory: Path, deadline: float
) -> None:
    """Return when the server answers PING and takes a SET; a quorum SET needs its peers too."""
    trouble = "no connection"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            trouble = f"it ended with status {process.returncode}"
            break
        try:
            with Client(command.port) as client:
                if client.call("PING") == b"PONG" and client.call("SET", "benchmark", "ready") == b"OK":
                    return
        except (OSError, ReplyError) as error:
            trouble = str(error)
        time.sleep(0.05)
    raise StartError(f"{command.name} on port {command.port} does not serve: {trouble}")


def _fate(command: Command, process: subprocess.Popen[bytes], directory: Path) -> str:
    """What has become of a server, and the end of its log."""
    status = process.poll()
    what = "runs" if status is None else f"ended with status {status}"
    return f"{command.name} {what}\n{_log(command, directory).read_text(errors='replace')[-2000:]}"


def _log(command: Command, directory: Path) -> Path:
    return directory / f"{command.name}.log"


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
