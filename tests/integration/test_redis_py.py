"""redis-py, as it comes, on every node: what a plain Redis client does works here."""

import os
import time
from typing import Any

import pytest
import redis

from tests.integration.cluster import QUORUM, client, wait_read
from trio_dynomite.testing.local import LocalCluster, wait_until

pytestmark = pytest.mark.integration

NODES = ("node1", "node2", "node3")
BINARY = bytes(range(256)) + b"\r\n$5\r\n*1\r\n"


@pytest.fixture(params=NODES)
def connected(request: pytest.FixtureRequest, cluster: LocalCluster) -> Any:
    with client(cluster[request.param], QUORUM) as connected:
        connected.flushall()
        yield connected


def test_strings_and_counters(connected: Any) -> None:
    assert connected.set("greeting", "hello") is True
    assert connected.append("greeting", " world") == 11
    assert connected.get("greeting") == b"hello world"
    assert connected.getrange("greeting", -5, -1) == b"world"
    assert [connected.incrby("number", 5), connected.decr("number")] == [5, 4]
    assert connected.incrbyfloat("float", "0.5") == 0.5
    assert connected.getdel("greeting") == b"hello world"
    assert connected.get("greeting") is None


def test_many_keys_wherever_they_live(connected: Any) -> None:
    pairs = {f"many:{number}": str(number).encode() for number in range(100)}
    assert connected.mset(pairs) is True
    assert connected.mget(list(pairs)) == list(pairs.values())
    assert sorted(connected.keys("many:*")) == sorted(key.encode() for key in pairs)
    assert sorted(connected.scan_iter("many:*", count=7)) == sorted(key.encode() for key in pairs)
    assert connected.dbsize() == 100
    assert connected.exists(*pairs) == connected.delete(*pairs) == 100


def test_expiry(connected: Any) -> None:
    connected.set("short", "life", px=300)
    connected.set("long", "life", ex=100)
    assert 98 <= connected.ttl("long") <= 100
    assert connected.persist("long") is True
    wait_until(lambda: connected.get("short") is None, "the key expires", timeout_s=5)
    assert [connected.ttl("short"), connected.ttl("long")] == [-2, -1]


def test_a_pipeline_is_answered_in_order(connected: Any, cluster: LocalCluster) -> None:
    pipeline = connected.pipeline(transaction=False)
    expected: list[Any] = []
    for number in range(300):
        pipeline.set(f"p:{number}", number).get(f"p:{number}").incr("p:count").ping()
        pipeline.mget(f"p:{number}", "p:none").echo(str(number))
        expected += [True, b"%d" % number, number + 1, True, [b"%d" % number, None], b"%d" % number]
    assert pipeline.execute() == expected


def test_errors_in_a_pipeline_stand_in_their_places(connected: Any) -> None:
    pipeline = connected.pipeline(transaction=False)
    pipeline.set("k", "text").incr("k").get("k").execute_command("NOSUCH").execute_command("GET").ping()
    replies = pipeline.execute(raise_on_error=False)
    assert [type(reply) for reply in replies[1::2]] == [redis.ResponseError, redis.ResponseError, bool]
    assert replies[0::2][:2] == [True, b"text"]
    assert isinstance(replies[4], redis.ResponseError)


def test_binary_keys_and_values(connected: Any) -> None:
    assert connected.set(BINARY, BINARY * 3) is True
    assert connected.get(BINARY) == BINARY * 3
    assert connected.keys("*") == [BINARY]
    assert connected.set(b"", b"") is True
    assert connected.get(b"") == b""


def test_a_value_of_8_mb(connected: Any, cluster: LocalCluster) -> None:
    value = os.urandom(8 << 20)
    assert connected.set("large", value) is True
    for name in NODES:
        with client(cluster[name], QUORUM) as other:
            assert other.get("large") == value


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("NOSUCH", "a"), "unknown command 'NOSUCH', with args beginning with: 'a'"),
        (("GET",), "wrong number of arguments for 'get' command"),
        (("SET", "k", "v", "NX", "XX"), "syntax error"),
        (("INCR", "text"), "value is not an integer or out of range"),
        (("EXPIRE", "text", "soon"), "value is not an integer or out of range"),
        (("SETRANGE", "text", "-1", "x"), "offset is out of range"),
        (("CONFIG", "NOSUCH"), "unknown subcommand 'NOSUCH'"),
    ],
)
def test_an_error_keeps_the_connection(connected: Any, command: tuple[str, ...], said: str) -> None:
    connected.set("text", "text")
    before = connected.client_id()
    with pytest.raises(redis.ResponseError) as refusal:
        connected.execute_command(*command)
    assert said in str(refusal.value)
    assert connected.client_id() == before
    assert connected.get("text") == b"text"


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols(cluster: LocalCluster, protocol: int) -> None:
    with client(cluster["node2"], protocol=protocol) as connected:
        connected.set("proto", 1)
        assert connected.get("proto") == b"1"
        assert connected.get("proto:none") is None
        assert connected.execute_command("HELLO")[b"proto" if protocol == 3 else 5] == protocol
        assert connected.config_get("port") == {"port": str(cluster["node2"].port)}


def test_what_one_node_took_the_others_give(cluster: LocalCluster) -> None:
    with client(cluster["node1"], QUORUM) as writer, client(cluster["node2"], QUORUM) as reader:
        for number in range(100):
            writer.set(f"q:{number}", number)
            assert reader.get(f"q:{number}") == b"%d" % number


def test_a_write_at_one_comes_to_every_copy(cluster: LocalCluster) -> None:
    with client(cluster["node1"]) as writer:
        writer.mset({f"one:{number}": number for number in range(100)})
    for name in NODES:
        with client(cluster[name]) as reader:
            for number in range(100):
                wait_read(reader, f"one:{number}", b"%d" % number, timeout_s=5)


def test_an_expired_key_is_gone_from_every_copy_without_a_word(cluster: LocalCluster) -> None:
    with client(cluster["node1"], QUORUM) as writer:
        writer.set("fleeting", "x", px=100)
    began = time.monotonic()
    for name in NODES:
        with client(cluster[name]) as reader:
            wait_read(reader, "fleeting", None, timeout_s=5)
            assert reader.exists("fleeting") == 0
    assert time.monotonic() - began < 5


def test_client_and_server_are_told(connected: Any, cluster: LocalCluster) -> None:
    connected.client_setname("tester")
    assert connected.client_getname() in ("tester", b"tester")
    assert [it["name"] for it in connected.client_list() if it["name"]] == ["tester"]
    info = connected.info()
    assert info["cluster_enabled"] == 1
    assert info["server_name"] == "trio-dynomite"
    seconds, microseconds = connected.time()
    assert abs(seconds + microseconds / 1e6 - time.time()) < 2
    assert connected.command_count() > 50
