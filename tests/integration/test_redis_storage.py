"""One node with a Redis of its own, as its operator and its clients see it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.integration.storage_servers import program
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(program("redis") is None, reason="redis-server is not installed"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    path = tmp_path_factory.mktemp("data")
    with LocalCluster({"dc1": [1]}, {"storage": {"engine": "redis", "path": str(path)}}) as cluster:
        yield cluster["node1"]


def test_a_command_on_all_keys_sees_what_was_asked_before_it(node: LocalNode) -> None:
    with redis.Redis(port=node.port) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(50):
            pipeline.flushall()
            pipeline.incr(f"cold:{number}")
            pipeline.dbsize()
            pipeline.get(f"cold:{number}")
            pipeline.flushdb()
            pipeline.keys("*")
        assert pipeline.execute() == [True, 1, 1, b"1", True, []] * 50


def test_a_server_that_is_nearly_full_takes_deletes_and_no_more(node: LocalNode) -> None:
    server = ServerSide(node)
    with redis.Redis(port=node.port) as client:
        client.flushall()
        client.set("kept", "x" * 100_000)
        server.limit()
        wait_until(lambda: "maxmemory" in node.info("persistence")["storage_failure"], "it is noticed")
        with pytest.raises(redis.OutOfMemoryError, match="command not allowed: node1: its storage server"):
            client.set("more", "x")
        with client.pipeline() as pipeline, pytest.raises(redis.exceptions.ExecAbortError):
            pipeline.set("more", "x").execute()
        assert client.get("kept") == b"x" * 100_000
        assert client.delete("kept") == 1
        server.redis.config_set("maxmemory", 0)
        wait_until(lambda: _is_set(client, "more"), "it heals")
    wait_until(lambda: _told(node, "memory.full", "memory.healed") == [1, 1], "it is told")


def test_what_a_full_server_refuses_ends_no_life(node: LocalNode) -> None:
    """Full of a sudden, before anybody looked: who was writing does not know what became of it."""
    server = ServerSide(node)
    lives = node.log_text().count("storage server connected")
    with (
        redis.Redis(port=node.port) as client,
        redis.Redis(port=node.port, retry=Retry(NoBackoff(), 0)) as writer,
    ):
        client.flushall()
        client.set("before", "kept")
        assert server.redis.config_set("min-replicas-to-write", 1)
        with pytest.raises(redis.ConnectionError):
            writer.set("during", "x")
        with pytest.raises(
            redis.ResponseError, match="MISCONF node1 cannot write: its storage server says: NOREPL"
        ):
            client.set("after", "x")
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            client.flushall()
        assert client.get("before") == b"kept"
        assert server.redis.config_set("min-replicas-to-write", 0)
        wait_until(lambda: _is_set(client, "after"), "it heals")
        assert client.get("during") == server.redis.get("during") == b"x", "it was written when that could be"
    assert node.log_text().count("storage server connected") == lives
    wait_until(lambda: _told(node, "disk.full", "disk.healed") == [1, 1], "it is told")


def test_somebody_elses_data_is_told(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    command = [str(program("redis")), "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            other = redis.Redis(unix_socket_path=str(path))
            wait_until(path.exists, "the server listens")
            other.mset({"theirs": "1", "more": "2"})
            sections = {"storage": {"engine": "redis"}, "redis": {"address": f"unix:{path}"}}
            with LocalCluster({"dc1": [1]}, sections) as cluster:
                (node,) = cluster
                assert "has keys that no node has written keys=2" in node.log_text().replace('"', "")
                assert node.command("GET", "theirs") == b"1"
        finally:
            server.kill()


class ServerSide:
    """The node's server, as its operator has it."""

    def __init__(self, node: LocalNode) -> None:
        address = node.info("stats")["storage_server"].removeprefix("managed in ")
        self.redis = redis.Redis(unix_socket_path=f"{address}/socket")

    def limit(self) -> None:
        """It may take hardly more than it takes."""
        used = self.redis.info("memory")["used_memory"]
        self.redis.config_set("maxmemory", used + used // 32)


def _told(node: LocalNode, *events: str) -> list[int]:
    return [node.log_text().count(event) for event in events]


def _is_set(client: "redis.Redis", key: str) -> bool:
    try:
        return bool(client.set(key, "x"))
    except redis.ResponseError:
        return False
