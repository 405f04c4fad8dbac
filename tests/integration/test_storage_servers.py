"""Managed servers and connections to them, with real ones: Valkey, Redis and memcached."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio
from attrs import define

from tests.integration.storage_servers import Events, asked, connection, managed
from tests.servers import CHOSEN, MEMCACHED, REDIS, VALKEY, program
from trio_dynomite.errors import DynomiteError
from trio_dynomite.hub.hub import Hub
from trio_dynomite.model import Endpoint
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.folder import ServerFolder
from trio_dynomite.storage.servers.handshake import packed
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.servers.pipe import LOST

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[VALKEY, REDIS, MEMCACHED])
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of server that is here; where CI=true, all must be."""
    found: str = request.param
    if program(found) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{found} is not installed")
        pytest.skip(f"{found} is not installed")
    return found


@define
class Running:
    """A managed server and a connection to it."""

    hub: Hub
    server: ManagedServer
    connection: Connection
    events: Events
    nursery: trio.Nursery


@asynccontextmanager
async def running(kind: str, path: Path, append_only: str = "everysec") -> AsyncIterator[Running]:
    """Both, ready and up."""
    events, hub = Events(), Hub(lambda: None, lambda: None)
    server = managed(kind, path, events.log, append_only)
    one = connection(hub, kind, lambda: Endpoint(path=server.folder.socket), events)
    server.on_ready = lambda: one.wake.set()
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(hub.run)
            with trio.fail_after(10):
                await nursery.start(server.run)
                await nursery.start(one.run)
                await one.wait_up()
            yield Running(hub, server, one, events, nursery)
            nursery.cancel_scope.cancel()
    finally:
        hub.close()


def is_alive(pid: int) -> bool:
    """Does the process run? One that is dead and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def internet_sockets(pid: int) -> set[int]:
    """The inodes of a process's sockets for TCP and UDP."""
    own = {os.stat(f"/proc/{pid}/fd/{fd}").st_ino for fd in os.listdir(f"/proc/{pid}/fd")}
    tables = [Path(f"/proc/{pid}/net/{table}").read_text() for table in ("tcp", "tcp6", "udp", "udp6")]
    return own & {int(line.split()[9]) for table in tables for line in table.splitlines()[1:]}


async def wait_dead(pid: int) -> None:
    with trio.fail_after(10):
        while is_alive(pid):
            await trio.sleep(0.01)


SET = {
    VALKEY: (packed("SET", "key", "value"), b"+OK\r\n"),
    REDIS: (packed("SET", "key", "value"), b"+OK\r\n"),
    MEMCACHED: (b"ms key 5\r\nvalue\r\n", b"HD\r\n"),
}
GET = {
    VALKEY: (packed("GET", "key"), b"$5\r\nvalue\r\n"),
    REDIS: (packed("GET", "key"), b"$5\r\nvalue\r\n"),
    MEMCACHED: (b"mg key v\r\n", b"VA 5\r\nvalue\r\n"),
}


async def test_a_server_is_started_used_and_stopped(kind: str, tmp_path: Path) -> None:
    async with running(kind, tmp_path / "node" / "server") as it:
        pid = it.server.pid
        assert pid is not None
        for request, reply in (SET[kind], GET[kind]):
            assert await asked(it.hub, it.connection, request) == reply
        assert it.server.version.startswith(it.connection.greeted.kind)
        assert CHOSEN or it.connection.greeted.kind == kind
        # Only whoever runs the node can reach it, and nothing over the network.
        assert (tmp_path / "node" / "server" / "socket").stat().st_mode & 0o077 == 0
        assert not internet_sockets(pid)
    assert not is_alive(pid)


