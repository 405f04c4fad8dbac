"""Client libraries as they come, on three racks: every type and what goes with it, from two nodes at once.

Each library has a script (clients/, node/) that tries part after part and tells what became of each. It is
run once with the plain client of one node and once with the cluster client; its parts are the tests.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import pytest
from attrs import frozen

from tests.integration import others
from tests.integration.cluster import QUORUM, wait_missed
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster

pytestmark = pytest.mark.integration

AT_QUORUM = {"consistency": {"read": QUORUM, "write": QUORUM}}
PARTS = (
    *("strings", "hashes", "sets", "sorted_sets", "lists", "streams", "pubsub"),
    *("transactions", "scripts", "caching", "pipelines", "scans", "users", "replicas"),
)


@frozen
class Client:
    """A library, used in one of its ways."""

    name: str
    script: str
    mode: str
    module: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.mode}"


CLIENTS = [
    client
    for mode in ("plain", "cluster")
    for client in (
        Client("redis-py", "clients/redis_sync.py", mode, "redis"),
        Client("redis-py-asyncio", "clients/redis_asyncio.py", mode, "redis"),
        Client("valkey-py", "clients/redis_sync.py", mode, "valkey"),
        Client("valkey-py-asyncio", "clients/redis_asyncio.py", mode, "valkey"),
        Client("coredis", "clients/coredis_trio.py", mode),
        Client("valkey-glide", "clients/glide_asyncio.py", mode),
        Client("ioredis", "node/ioredis.mjs", mode),
        Client("node-redis", "node/node_redis.mjs", mode),
    )
]


def offers(client: Client, part: str) -> bool:
    """Only a cluster client chooses among replicas, and valkey-py's has no transactions."""
    if client.mode == "plain":
        return part != "replicas"
    return part != "transactions" or client.module != "valkey"


Told = dict[str, str | None]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """At a quorum level, so that what one node took the others give."""
    with LocalCluster(sections=AT_QUORUM) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def tried(cluster: LocalCluster) -> Callable[[Client], tuple[Told, str]]:
    """Runs a client's script, once: what it told of each part, and all that it wrote."""

    @cache
    def run(client: Client) -> tuple[Told, str]:
        ports = [str(node.port) for node in cluster]
        environment = {"MODULE": client.module, "PYTHONWARNINGS": "ignore"}
        done = others.run(client.script, client.mode, str(client), *ports, environment=environment)
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"part"')]
        return {told["part"]: told["error"] for told in map(json.loads, lines)}, done.stdout

    return run


@pytest.mark.parametrize(
    ("client", "part"),
    [(client, part) for client in CLIENTS for part in PARTS if offers(client, part)],
    ids=str,
)
def test_a_client_finds_what_it_knows(client: Client, part: str, tried: Any) -> None:
    told, wrote = tried(client)
    assert part in told, f"{client} did not come to this part:\n{wrote[-4000:]}"
    assert told[part] is None, f"{client}, {part}:\n{told[part]}"


GOES_ON = {
    "clients/goes_on.py": ("redis-py", "redis-py-asyncio", "valkey-py", "coredis", "valkey-glide"),
    "node/goes_on.mjs": ("ioredis", "node-redis"),
}
"""By script, the libraries whose cluster client it is."""


def test_every_cluster_client_goes_on_when_a_node_dies(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections=AT_QUORUM)
    with ExitStack() as stack:
        running = {
            library: stack.enter_context(going(script, library, cluster))
            for script, libraries in GOES_ON.items()
            for library in libraries
        }
        for process in running.values():
            wait_going(process)
        cluster["node2"].kill()
        wait_missed(cluster, cluster["node2"])
        wrote = {library: process.communicate(timeout=40)[0] for library, process in running.items()}
        failed = [library for library, process in running.items() if process.returncode]
        assert not failed, [wrote[library][-2000:] for library in failed]


@contextmanager
def going(script: str, library: str, cluster: LocalCluster) -> Iterator[subprocess.Popen[str]]:
    """The process of a client that goes on until its input ends."""
    command = [*others.command_for(script), library, *(str(node.port) for node in cluster)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_going(process: subprocess.Popen[str]) -> None:
    """Wait until it has written every key once."""
    assert process.stdout is not None
    lines: list[str] = []
    while "going\n" not in lines:
        lines.append(process.stdout.readline())
        assert lines[-1], "".join(lines)
