"""A cluster without stamps: what passes through, what is refused, and what is lost, as the docs promise."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import redis

from tests.integration.cluster import client, key_led_by, primary_of, wait_missed, wait_read
from tests.integration.conftest import MakeCluster
from tests.integration.test_cluster_clients import redis_cluster
from tests.integration.test_managed_node import facts, server_of
from trio_dynomite.launch import exits
from trio_dynomite.testing.local import LocalCluster, LocalNode, Sections, wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(which("redis-server") is None, reason="redis-server is not installed"),
]


def sections(path: Path, write: str) -> Sections:
    return {
        "storage": {"engine": "redis", "path": str(path)},
        "redis": {"stamps": False},
        "consistency": {"write": write},
        "timeouts": {"down_after": "1s"},
    }


def plain(make_cluster: MakeCluster, path: Path, write: str = "DC_ONE", **options: Any) -> LocalCluster:
    return make_cluster(None, sections(path, write), **options)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain")


@pytest.fixture(scope="module")
def whole(path: Path) -> Iterator[LocalCluster]:
    """For the tests that leave it whole."""
    with LocalCluster(None, sections(path, "DC_ONE")) as cluster:
        yield cluster


def server_says(node: LocalNode, path: Path, *args: str) -> Any:
    """What the server below a node says itself."""
    with redis.Redis(unix_socket_path=str(path / node.name / "redis" / "socket")) as below:
        return below.execute_command(*args)


def test_types_pass_and_reach_every_server(whole: LocalCluster, path: Path) -> None:
    first, second, third = whole
    for request, reply in {
        ("SET", "s", "1", "EX", "100"): b"OK",
        ("INCRBY", "s", "41"): 42,
        ("RPUSH", "l", "a", "b", "c"): 3,
        ("LPOP", "l"): b"a",
        ("HSET", "h", "f", "v"): 1,
        ("SADD", "set", "a", "b", "c"): 3,
        ("ZADD", "z", "1.5", "a"): 1,
        ("PFADD", "p", "a"): 1,
        ("MSET", "{a}1", "x", "{b}2", "y"): b"OK",
        ("MGET", "{a}1", "{b}2", "none"): [b"x", b"y", None],
        ("SINTERSTORE", "{set}2", "set"): None,
        ("EXISTS", "{a}1", "{b}2", "none"): 2,
        ("DEL", "{a}1", "{b}2", "none"): 2,
    }.items():
        said = second.command(*request)
        assert reply is None or said == reply, request
    popped = first.command("SPOP", "set")
    entry = third.command("XADD", "x", "MAXLEN", "~", "1000", "*", "f", "v")
    for node in whole:
        wait_until(lambda node=node: server_says(node, path, "XLEN", "x") == 1, "the last has come")
        assert server_says(node, path, "GET", "s") == b"42"
        assert 0 < server_says(node, path, "TTL", "s") <= 100
        assert server_says(node, path, "LRANGE", "l", "0", "-1") == [b"b", b"c"]
        assert popped not in server_says(node, path, "SMEMBERS", "set")
        assert server_says(node, path, "SCARD", "set") == 2
        assert server_says(node, path, "XRANGE", "x", "-", "+")[0][0] == entry
        assert node.command("ZSCORE", "z", "a") == b"1.5"


def test_no_server_has_a_part_of_a_value(whole: LocalCluster, path: Path) -> None:
    leads, lacks, _ = whole
    one, two = (f"{{{key_led_by(whole, leads)}}}{number}" for number in (1, 2))
    for key in (one, two):
        assert leads.command("HSET", key, "a", "1") == 1
    wait_until(lambda: server_says(lacks, path, "EXISTS", one, two) == 2, "it has both")
    server_says(lacks, path, "DEL", one)
    assert leads.command("HSET", one, "b", "2") == 1
    assert leads.command("RENAME", one, two) == b"OK"
    assert leads.command("SET", one, "last", "NX") == b"OK"
    wait_until(lambda: server_says(lacks, path, "GET", one) == b"last", "the last has come")
    assert not server_says(lacks, path, "EXISTS", two)
    assert leads.command("HGETALL", two) == [b"a", b"1", b"b", b"2"]
    server_says(leads, path, "DEL", one)
    assert leads.command("APPEND", one, "anew") == 4
    wait_until(lambda: server_says(lacks, path, "GET", one) == b"anew", "what was old went")


def test_both_protocols_and_a_pipeline(whole: LocalCluster, path: Path) -> None:
    with client(whole["node1"]) as two, client(whole["node1"], protocol=3) as three:
        two.hset("h", "f", "v")
        assert two.execute_command("ZADD", "scores", "1.5", "a") == 1
        for _ in range(3):
            assert two.hgetall("h") == three.hgetall("h") == {b"f": b"v"}
            assert three.zscore("scores", "a") == two.zscore("scores", "a") == 1.5
            assert three.get("absent") is None is two.get("absent")
        for connected in (two, three):
            pipeline = connected.pipeline(transaction=False)
            for number in range(500):
                pipeline.set(f"k:{number}", number).get(f"k:{number}").incr(f"n:{number % 7}")
            replies = pipeline.execute()
            assert replies[1::3] == [b"%d" % number for number in range(500)]
            assert all(reply is True for reply in replies[::3])


def test_what_is_refused_is_refused_in_words(whole: LocalCluster, path: Path) -> None:
    node = whole["node1"]
    for request, refusal in {
        ("MULTI",): "MULTI is not for a cluster without stamps",
        ("WATCH", "k"): "WATCH is not for a cluster without stamps",
        ("EVAL", "return 1", "0"): "scripts are not for a cluster without stamps",
        ("BLPOP", "l", "1"): "commands that wait for a key",
        ("XREAD", "BLOCK", "0", "STREAMS", "x", "$"): "commands that wait for a key",
        ("CLIENT", "TRACKING", "ON"): "CLIENT TRACKING is not for a cluster without stamps",
        ("KEYS", "*"): "cannot tell which keys it has",
        ("DBSIZE",): "cannot tell which keys it has",
        ("RENAME", "a", "b"): "CROSSSLOT",
        ("HGET", "k"): "wrong number of arguments",
    }.items():
        assert refusal in str(node.command(*request)), request
    with client(node, "DC_QUORUM") as connected:
        assert connected.set("k", "v")
        with pytest.raises(redis.ResponseError, match="needs stamps"):
            connected.get("k")
    with (
        client(node, "DC_SAFE_QUORUM") as connected,
        pytest.raises(redis.ResponseError, match="needs stamps"),
    ):
        connected.set(key_led_by(whole, node), "v")


def test_cluster_clients_and_flushall(whole: LocalCluster, path: Path) -> None:
    with redis_cluster(whole["node2"]) as connected:
        for number in range(100):
            assert connected.set(f"k:{number}", number)
            assert connected.get(f"k:{number}") == b"%d" % number
        pipeline = connected.pipeline()
        for number in range(100):
            pipeline.get(f"k:{number}")
        assert pipeline.execute() == [b"%d" % number for number in range(100)]
    assert whole["node3"].command("FLUSHALL") == b"OK"
    for node in whole:
        wait_until(lambda node=node: server_says(node, path, "DBSIZE") == 0, f"{node.name} is empty")


def test_a_killed_node_comes_back_cold(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path)
    first, away, _ = cluster
    led = key_led_by(cluster, away)
    for key in ("other", led):
        assert first.command("SET", key, "old") == b"OK"
    wait_until(lambda: server_says(away, tmp_path, "EXISTS", "other", led) == 2, "it has both")
    away.kill()
    wait_missed(cluster, away)
    assert first.command("SET", led, "new") == b"OK"
    assert primary_of(cluster, led) is not away
    assert first.command("GET", "other") == b"old"
    away.start()
    away.wait_ready()
    cluster.wait_connected()
    assert away.command("GET", led) is None
    assert away.command("GET", "other") is None
    assert first.command("GET", led) == b"new"
    wait_until(lambda: primary_of(cluster, led) is away, "it leads again")
    assert first.command("SET", led, "newest") == b"OK"
    for node in cluster:
        with client(node) as connected:
            wait_read(connected, led, b"newest")


def test_a_killed_server_is_a_killed_node(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path)
    first, hit, _ = cluster
    led = key_led_by(cluster, hit)
    assert first.command("SET", led, "old") == b"OK"
    starts = facts(hit)["starts"]
    os.kill(server_of(hit), signal.SIGKILL)
    wait_until(lambda: "is lost" in hit.log_text(), "the node notices")
    until_s = time.monotonic() + 15
    while first.command("SET", "k", "v") != b"OK" or first.command("GET", led) != b"old":
        assert time.monotonic() < until_s
    hit.wait_ready()
    wait_until(lambda: facts(hit).get("starts") == str(int(starts) + 1), "the server was started again")
    assert hit.command("GET", led) is None


def test_who_only_lost_sight_forgets_what_it_missed(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path)
    first, away, _ = cluster
    led = key_led_by(cluster, first)
    for key in (led, "other"):
        assert first.command("SET", key, "old") == b"OK"
    wait_until(lambda: server_says(away, tmp_path, "EXISTS", led, "other") == 2, "it has both")
    away.freeze()
    wait_missed(cluster, away)
    assert first.command("SET", led, "new") == b"OK"
    away.thaw()
    cluster.wait_connected()
    with client(away) as connected:
        wait_read(connected, led, None)
        assert connected.get("other") == b"old"
        assert first.command("SET", led, "newer") == b"OK"
        wait_read(connected, led, b"newer")


def test_a_server_with_keys_of_others_is_left_alone(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path)
    full, victim, _ = cluster
    below = tmp_path / full.name / "redis" / "socket"
    assert server_says(full, tmp_path, "SET", "theirs", "precious") in (True, b"OK")
    assert server_says(full, tmp_path, "FUNCTION", "FLUSH") in (True, b"OK")
    victim.stop()
    victim.variables["TRIO_DYNOMITE__NODES__NODE2__STORAGE_ADDRESS"] = f"unix:{below}"
    victim.start()
    wait_until(lambda: "would be emptied" in victim.log_text(), "it says why")
    assert server_says(full, tmp_path, "GET", "theirs") == b"precious"


def test_nodes_with_stamps_and_without_do_not_meet(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path, start=False)
    other = cluster["node3"]
    other.variables["TRIO_DYNOMITE__REDIS__STAMPS"] = "true"
    for node in cluster:
        node.start()
    cluster["node1"].wait_ready()
    wait_until(lambda: "redis.stamps" in other.log_text(), "it is told why")


def test_a_level_that_cannot_be_kept_is_a_mistake_in_words(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = plain(make_cluster, tmp_path, "DC_SAFE_QUORUM", start=False)
    node = cluster["node1"]
    node.start()
    assert node.process is not None
    assert node.process.wait(20) == exits.MISUSE
    assert "must be DC_ONE or DC_QUORUM with redis.stamps = false" in node.log_text()