async def test_a_killed_server_is_started_again(kind: str, tmp_path: Path) -> None:
    async with running(kind, tmp_path) as it:
        assert await asked(it.hub, it.connection, SET[kind][0]) == SET[kind][1]
        first = it.server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await it.events.wait("up", 2)
        assert it.server.pid not in (first, None)
        assert (it.server.starts, it.server.crashes) == (2, 1)
        assert any(event.startswith("down: ") for event in it.events.seen)
        assert any("SIGKILL" in event for event in it.events.seen)
        kept = await asked(it.hub, it.connection, GET[kind][0])
        assert kept == (b"EN\r\n" if kind == MEMCACHED else GET[kind][1])


async def test_one_that_keeps_crashing_is_told_and_started_all_the_same(tmp_path: Path) -> None:
    async with running(REDIS, tmp_path) as it:
        for life in range(2, 6):
            pid = it.server.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await it.events.wait("up", life)
        assert it.server.keeps_crashing
        assert sum("storage server crashed" in event for event in it.events.seen) == 3
        assert sum("storage server keeps crashing" in event for event in it.events.seen) == 1


async def test_a_server_that_stands_still_is_left_until_it_goes_on(kind: str, tmp_path: Path) -> None:
    async with running(kind, tmp_path) as it:
        pid, pipe = it.server.pid, it.connection.pipe
        assert pid is not None
        assert pipe is not None
        os.kill(pid, signal.SIGSTOP)
        replies: list[bytes] = []
        it.hub.turn(lambda: pipe.send(GET[kind][0], replies.append))
        await it.events.wait("down: the server was silent")
        assert replies == [LOST]
        assert it.connection.pipe is None
        os.kill(pid, signal.SIGCONT)
        await it.events.wait("up", 2)
        assert it.server.pid == pid
        os.kill(pid, signal.SIGSTOP)
    assert not is_alive(pid), "one that stands still is ended, too"


async def test_none_outlives_a_killed_node(kind: str, tmp_path: Path) -> None:
    pid = await a_node_was_killed(kind, tmp_path)
    await wait_dead(pid)


async def a_node_was_killed(kind: str, path: Path) -> int:
    """The process id of its server."""
    command = [sys.executable, "-m", "tests.integration.storage_servers", kind, str(path)]
    node = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert node.stdout is not None
    try:
        with trio.fail_after(20):
            said = await node.stdout.receive_some(100)
        assert is_alive(int(said))
    finally:
        node.kill()
        await node.wait()
        await node.stdout.aclose()
    return int(said)


async def test_what_an_earlier_life_left_is_ended(kind: str, tmp_path: Path) -> None:
    with left_running(tmp_path) as left:
        async with running(kind, tmp_path) as it:
            assert left.wait() == -signal.SIGKILL
            assert any(str(left.pid) in event for event in it.events.seen)


@contextmanager
def left_running(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """As if the kernel had not killed it: a process has the lock, and does not go when it is asked to."""
    lock = ServerFolder(path).lock()
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); time.sleep(100)"
    command = [sys.executable, "-Su", "-c", stubborn]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(lock,), bufsize=0) as left:
        os.close(lock)
        assert left.stdout is not None
        left.stdout.read(1)
        try:
            yield left
        finally:
            left.kill()


async def test_the_longest_path_will_do(kind: str, tmp_path: Path) -> None:
    async with running(kind, tmp_path / ("x" * 120) / "server") as it:
        assert await asked(it.hub, it.connection, SET[kind][0]) == SET[kind][1]


async def test_a_directory_is_one_nodes(tmp_path: Path) -> None:
    async with running(REDIS, tmp_path) as it:
        with pytest.raises(DynomiteError, match="is used by another node"):
            await managed(REDIS, tmp_path, it.events.log).run()
        assert it.server.starts == 1


async def test_a_server_that_does_not_start_is_a_clear_mistake(tmp_path: Path) -> None:
    server = managed(REDIS, tmp_path, Events().log)
    server.arguments = ["--appendonly", "perhaps"]
    with (
        trio.fail_after(10),
        pytest.raises(DynomiteError, match=r"does not start, code 1: .*perhaps.*server\.log"),
    ):
        await server.run()


