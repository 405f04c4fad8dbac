"""memcached's clients on real nodes: pymemcache (classic), meta-memcache (meta), sockets; a killed node."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from attrs import define, field
from meta_memcache import (
    CacheClient,
    Key,
    LeasePolicy,
    MixedSerializer,
    ServerAddress,
    connection_pool_factory_builder,
)
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheServerError

from tests.integration.cluster import QUORUM, client, key_led_by
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration
ACCESS = {"access": {"requirepass": "secret"}}


def classic(node: LocalNode, **options: Any) -> Client:
    return Client((node.host, node.memcached_port), **{"timeout": 10, "default_noreply": False} | options)


def meta(*nodes: LocalNode) -> Any:
    return CacheClient.cache_client_from_servers(
        servers=[ServerAddress(node.host, node.memcached_port) for node in nodes],
        connection_pool_factory_fn=connection_pool_factory_builder(connection_timeout=5, recv_timeout=10),
        serializer=MixedSerializer(),
    )


@pytest.fixture
def clients(cluster: LocalCluster) -> Iterator[list[Client]]:
    made = [classic(node) for node in cluster]
    made[0].flush_all()
    yield made
    for one in made:
        one.close()


def settled(read: Callable[[], object], wanted: object) -> None:
    """What was acknowledged by one is read from another in a moment."""
    wait_until(lambda: read() == wanted, f"{wanted!r} is read")


def test_any_node_takes_any_command(clients: list[Client]) -> None:
    first, second, third = clients
    keys = [f"key:{number}" for number in range(30)]
    assert all(first.set(key, b"v" + key.encode(), flags=7) for key in keys)

    settled(lambda: len(second.get_many(keys)), 30)
    assert third.get("none", b"default") == b"default"
    value, unique = second.gets("key:0")
    assert value == b"vkey:0"
    assert third.cas("key:0", b"new", unique) is True
    assert first.cas("key:0", b"newer", unique) is False
    assert second.add("key:0", b"x") is False
    assert second.append("key:0", b"!") is True
    settled(lambda: third.get("key:0"), b"new!")
    assert first.delete_many(keys)
    settled(lambda: second.get_many(keys), {})


def test_counters_are_exact_from_every_node(clients: list[Client]) -> None:
    assert clients[0].set("n", b"100")
    threads = [
        threading.Thread(target=lambda one=one: [one.incr("n", 1) for _ in range(50)]) for one in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settled(lambda: clients[1].get("n"), b"250")
    assert clients[2].decr("n", 245) == 5
    settled(lambda: clients[0].get("n"), b"5  ")


def test_the_keys_are_those_of_redis(cluster: LocalCluster, clients: list[Client]) -> None:
    with client(cluster["node2"], QUORUM) as over:
        over.set("shared", b"by redis")
        settled(lambda: clients[0].get("shared"), b"by redis")
        clients[2].set("shared", b"by memcached", flags=9, expire=100)
        settled(lambda: over.get("shared"), b"by memcached")
        assert 95 <= over.ttl("shared") <= 100
        over.append("shared", b"!")
        settled(
            lambda: raw(cluster["node1"], b"get shared\r\n"), b"VALUE shared 9 13\r\nby memcached!\r\nEND\r\n"
        )
        over.set("shared", b"plain")
        settled(lambda: raw(cluster["node3"], b"get shared\r\n"), b"VALUE shared 0 5\r\nplain\r\nEND\r\n")
        clients[0].flush_all()
        settled(lambda: over.dbsize(), 0)


def raw(node: LocalNode, data: bytes) -> bytes:
    with socket.create_connection((node.host, node.memcached_port), timeout=10) as wire:
        wire.sendall(data + b"quit\r\n")
        said = b""
        while chunk := wire.recv(1 << 16):
            said += chunk
    return said


def test_a_pipeline_is_answered_in_its_order(cluster: LocalCluster) -> None:
    lines = [b"set p:%d %d 0 3\r\n%03d\r\ngets none\r\nget p:%d\r\n" % (at, at, at, at) for at in range(300)]
    wanted = [b"STORED\r\nEND\r\nVALUE p:%d %d 3\r\n%03d\r\nEND\r\n" % (at, at, at) for at in range(300)]
    for node in cluster:
        assert raw(node, b"".join(lines)) == b"".join(wanted)


def test_a_client_over_all_nodes(cluster: LocalCluster, clients: list[Client]) -> None:
    over = HashClient([(node.host, node.memcached_port) for node in cluster], timeout=10)
    keys = {f"hashed:{number}": b"%d" % number for number in range(100)}
    assert over.set_many(keys, noreply=False) == []
    assert over.get_many(list(keys)) == keys
    over.close()


def test_the_nodes_are_told_as_elasticache_does(cluster: LocalCluster) -> None:
    told = raw(cluster["node1"], b"config get cluster\r\n").split(b"\n")
    wanted = [f"{node.host}|{node.host}|{node.memcached_port}" for node in cluster]
    assert told[2].decode().split() == wanted
    assert b"STAT version 1.6.18\r\n" in raw(cluster["node1"], b"stats\r\n")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestMeta:
    """meta-memcache has no way to close its connections. It takes versions of more than 32 bits for none."""

    def test_values_counters_and_versions(self, cluster: LocalCluster) -> None:
        over = meta(cluster["node1"])
        assert over.set(Key("meta"), {"any": [1, 2]}, ttl=100)
        assert over.get(Key("meta")) == {"any": [1, 2]}
        assert over.set(Key("meta"), "text", ttl=100)
        assert not over.set(Key("meta"), "late", ttl=100, cas_token=5)
        assert over.get(Key("meta")) == "text"
        assert over.touch(Key("meta"), ttl=50)
        assert over.delta_initialize_and_get(Key("counter"), delta=1, initial_value=10, initial_ttl=100) == 10
        assert over.delta_and_get(Key("counter"), delta=5) == 15
        assert over.delete(Key("meta"))
        assert over.get(Key("meta")) is None

    def test_keys_of_any_bytes(self, cluster: LocalCluster) -> None:
        over = meta(*cluster)
        assert over.set(Key("schlüssel mit leerzeichen"), "v", ttl=100)
        settled(lambda: over.get(Key("schlüssel mit leerzeichen")), "v")
        assert over.set(Key("long" * 200), "w", ttl=100)
        settled(lambda: over.get(Key("long" * 200)), "w")
        assert over.multi_get([Key("schlüssel mit leerzeichen"), Key("no")]) == {
            Key("schlüssel mit leerzeichen"): "v",
            Key("no"): None,
        }

    def test_of_all_who_miss_one_gets_the_lease(self, cluster: LocalCluster) -> None:
        sides = [meta(node) for node in cluster]
        policy = LeasePolicy(ttl=30, miss_retries=1, miss_retry_wait=0.01)
        assert [side.get_or_lease(Key("lease"), lease_policy=policy) for side in sides] == [None] * 3
        assert raw(cluster["node1"], b"mg lease v\r\n").startswith(b"VA 0 Z")

    def test_a_stale_value_is_refreshed_by_one(self, cluster: LocalCluster) -> None:
        node, other = cluster["node1"], cluster["node2"]
        assert raw(node, b"ms stale 1\r\nx\r\nmd stale I T30\r\n") == b"HD\r\nHD\r\n"
        settled(lambda: raw(other, b"mg stale s\r\nmg stale k\r\n")[:7], b"HD s1 X")
        settled(lambda: raw(node, b"mg stale v\r\n"), b"VA 1 Z X\r\nx\r\n")


@define(eq=False)
class Writing:
    """A thread that sets keys and counts through one node, and what was acknowledged to it."""

    node: LocalNode
    kept: dict[str, bytes] = field(factory=dict)
    counted: int = 0
    uncertain: int = 0
    """Increments that may have happened."""
    surprises: list[str] = field(factory=list)
    _ending: threading.Event = field(factory=threading.Event)

    def run(self) -> None:
        over = classic(self.node)
        for number in range(1_000_000):
            if self._ending.is_set():
                break
            self._once(over, f"{self.node.name}:{number}", b"%d" % number)
        over.close()

    def _once(self, over: Client, key: str, value: bytes) -> None:
        try:
            if over.set(key, value, flags=3):
                self.kept[key] = value
            if over.incr("count", 1) is not None:
                self.counted += 1
        except MemcacheServerError as error:
            self._note(str(error))

    def _note(self, words: str) -> None:
        if "UNKNOWN" in words:
            self.uncertain += 1
        elif "NOREPLICAS" not in words:
            self.surprises.append(words)

    def end(self) -> None:
        self._ending.set()


def test_what_a_quorum_acknowledged_survives_a_kill(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"consistency": {"read": QUORUM, "write": QUORUM}})
    victim, *others = cluster
    over = classic(victim)
    over.set("count", b"0")
    over.close()
    writing = [Writing(node) for node in others]
    threads = [threading.Thread(target=one.run) for one in writing]
    for thread in threads:
        thread.start()
    for act in (lambda: None, victim.kill):
        act()
        goal = sum(len(one.kept) for one in writing) + 500
        wait_until(
            lambda goal=goal: sum(len(one.kept) for one in writing) >= goal, "more was written", timeout_s=30
        )
    victim.start()
    victim.wait_ready()
    for one in writing:
        one.end()
    for thread in threads:
        thread.join()
    assert [one.surprises for one in writing] == [[], []]
    over = classic(victim)
    for one in writing:
        keys = list(one.kept)
        found = {
            key: value
            for at in range(0, len(keys), 500)
            for key, value in over.get_many(keys[at : at + 500]).items()
        }
        assert found == one.kept
    count, sure = int(over.get("count")), sum(one.counted for one in writing)
    over.close()
    assert sure <= count <= sure + sum(one.uncertain for one in writing)


def test_a_level_that_cannot_be_reached_is_an_error_of_the_server(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(sections={"consistency": {"read": QUORUM, "write": QUORUM}})
    first, *others = cluster
    key = key_led_by(cluster, first)
    over = classic(first)
    assert over.set(key, b"v")
    for node in others:
        node.kill()
    wait_until(lambda: not any(first.sees(node.name) for node in others), "the others are missed")
    with pytest.raises(MemcacheServerError, match="NOREPLICAS"):
        over.set(key, b"w")
    over.close()
    assert raw(first, f"get {key} {key}\r\nversion\r\n".encode()).startswith(b"SERVER_ERROR NOREPLICAS")
    assert raw(first, f"get {key} {key}\r\nversion\r\n".encode()).endswith(b"\r\nVERSION 1.6.18\r\n")


def test_passwords_and_permissions(make_cluster: MakeCluster) -> None:
    cluster = make_cluster({"dc1": [1]}, sections=ACCESS)
    (node,) = cluster
    with redis.Redis(node.host, node.port, password="secret") as admin:
        admin.execute_command("ACL", "SETUSER", "app", "on", ">word", "~app:*", "+get", "+set")
    with socket.create_connection((node.host, node.memcached_port), timeout=10) as wire:
        wire.sendall(b"get k\r\n")
        assert wire.recv(100) == b"CLIENT_ERROR unauthenticated\r\n"
    login = b"set x 0 0 14\r\ndefault secret\r\n"
    assert (
        raw(node, login + b"set k 0 0 1\r\nx\r\nget k\r\n")
        == b"STORED\r\nSTORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
    )
    said = raw(
        node, b"set x 0 0 8\r\napp word\r\nset app:k 0 0 1\r\nx\r\nget k\r\ndelete app:k\r\n"
    ).splitlines()
    assert said[:2] == [b"STORED", b"STORED"]
    assert [line.split()[:2] for line in said[2:]] == [[b"CLIENT_ERROR", b"NOPERM"]] * 2


def test_without_a_port_there_is_no_memcached(make_cluster: MakeCluster) -> None:
    cluster = make_cluster({"dc1": [1]}, start=False)
    (node,) = cluster
    port, path = node.memcached_port, node.directory / "cluster.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(f"memcached_port = {port}", "memcached_port = 0"),
        encoding="utf-8",
    )
    with cluster, pytest.raises(ConnectionRefusedError):
        raw(node, b"version\r\n")


@pytest.mark.parametrize("engine", ["memory", "rocksdb", "redis", "memcached"])
def test_over_any_storage(make_cluster: MakeCluster, tmp_path: Path, engine: str) -> None:
    if (
        engine in ("redis", "memcached")
        and shutil.which({"redis": "redis-server"}.get(engine, engine)) is None
    ):
        pytest.skip(f"{engine} is not installed")
    cluster = make_cluster({"dc1": [1]}, sections={"storage": {"engine": engine, "path": str(tmp_path)}})
    (node,) = cluster
    assert raw(node, b"set k 7 100 2\r\nhi\r\nappend k 0 0 1\r\n!\r\nget k none\r\nmg k t f\r\n") == (
        b"STORED\r\nSTORED\r\nVALUE k 7 3\r\nhi!\r\nEND\r\nHD t100 f7\r\n"
    )
    assert raw(node, b"set n 3 0 2\r\n10\r\ndecr n 1\r\nget n\r\nadd n 0 0 1\r\nx\r\n") == (
        b"STORED\r\n9\r\nVALUE n 3 2\r\n9 \r\nEND\r\nNOT_STORED\r\n"
    )
    unique = raw(node, b"gets k\r\n").split()[4]
    assert raw(
        node, b"touch k 50\r\ncas k 8 0 2 %b\r\nho\r\ncas k 8 0 2 %b\r\nno\r\n" % (unique, unique)
    ) == (b"TOUCHED\r\nSTORED\r\nEXISTS\r\n")
    assert raw(node, b"mg lease N60 v\r\nmg lease v\r\nmd k I\r\nmg k v\r\nmg k v\r\n") == (
        b"VA 0 W\r\n\r\nVA 0 Z\r\n\r\nHD\r\nVA 2 X W\r\nho\r\nVA 2 Z X\r\nho\r\n"
    )
    if engine in ("rocksdb", "redis"):
        node.stop()
        node.start()
        node.wait_ready()
        assert raw(node, b"mg k v f\r\nmg lease v\r\nget n\r\n") == (
            b"VA 2 f8 Z X\r\nho\r\nVA 0 Z\r\n\r\nVALUE n 3 2\r\n9 \r\nEND\r\n"
        )
    assert raw(node, b"flush_all\r\nget k\r\n") == b"OK\r\nEND\r\n"
