"""Clients that block while their key's primary dies: all are served, or told; nothing is lost or doubled."""

from contextlib import ExitStack

import pytest

from tests.integration.cluster import QUORUM, client, primary_of, wait_missed
from tests.integration.conftest import MakeCluster
from tests.integration.queues import STREAM, all_waiting, assert_accounted, prepare
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration


def start(cluster: LocalCluster) -> tuple[LocalNode, list[LocalNode]]:
    """The primary of all queues (of one of them, another leads a part), and the others."""
    victim = primary_of(cluster, STREAM.key)
    return victim, [node for node in cluster if node is not victim]


def blocked(nodes: list[LocalNode]) -> int:
    """How many clients of some nodes wait."""
    return sum(int(node.info("clients")["blocked_clients"]) for node in nodes)


def test_who_waits_while_the_primary_dies_waits_on(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    victim, others = start(cluster)
    works = prepare(cluster, others[0])
    with all_waiting(works, others * 2):
        wait_until(lambda: blocked(others) == 4 * len(works) + 2, "all wait")
        victim.kill()
        wait_missed(cluster, victim)
        with client(others[1], QUORUM) as connected:
            for number in range(20):
                for work in works:
                    work.push(connected, number)
        for work in works:
            work.wait_taken()
    for work in works:
        assert (work.perhaps, work.unknown) == ([], [])
        assert len(work.acknowledged) == 39
    assert_accounted(works, others[0])


def test_nothing_is_lost_or_doubled_while_primaries_die(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    victim, others = start(cluster)
    works = prepare(cluster, others[0])
    with all_waiting(works, [*others, *others, victim]), ExitStack() as stack:
        for work in works:
            stack.enter_context(work.pushing(others[0]))
        for _ in range(2):
            wait_until(lambda: primary_of(cluster, STREAM.key, others[0]) is victim, "it leads")
            for work in works:
                work.wait_more(30)
            victim.kill()
            for work in works:
                work.wait_more(30)
            victim.start()
            victim.wait_ready()
        cluster.wait_connected()
    assert_accounted(works, others[0])
