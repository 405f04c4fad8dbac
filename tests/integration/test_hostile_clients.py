"""Clients that take and never give: the node's memory stays bounded, and the others keep their pace."""

import os
import resource
import select
import socket
import statistics
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from attrs import define, field

from tests.integration.cluster import QUORUM, client, key_led_by
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration

MB = 1 << 20
GROWTH_MAX = 200 * MB
CONNECTIONS = 10_000
PATIENCE_S = 20.0


def resident(node: LocalNode) -> int:
    """Bytes of memory that the node's process holds."""
    with open(f"/proc/{node.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connect(node: LocalNode) -> socket.socket:
    wire = socket.create_connection((node.host, node.port), PATIENCE_S)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def command(*args: bytes) -> bytes:
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in args])


@define(eq=False)
class Bystander:
    """A well-behaved client that writes and reads while others misbehave, and notes how long that took."""

    node: LocalNode
    key: str = "bystander"
    took_s: list[float] = field(factory=list)
    errors: list[str] = field(factory=list)
    _ending: threading.Event = field(factory=threading.Event)

    def run(self) -> None:
        try:
            with client(self.node) as connected:
                while not self._ending.is_set():
                    began = time.monotonic()
                    connected.set(self.key, "x")
                    assert connected.get(self.key) == b"x"
                    self.took_s.append(time.monotonic() - began)
                    self._ending.wait(0.005)
        except Exception as error:  # a thread's end must not go unseen
            self.errors.append(repr(error))

    @contextmanager
    def watching(self) -> Iterator["Bystander"]:
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        wait_until(lambda: len(self.took_s) > 5 or self.errors, "the bystander works")
        try:
            yield self
        finally:
            self._ending.set()
            thread.join(PATIENCE_S)
        assert not self.errors

    def assert_kept_its_pace(self, typical_s: float = 0.15, worst_s: float = 1.0) -> None:
        assert statistics.median(self.took_s) < typical_s
        assert max(self.took_s) < worst_s


