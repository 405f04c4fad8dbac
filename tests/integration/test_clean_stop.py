"""SIGTERM and SIGINT at any moment, of start-up or under load: exit code 0, soon, and nothing is lost."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.integration.cluster import QUORUM, Writers, assert_kept, wait_converged
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalCluster, LocalNode

pytestmark = pytest.mark.integration

SOON_S = 5.0
MOMENTS = 12
"""Spread over the time that a start takes, each with some chance."""


def assert_stops(node: LocalNode, signum: int) -> None:
    began = time.monotonic()
    assert node.stop(signum) == 0, node.log_text()[-3000:]
    assert time.monotonic() - began < SOON_S
    life = node.log_text().rpartition("state=JOINING")[2]
    assert "Traceback" not in life, life[-3000:]


def signum(number: int) -> signal.Signals:
    return (signal.SIGTERM, signal.SIGINT)[number % 2]


@pytest.mark.parametrize("number", range(MOMENTS))
def test_a_signal_while_a_node_starts(stop_cluster: LocalCluster, number: int) -> None:
    node = stop_cluster["node1"]
    # Before the interpreter has come to our first line it dies of any signal, as every program does.
    delay_s = 0.2 + (number + random.Random(number).random()) / MOMENTS * 0.6
    node.start()
    # The moment is what is tested: there is nothing to wait for.
    time.sleep(delay_s)
    assert_stops(node, signum(number))


@pytest.fixture(scope="module")
def stop_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """node2 and node3 run; node1 comes and goes."""
    cluster = LocalCluster(directory=tmp_path_factory.mktemp("stops"))
    try:
        cluster.start()
        cluster["node1"].stop()
        yield cluster
    finally:
        cluster.end()


def test_nodes_stop_in_order_under_load_and_next_to_nothing_is_uncertain(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    leaving = cluster["node1"]
    with Writers([cluster["node2"], cluster["node3"]] * 2, QUORUM) as writers:
        for number in range(4):
            writers.wait_more(100 + 50 * number)
            assert_stops(leaving, signum(number))
            writers.wait_more(100)
            leaving.start()
            leaving.wait_ready()
            cluster.wait_connected()
    assert not writers.refused, writers.refused[:3]
    # A write in flight while the primary changes may be counted by too few: it is reported, never lost.
    assert len(writers.uncertain) <= 8, writers.reasons
    for node in cluster:
        assert_kept(writers, node, QUORUM)
    wait_converged(cluster, writers)


def test_a_node_with_clients_of_its_own_stops(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    leaving = cluster["node1"]
    with Writers([*cluster], QUORUM) as writers:
        writers.wait_more()
        assert_stops(leaving, signal.SIGTERM)
        writers.wait_more()
    for node in (cluster["node2"], cluster["node3"]):
        assert_kept(writers, node, QUORUM)


def test_all_nodes_stop_at_once_under_load(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    with Writers([*cluster], QUORUM) as writers:
        writers.wait_more()
        began = time.monotonic()
        for node in cluster:
            node.send_signal(signal.SIGTERM)
        for node in cluster:
            assert node.process is not None
            assert node.process.wait(10) == 0, node.log_text()[-3000:]
            assert "Traceback" not in node.log_text()
        assert time.monotonic() - began < SOON_S


def test_the_last_node_of_a_frozen_cluster_stops(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    with Writers([cluster["node1"]], QUORUM) as writers:
        writers.wait_more(50)
        cluster["node2"].freeze()
        cluster["node3"].freeze()
        assert_stops(cluster["node1"], signal.SIGTERM)
