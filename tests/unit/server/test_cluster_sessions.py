"""Sessions over several nodes: messages, notifications, tracking, transactions, whichever node is asked."""

import pytest

from tests.unit.server.cluster_subject import Cluster
from trio_dynomite.model import Level


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


ONE, TWO, THREE = "d1r1n1", "d1r2n1", "d1r3n1"


def test_a_message_reaches_the_subscribers_of_all_nodes_once_and_counts_them(cluster: Cluster) -> None:
    listeners = [cluster.client(name) for name in cluster.names]
    for listener in listeners:
        listener.raw("SUBSCRIBE", "news")
        listener.raw("PSUBSCRIBE", "n*")
        listener.heard()
    assert cluster.client(TWO)("PUBLISH", "news", "hi") == 6
    message = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    pattern = b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    assert [listener.heard() for listener in listeners] == [message + pattern] * 3
    for listener in listeners:
        listener.wire.close()
    assert cluster.client(TWO)("PUBLISH", "news", "hi") == 0


def test_messages_of_one_publisher_come_in_order(cluster: Cluster) -> None:
    listener, publisher = cluster.client(THREE), cluster.client(ONE)
    listener.raw("SUBSCRIBE", "c")
    listener.heard()
    for number in range(20):
        publisher.send("PUBLISH", "c", str(number))
    said = listener.heard().split(b"\r\n")
    assert [int(word) for word in said if word.isdigit()] == list(range(20))
    listener.wire.close()


def test_pubsub_counts_over_all_nodes(cluster: Cluster) -> None:
    one, three = cluster.client(ONE), cluster.client(THREE)
    one.raw("SUBSCRIBE", "a", "b")
    three.raw("SUBSCRIBE", "b")
    one.raw("PSUBSCRIBE", "p*")
    three.raw("PSUBSCRIBE", "p*", "q*")
    three.raw("SSUBSCRIBE", "s")
    asking = cluster.client(TWO)
    assert asking("PUBSUB", "NUMSUB", "a", "b", "c") == [b"a", 1, b"b", 2, b"c", 0]
    assert sorted(asking("PUBSUB", "CHANNELS")) == [b"a", b"b"]
    assert asking("PUBSUB", "NUMPAT") == 2
    assert asking("PUBSUB", "SHARDNUMSUB", "s") == [b"s", 1]
    one.wire.close(), three.wire.close()


def test_notifications_are_wanted_of_all_nodes_and_told_on_all(cluster: Cluster) -> None:
    cluster.client(ONE)("CONFIG", "SET", "notify-keyspace-events", "EA")
    assert cluster.client(THREE)("CONFIG", "GET", "notify-keyspace-events")[1] == b"AE"
    listener = cluster.client(TWO)
    listener.raw("SUBSCRIBE", "__keyevent@0__:set")
    for name in cluster.names:
        key = cluster.key_led_by(name)
        listener.heard()
        assert cluster.client(ONE)("SET", key, "v") == b"OK"
        assert listener.heard() == (
            b"*3\r\n$7\r\nmessage\r\n$18\r\n__keyevent@0__:set\r\n$%d\r\n%b\r\n" % (len(key), key.encode())
        )
    cluster.client(ONE)("CONFIG", "SET", "notify-keyspace-events", "")
    listener.wire.close()


def test_new_keys_are_told_of_beside_all_classes_wherever_they_are_written(cluster: Cluster) -> None:
    cluster.client(ONE)("CONFIG", "SET", "notify-keyspace-events", "EAn")
    listener = cluster.client(TWO)
    listener.raw("SUBSCRIBE", "__keyevent@0__:new")
    for name in cluster.names:
        key = f"{{{cluster.key_led_by(name)}}}new"
        listener.heard()
        cluster.client(ONE)("SET", key, "v")
        assert key.encode() in listener.heard()
    cluster.client(ONE)("CONFIG", "SET", "notify-keyspace-events", "")
    listener.wire.close()


@pytest.mark.parametrize("leader", [ONE, TWO, THREE])
def test_a_tracked_key_is_told_of_wherever_it_was_written(cluster: Cluster, leader: str) -> None:
    key = cluster.key_led_by(leader)
    client, writer = cluster.client(TWO), cluster.client(ONE)
    client("HELLO", "3")
    client("CLIENT", "TRACKING", "ON")
    client("GET", key)
    client.heard()
    writer("SET", key, "new")
    assert client.heard() == b">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%b\r\n" % (len(key), key.encode())
    client.wire.close()


def test_a_flush_is_told_everywhere(cluster: Cluster) -> None:
    clients = [cluster.client(name) for name in cluster.names]
    for client in clients:
        client("HELLO", "3")
        client("CLIENT", "TRACKING", "ON")
        client("GET", "k")
        client.heard()
    cluster.client(TWO).send("FLUSHALL")
    cluster.pass_time(2.0)
    flush = b">2\r\n$10\r\ninvalidate\r\n_\r\n"
    told = [client.heard() for client in clients]
    assert told == [flush] * 3
    for client in clients:
        client.wire.close()


@pytest.mark.parametrize("leader", [ONE, TWO, THREE])
@pytest.mark.parametrize("level", [Level.DC_ONE, Level.DC_QUORUM])
def test_a_transaction_runs_at_its_keys_primary_and_sees_other_clients(
    cluster: Cluster, leader: str, level: Level
) -> None:
    key = cluster.key_led_by(leader, 1)
    client, other = cluster.client(ONE, level), cluster.client(TWO, level)
    other("SET", key, "1")
    assert client("WATCH", key) == b"OK"
    assert client("MULTI") == b"OK"
    client("INCR", key), client("PING"), client("GET", key)
    assert client("EXEC") == [2, b"PONG", b"2"]
    client("WATCH", key)
    other("INCR", key)
    client("MULTI")
    client("SET", key, "lost")
    assert client.raw("EXEC") == b"*-1\r\n"
    assert other("GET", key) == b"3"


def test_a_transaction_over_several_primaries_is_refused_whole(cluster: Cluster) -> None:
    client = cluster.client(ONE)
    keys = [cluster.key_led_by(name, 2) for name in (ONE, TWO)]
    client("MULTI")
    for key in keys:
        client("SET", key, "v")
    assert client.raw("EXEC").startswith(b"-CROSSSLOT")
    assert [client("GET", key) for key in keys] == [None, None]


def test_who_publishes_while_a_node_dies_is_answered(cluster: Cluster) -> None:
    others = Cluster(seed=2)
    listener = others.client(TWO)
    listener.raw("SUBSCRIBE", "c")
    publisher = others.client(ONE)
    publisher.wire.sent.clear()
    publisher.send("PUBLISH", "c", "x")
    others.simulation.crash(THREE)
    others.pass_time(2.0)
    assert b"".join(publisher.wire.sent) == b":1\r\n"
