"""Passwords and permissions on a real node, with redis-py as it comes."""

import socket
from collections.abc import Iterator

import pytest
import redis

from tests.integration.cluster import client
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalNode

pytestmark = pytest.mark.integration


@pytest.fixture
def node(make_cluster: MakeCluster) -> Iterator[LocalNode]:
    cluster = make_cluster({"dc1": [1]})
    cluster.start()
    return cluster["node1"]


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_manages_users_and_is_one(node: LocalNode, protocol: int) -> None:
    with client(node, protocol=protocol, decode_responses=True) as root:
        assert root.acl_setuser(
            "shop",
            enabled=True,
            passwords=["+secret"],
            categories=["+@all", "-@dangerous"],
            keys=["shop:*"],
            selectors=[("+get", "%R~prices:*")],
            reset=True,
        )
        told = root.acl_getuser("shop")
        assert told["categories"] == ["+@all", "-@dangerous"]
        assert told["flags"] == ["on"]
        assert [user.partition(" ")[2].partition(" ")[0] for user in root.acl_list()] == ["default", "shop"]
        root.set("prices:pen", 2)
        root.config_set("requirepass", "rootsecret")

        with client(
            node, username="shop", password="secret", protocol=protocol, decode_responses=True
        ) as shop:
            assert shop.acl_whoami() == "shop"
            assert shop.set("shop:pens", 3)
            assert shop.get("prices:pen") == "2"
            with pytest.raises(redis.exceptions.NoPermissionError, match="No permissions to access a key"):
                shop.set("prices:pen", 1)
            with pytest.raises(
                redis.exceptions.NoPermissionError, match="has no permissions to run the 'flushall'"
            ):
                shop.flushall()
            root.acl_deluser("shop")
            with pytest.raises(redis.exceptions.ConnectionError):
                shop.ping()

        with pytest.raises(redis.exceptions.AuthenticationError), client(node, protocol=protocol) as nobody:
            nobody.ping()
        with pytest.raises(redis.exceptions.AuthenticationError), client(node, password="wrong") as nobody:
            nobody.ping()
        with client(node, password="rootsecret", protocol=protocol) as again:
            assert again.ping()
        assert root.acl_log()[0]["reason"] == "auth"
    assert "secret" not in node.log_text()


def test_who_has_not_logged_in_cannot_make_the_node_keep_much(node: LocalNode) -> None:
    node.command("CONFIG", "SET", "requirepass", "secret")
    for sent, said in (
        (b"*11\r\n", b"-ERR Protocol error: unauthenticated multibulk length\r\n"),
        (b"*2\r\n$4\r\nAUTH\r\n$1000000\r\n", b"-ERR Protocol error: unauthenticated bulk length\r\n"),
    ):
        with socket.create_connection((node.host, node.port), 5) as wire:
            wire.sendall(sent)
            assert wire.recv(1000) == said
            assert wire.recv(1000) == b""