async def test_a_program_of_another_kind_is_a_clear_mistake(tmp_path: Path) -> None:
    server = managed(REDIS, tmp_path, Events().log)
    server.program = "/bin/echo"
    with pytest.raises(DynomiteError, match=r"/bin/echo is .*; needed is Redis 7 or 8"):
        await server.run()


async def test_a_server_that_keeps_nothing_begins_empty(tmp_path: Path) -> None:
    async with running(REDIS, tmp_path, append_only="no") as it:
        await asked(it.hub, it.connection, SET[REDIS][0])
    async with running(REDIS, tmp_path, append_only="no") as it:
        assert await asked(it.hub, it.connection, GET[REDIS][0]) == b"_\r\n"
        assert not (tmp_path / "dump.rdb").exists()


async def test_passwords(tmp_path: Path) -> None:
    async with running(REDIS, tmp_path) as it:
        acl = packed("ACL", "SETUSER", "shop", "on", ">secret", "~*", "+@all")
        assert await asked(it.hub, it.connection, acl) == b"+OK\r\n"
        endpoint = Endpoint(path=it.server.folder.socket)
        wrong, right = Events(), Events()
        refused = connection(it.hub, REDIS, endpoint, wrong, username="shop", password=b"guess")
        await it.nursery.start(refused.run)
        await wrong.wait("the server refuses the password of user 'shop'")
        assert "guess" not in str(wrong.seen)
        assert "up" not in wrong.seen
        welcome = connection(
            it.hub, REDIS, endpoint, right, username="shop", password=b"secret", database=3, protocol=2
        )
        await it.nursery.start(welcome.run)
        await right.wait("up")
        assert await asked(it.hub, welcome, packed("ACL", "WHOAMI")) == b"$4\r\nshop\r\n"
        told = await asked(it.hub, welcome, packed("CLIENT", "INFO"))
        assert b"name=trio-dynomite" in told
        assert b" db=3 " in told
        assert b" resp=2" in told


async def test_nobody_is_there(tmp_path: Path) -> None:
    events, hub = Events(), Hub(lambda: None, lambda: None)
    one = connection(hub, REDIS, Endpoint(path=str(tmp_path / "socket")), events)
    async with trio.open_nursery() as nursery:
        await nursery.start(one.run)
        await events.wait("No such file or directory")
        await trio.sleep(0.3)
        nursery.cancel_scope.cancel()
    hub.close()
    assert len(events.seen) == 1, "the same reason is logged once"
    assert one.mistake == "No such file or directory"


PRETENDER = """#!{python} -S
import os, signal, socket, sys
if sys.argv[1:] == ["--version"]:
    print("Redis server v=7.9.9 sha=0")
    sys.exit()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pretending", flush=True)
server = socket.socket(socket.AF_UNIX)
server.bind("socket")
server.listen()
for number in range(100):
    connection, _ = server.accept()
    connection.recv(100)
    print("asked", flush=True)
    connection.sendall(b"-LOADING data\\r\\n" if number < 3 else b"+PONG\\r\\n")
    connection.close()
"""


async def test_a_server_is_ready_when_it_has_loaded_and_is_killed_when_it_does_not_stop(
    tmp_path: Path,
) -> None:
    pretender = tmp_path / "redis-server"
    pretender.write_text(PRETENDER.format(python=sys.executable))
    pretender.chmod(0o755)
    events = Events()
    server = managed(REDIS, tmp_path / "data", events.log)
    server.program = str(pretender)
    async with trio.open_nursery() as nursery:
        with trio.fail_after(20):
            await nursery.start(server.run)
        pid = server.pid
        assert pid is not None
        assert server.version == "redis 7.9.9"
        assert server.folder.log.read_text() == "pretending\n" + "asked\n" * 4
        nursery.cancel_scope.cancel()
    assert not is_alive(pid)
    assert server.pid is None
    assert server.crashes == 0, "it was asked to end"
