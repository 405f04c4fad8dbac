"""Three racks with a memcached below each node: strings are kept, the rest is refused in words."""

import os
import signal
import subprocess
from pathlib import Path
from shutil import which

import pytest

from tests.integration.cluster import wait_missed
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(which("memcached") is None, reason="memcached is not installed"),
]


@pytest.fixture
def cluster(make_cluster: MakeCluster, tmp_path: Path) -> LocalCluster:
    sections = {
        "storage": {"engine": "memcached", "path": str(tmp_path)},
        "consistency": {"read": "DC_QUORUM", "write": "DC_QUORUM"},
        "timeouts": {"down_after": "1s"},
    }
    return make_cluster(sections=sections)


def test_strings_are_kept_and_the_rest_is_refused(cluster: LocalCluster) -> None:
    first, second, third = cluster
    assert first.command("SET", "k", "1") == b"OK"
    assert second.command("INCRBY", "k", 41) == 42
    assert third.command("APPEND", "k", "!") == 3
    assert first.command("GET", "k") == b"42!"
    assert second.command("SET", "odd key \r\n", "x" * 100_000) == b"OK"
    assert third.command("STRLEN", "odd key \r\n") == 100_000
    assert first.command("MSET", "{a}1", "one", "{b}2", "two") == b"OK"
    assert third.command("MGET", "{a}1", "{b}2", "absent") == [b"one", b"two", None]
    assert second.command("SET", "soon", "gone", "PX", 50) == b"OK"
    wait_until(lambda: third.command("GET", "soon") is None, "it has expired")
    assert first.command("DEL", "k") == 1
    assert third.command("EXISTS", "k") == 0
    for request, refusal in {
        ("HSET", "h", "f", "v"): "memcached storage keeps strings only",
        ("RPUSH", "l", "a"): "memcached storage keeps strings only",
        ("KEYS", "*"): "cannot tell which keys it has",
        ("DBSIZE",): "cannot tell which keys it has",
        ("SET", "k" * 251, "v"): "memcached storage takes keys",
        ("SET", "long", "x" * (1 << 20)): "item_size",
    }.items():
        assert refusal in str(third.command(*request)), request


def test_flushing_forgets_everything(cluster: LocalCluster) -> None:
    first, second, third = cluster
    for number in range(100):
        first.command("SET", f"k:{number}", number)
    assert second.command("FLUSHALL") == b"OK"
    assert [third.command("GET", f"k:{number}") for number in range(100)] == [None] * 100
    assert third.command("SET", "k:1", "again") == b"OK"
    assert first.command("GET", "k:1") == b"again"


def test_who_was_away_and_has_an_empty_memcached_hides_nothing(cluster: LocalCluster) -> None:
    first, second, third = cluster
    for number in range(100):
        assert first.command("SET", f"k:{number}", number) == b"OK"
    second.kill()
    wait_missed(cluster, second)
    for number in range(100, 200):
        assert first.command("SET", f"k:{number}", number) == b"OK"
    second.start()
    second.wait_ready()
    cluster.wait_connected()
    for node in (second, third):
        assert [node.command("GET", f"k:{number}") for number in range(200)] == [
            b"%d" % number for number in range(200)
        ]


def test_a_cache_that_lost_everything_is_filled_from_others_as_it_is_used(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    sections: dict[str, dict[str, object]] = {"storage": {"engine": "memcached", "path": str(tmp_path)}}
    cluster = make_cluster(sections=sections)
    first, second, third = cluster
    for number in range(50):
        assert first.command("SET", f"k:{number}", number) == b"OK"
    wait_until(lambda: third.command("GET", "k:49") == b"49", "all have it")
    os.kill(int(second.info()["storage_server_pid"]), signal.SIGKILL)
    wait_until(lambda: "is lost" in second.log_text(), "the node notices")
    wait_until(lambda: first.sees("node2") and third.sees("node2"), "it is back")
    cluster.wait_connected()
    assert [second.command("GET", f"k:{number}") for number in range(50)] == [
        b"%d" % number for number in range(50)
    ]
    assert second.command("GET", "absent") is second.command("GET", "absent") is None
    assert [second.command("INCR", f"k:{number}") for number in range(50)] == list(range(1, 51))
    figures = second.info("persistence")
    assert figures["memcached_is_cold"] == "1"
    assert int(figures["memcached_learned"]) >= 50
    first.kill()
    third.kill()
    assert second.command("GET", "k:7") == b"8", "it keeps what it learned"


def test_a_value_for_which_memcached_has_no_room_is_gone_and_no_life_ends(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    command = ["memcached", "-s", str(path), "-I", "1m", *(("-u", "root") if os.geteuid() == 0 else ())]
    with subprocess.Popen(command) as server:
        try:
            sections: dict[str, dict[str, object]] = {
                "storage": {"engine": "memcached"},
                "memcached": {"address": f"unix:{path}", "item_size": "4mb"},
            }
            (node,) = make_cluster({"dc1": [1]}, sections)
            assert node.command("SET", "k", "old") == b"OK"
            assert node.command("SET", "k", "x" * (2 << 20)) == b"OK"
            assert node.command("GET", "k") is None
            assert node.command("SET", "k", "new") == b"OK"
            assert node.command("GET", "k") == b"new"
            assert node.info("persistence")["memcached_not_kept"] == "1"
            assert node.log_text().count("storage server connected") == 1
        finally:
            server.kill()
