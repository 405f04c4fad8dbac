"""Real nodes with a server of their own: it is told in INFO, outlives lives of the node, and not the node."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_storage_servers import is_alive
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def engine() -> str:
    """Where the node keeps its records, unless a test says otherwise."""
    return "memcached"


@pytest.fixture
def node(tmp_path: Path, engine: str) -> Iterator[LocalNode]:
    """A node with a server of its own."""
    sections = {"storage": {"engine": engine, "path": str(tmp_path)}, engine: {"silent_after": "0.6s"}}
    with LocalCluster({"dc1": [1]}, sections) as cluster:
        yield cluster["node1"]


def facts(node: LocalNode) -> dict[str, str]:
    """What INFO tells of the server; nothing while the node is between two lives."""
    try:
        lines = node.command("INFO", "all").decode().splitlines()
    except (OSError, EOFError):
        return {}
    pairs = [line.partition(":") for line in lines if line.startswith("storage_server")]
    return {name.removeprefix("storage_server_"): value for name, _, value in pairs}


def server_of(node: LocalNode) -> int:
    return int(facts(node)["pid"])


@pytest.mark.parametrize("engine", ["memcached", "redis"])
def test_a_crashed_server_is_told_and_replaced(node: LocalNode, engine: str) -> None:
    assert node.command("SET", "key", "value") == b"OK"
    first = server_of(node)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: facts(node).get("crashes") == "1", "the node serves again")
    told = facts(node)
    assert (told["starts"], told["up"], told["keeps_crashing"]) == ("2", "1", "0")
    assert told["last_end"].startswith("signal SIGKILL")
    assert server_of(node) != first
    assert node.command("GET", "key") == (b"value" if engine == "redis" else None)
    assert node.command("SET", "key", "again") == b"OK"
    assert node.command("GET", "key") == b"again"


@pytest.mark.parametrize("engine", ["redis"])
def test_no_loop_holds_where_a_write_waits_for_its_record(node: LocalNode, engine: str) -> None:
    with socket.create_connection((node.host, node.port), 5) as wire:
        wire.sendall(b"HELLO 3\r\nCLIENT TRACKING ON BCAST NOLOOP\r\nINCR own\r\n")
        told = b""
        while b":1\r\n" not in told:
            told += wire.recv(1 << 16)
        assert node.command("INCR", "others") == 1
        while b"others" not in told:
            told += wire.recv(1 << 16)
        assert b"own" not in told


def test_a_server_that_stood_still_has_what_it_had(node: LocalNode) -> None:
    assert node.command("SET", "key", "value") == b"OK"
    server = server_of(node)
    os.kill(server, signal.SIGSTOP)
    wait_until(lambda: "is lost" in node.log_text(), "the node notices")
    os.kill(server, signal.SIGCONT)
    wait_until(lambda: facts(node).get("up") == "1", "the node serves again")
    assert server_of(node) == server
    assert node.command("GET", "key") == b"value"


def test_it_ends_with_its_node(node: LocalNode) -> None:
    server = server_of(node)
    node.send_signal(signal.SIGTERM)
    assert node.process is not None
    assert node.process.wait(10) == 0
    assert not is_alive(server)
    node.start()
    node.wait_ready()
    server = server_of(node)
    node.kill()
    wait_until(lambda: not is_alive(server), "the kernel ends it")


def test_a_node_that_waits_for_its_server_can_be_stopped(node: LocalNode) -> None:
    os.kill(server_of(node), signal.SIGSTOP)
    wait_until(lambda: "is lost" in node.log_text(), "the node notices")
    node.send_signal(signal.SIGTERM)
    assert node.process is not None
    assert node.process.wait(15) == 0


LOADS_FOR_LONG = """
import os, signal, socket, sys
if "--version" in sys.argv:
    print("Redis server v=7.2.0")
    sys.exit()
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("socket")
    listening.listen()
    print("loading", flush=True)
    while True:
        client, _ = listening.accept()
        client.recv(100)
        client.sendall(b"-LOADING Redis is loading the dataset in memory\\r\\n")
        client.close()
"""


def test_a_node_whose_server_still_loads_stops_at_once(tmp_path: Path) -> None:
    program = tmp_path / "slow-server"
    program.write_text(f"#!{sys.executable}\n{LOADS_FOR_LONG}")
    program.chmod(0o700)
    sections = {
        "storage": {"engine": "redis", "path": str(tmp_path)},
        "timeouts": {"stop": "30s"},
    }
    cluster = LocalCluster({"dc1": [1]}, sections)
    try:
        (node,) = cluster
        node.variables["TRIO_DYNOMITE__REDIS__SERVER"] = str(program)  # as it may be another for all tests
        node.start()
        log = tmp_path / "node1" / "redis" / "server.log"
        wait_until(lambda: log.exists() and "loading" in log.read_text(), "the server loads")
        assert node.stop() == 0
        assert "stopped before it had finished" not in node.log_text()
    finally:
        cluster.end()