def send_and_never_read(wire: socket.socket, request: bytes, seconds: float) -> int:
    """Send `request` again and again until the node takes no more for half a second; the bytes it took."""
    wire.setblocking(False)
    block = request * max(1, MB // len(request))
    sent, deadline, view = 0, time.monotonic() + seconds, memoryview(b"")
    while time.monotonic() < deadline:
        _, writable, _ = select.select([], [wire], [], 0.5)
        if not writable:
            break
        view = view if len(view) else memoryview(block)
        taken = wire.send(view)
        view, sent = view[taken:], sent + taken
    return sent


@pytest.mark.parametrize("size", [10, 10_000, MB])
def test_a_client_that_never_reads_costs_little(make_cluster: MakeCluster, size: int) -> None:
    node = make_cluster({"dc1": [1]})["node1"]
    with client(node) as connected:
        connected.set("value", os.urandom(size))
    before = resident(node)
    with Bystander(node).watching() as bystander, closing(connect(node)) as wire:
        peak = Peak(node)
        with peak.watching():
            send_and_never_read(wire, command(b"GET", b"value"), seconds=4)
        assert peak.bytes - before < GROWTH_MAX
    bystander.assert_kept_its_pace()


def test_a_client_that_never_reads_what_others_must_answer(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    node = cluster["node1"]
    key = key_led_by(cluster, cluster["node2"])
    before = resident(node)
    with Bystander(node).watching() as bystander, closing(connect(node)) as wire:
        peak = Peak(node)
        with peak.watching():
            send_and_never_read(wire, command(b"INCR", key.encode()), seconds=2)
            send_and_never_read(wire, command(b"GETSET", key.encode(), b"x" * 10_000), seconds=3)
        assert peak.bytes - before < GROWTH_MAX
    bystander.assert_kept_its_pace()


@define(eq=False)
class Peak:
    """The most memory that a node held while it was watched."""

    node: LocalNode
    bytes: int = 0
    _ending: threading.Event = field(factory=threading.Event)

    def _run(self) -> None:
        while not self._ending.wait(0.02):
            self.bytes = max(self.bytes, resident(self.node))

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join(PATIENCE_S)


def test_announced_bytes_cost_nothing_until_they_come(make_cluster: MakeCluster) -> None:
    node = make_cluster({"dc1": [1]})["node1"]
    before = resident(node)
    with ExitStack() as stack:
        for _ in range(100):
            wire = stack.enter_context(closing(connect(node)))
            wire.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nhalf a value")
            other = stack.enter_context(closing(connect(node)))
            other.sendall(b"*1000000\r\n$4\r\nMGET\r\n$1\r\n")
        assert node.command("PING") == b"PONG"
        assert resident(node) - before < 30 * MB
        assert int(node.info("clients")["connected_clients"]) >= 200
    wait_until(lambda: int(node.info("clients")["connected_clients"]) == 1, "the half-open are forgotten")


def test_clients_that_hang_up_in_the_middle_leave_nothing_behind(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    node = cluster["node1"]
    request = b"".join(command(b"SET", b"k%d" % number, b"v" * 100) for number in range(500))
    for number in range(50):
        wire = connect(node)
        wire.sendall(request[: len(request) - number])
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()
    wait_until(lambda: int(node.info("clients")["connected_clients"]) == 1, "they are forgotten")
    wait_until(lambda: int(node.info("stats")["requests_in_flight"]) == 0, "nothing is in flight")
    assert [int(each.info("stats")["internal_errors"]) for each in cluster] == [0, 0, 0]
    with client(node, QUORUM) as connected:
        assert connected.get("k0") == b"v" * 100


def test_a_client_that_says_no_more_still_gets_its_replies(make_cluster: MakeCluster) -> None:
    node = make_cluster({"dc1": [1]})["node1"]
    with closing(connect(node)) as wire:
        wire.sendall(b"ECHO last\r\n" * 1000)
        wire.shutdown(socket.SHUT_WR)
        said = b""
        while data := wire.recv(1 << 16):
            said += data
    assert said == b"$4\r\nlast\r\n" * 1000


def test_a_value_of_100_mb(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"timeouts": {"request": "20s"}})
    value = os.urandom(MB) * 100
    with Bystander(cluster["node3"]).watching():
        with client(cluster["node1"], QUORUM, socket_timeout=30) as connected:
            assert connected.set("huge", value)
        with client(cluster["node2"], QUORUM, socket_timeout=30) as connected:
            assert connected.strlen("huge") == len(value)
            assert connected.get("huge") == value
            assert connected.delete("huge") == 1


def test_thousands_of_connections(make_cluster: MakeCluster) -> None:
    count = allowed_connections()
    node = make_cluster({"dc1": [1]}, {"limits": {"clients": count + 1}})["node1"]
    with ExitStack() as stack:
        with Bystander(node).watching() as bystander:
            wires = [stack.enter_context(closing(connect(node))) for _ in range(count - 1)]
            for wire in wires:
                wire.sendall(b"PING\r\n")
            assert all(wire.recv(7) == b"+PONG\r\n" for wire in wires)
            with closing(connect(node)) as one_too_many:
                wait_until(lambda: int(node_clients(wires[0])) >= count, "all are counted")
                more = stack.enter_context(closing(connect(node)))
                assert more.recv(100) == b"-ERR max number of clients reached\r\n"
                assert more.recv(1) == b""
                one_too_many.sendall(b"PING\r\n")
                assert one_too_many.recv(7) == b"+PONG\r\n"
        bystander.assert_kept_its_pace()
    wait_until(lambda: int(node.info("clients")["connected_clients"]) == 1, "all are forgotten")


def node_clients(wire: socket.socket) -> str:
    """The number of clients, told on a connection that is already there."""
    wire.sendall(b"INFO clients\r\n")
    text = wire.recv(1 << 16).decode()
    return next(line for line in text.splitlines() if line.startswith("connected_clients:")).split(":")[1]


def allowed_connections() -> int:
    """As many as the file limit allows this process and the node, at most `CONNECTIONS`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(CONNECTIONS, hard - 500)
    if count < 1000:
        pytest.skip(f"the limit of open files, {hard}, allows too few connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return count
