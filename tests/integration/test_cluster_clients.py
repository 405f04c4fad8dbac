"""Redis Cluster clients, as they come: each finds every node, and goes straight to a key's primary."""

import gc
import subprocess
from collections.abc import Iterator
from shutil import which
from typing import Any

import coredis
import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster

from tests.integration.cluster import QUORUM, key_led_by, primary_of
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration

leaves_streams_behind = pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
"""coredis does not close the streams between its own tasks; the collector finds them in `collected`."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Garbage of a test is found while its own filters of warnings hold."""
    yield
    gc.collect()


KEYS = [f"direct:{number}" for number in range(200)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """At a quorum level, so that a read after a write is sure whichever copy is asked."""
    with LocalCluster(sections={"consistency": {"read": QUORUM, "write": QUORUM}}) as cluster:
        yield cluster


def forwarded(cluster: LocalCluster) -> int:
    return sum(int(node.info("stats")["requests_forwarded"]) for node in cluster)


def redis_cluster(node: LocalNode, **options: Any) -> RedisCluster:
    return RedisCluster(startup_nodes=[ClusterNode(node.host, node.port)], **options)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_goes_straight_to_the_primary(cluster: LocalCluster, protocol: int) -> None:
    with redis_cluster(cluster["node2"], protocol=protocol) as connected:
        assert {node.port for node in connected.get_nodes()} == {node.port for node in cluster}
        before = forwarded(cluster)
        for number, key in enumerate(KEYS):
            assert connected.set(key, number)
            assert connected.get(key) == b"%d" % number
        assert forwarded(cluster) == before
        pipeline = connected.pipeline()
        for key in KEYS:
            pipeline.get(key)
        assert pipeline.execute() == [b"%d" % number for number in range(len(KEYS))]
        assert forwarded(cluster) == before
        assert connected.mget_nonatomic(KEYS) == [b"%d" % number for number in range(len(KEYS))]
        assert connected.delete(*KEYS) == len(KEYS)


def test_every_node_is_the_primary_of_its_share(cluster: LocalCluster) -> None:
    led = {primary_of(cluster, key).name for key in KEYS[:60]}
    assert led == {"node1", "node2", "node3"}


def test_a_plain_client_is_forwarded(cluster: LocalCluster) -> None:
    key = key_led_by(cluster, cluster["node2"])
    before = forwarded(cluster)
    assert cluster["node1"].command("SET", key, "x") == b"OK"
    assert cluster["node2"].command("SET", key, "x") == b"OK"
    assert forwarded(cluster) == before + 1


@leaves_streams_behind
async def test_coredis_on_trio_goes_straight_to_the_primary(cluster: LocalCluster) -> None:
    node = cluster["node3"]
    async with coredis.RedisCluster(
        startup_nodes=[coredis.connection.TCPLocation(node.host, node.port)]
    ) as connected:
        await connected.ping()
        before = forwarded(cluster)
        for number, key in enumerate(KEYS):
            assert await connected.set(key, number)
            assert await connected.get(key) == b"%d" % number  # type: ignore[comparison-overlap]
        assert forwarded(cluster) == before


@leaves_streams_behind
async def test_plain_coredis_on_trio(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    async with coredis.Redis(host=node.host, port=node.port) as connected:
        assert await connected.set("coredis", b"\x00\xff")
        assert await connected.get("coredis") == b"\x00\xff"
        assert await connected.mset({key: "1" for key in KEYS})
        assert await connected.mget(KEYS) == (b"1",) * len(KEYS)
        with pytest.raises(coredis.exceptions.ResponseError):
            await connected.incr("coredis")


def test_a_cluster_client_goes_on_when_a_primary_dies(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"consistency": {"read": QUORUM, "write": QUORUM}})
    victim = cluster["node2"]
    with redis_cluster(cluster["node1"], socket_timeout=5) as connected:
        for number, key in enumerate(KEYS):
            connected.set(key, number)
        victim.kill()
        goes_on(connected, b"killed")
        victim.start()
        victim.wait_ready()
        cluster.wait_connected()
        goes_on(connected, b"back")


def goes_on(connected: RedisCluster, word: bytes) -> None:
    """Within a moment every key can be read and written."""

    def all_written() -> bool:
        try:
            return all(connected.set(key, word) and connected.get(key) == word for key in KEYS)
        except redis.RedisError:
            return False

    wait_until(all_written, f"every key is {word!r}", timeout_s=20)


# ---- redis-cli ----------------------------------------------------------------------------------------

needs_redis_cli = pytest.mark.skipif(which("redis-cli") is None, reason="redis-cli is not installed")


def redis_cli(node: LocalNode, *words: str, given: str = "") -> str:
    done = subprocess.run(
        ["redis-cli", "-h", node.host, "-p", str(node.port), *words],
        input=given,
        capture_output=True,
        timeout=30,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_redis_cli
@pytest.mark.parametrize("mode", [[], ["-c"], ["-3"], ["-c", "-3"]], ids=" ".join)
def test_redis_cli(cluster: LocalCluster, mode: list[str]) -> None:
    lines = [line for key in KEYS[:20] for line in (f"SET {key} 'a b'", f"GET {key}")]
    said = redis_cli(cluster["node1"], *mode, given="\n".join(lines))
    assert said.split("\n")[:-1] == ["OK", "a b"] * 20


@needs_redis_cli
def test_redis_cli_reads_from_the_terminal_and_counts(cluster: LocalCluster) -> None:
    node = cluster["node2"]
    assert redis_cli(node, "PING") == "PONG\n"
    assert redis_cli(node, "-r", "3", "INCR", "cli").split()[-1] == "3"
    assert redis_cli(node, "-x", "SET", "piped", given="from a pipe") == "OK\n"
    assert redis_cli(node, "--scan", "--pattern", "pip*") == "piped\n"
    assert redis_cli(node, "--bigkeys")
    assert "keys=" in redis_cli(node, "INFO", "keyspace")


@needs_redis_cli
def test_redis_cli_pipe_loads_many_keys(cluster: LocalCluster) -> None:
    commands = "".join(f"SET pipe:{number} {number}\r\n" for number in range(5000))
    said = redis_cli(cluster["node3"], "--pipe", given=commands)
    assert "errors: 0, replies: 5000" in said


@needs_redis_cli
def test_redis_cli_checks_the_cluster(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    said = redis_cli(node, "--cluster", "check", f"{node.host}:{node.port}")
    assert "[OK] All 16384 slots covered." in said
    assert "[ERR]" not in said
