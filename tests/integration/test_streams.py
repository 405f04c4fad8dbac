"""Streams with redis-py on a real cluster: groups that consumers on all nodes share, and reads that wait."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.cluster import QUORUM, client
from trio_dynomite.testing.local import LocalCluster, wait_until

pytestmark = pytest.mark.integration

NODES = ("node1", "node2", "node3")


def later(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """`call` in a thread of its own; what it gave or raised is put into the list."""
    told: list[Any] = []

    def run() -> None:
        try:
            told.append(call())
        except redis.RedisError as error:
            told.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, told


@pytest.fixture
def nodes(cluster: LocalCluster) -> Any:
    with (
        client(cluster["node1"], QUORUM) as one,
        client(cluster["node2"], QUORUM) as two,
        client(cluster["node3"], QUORUM) as three,
    ):
        one.flushall()
        yield one, two, three


def test_consumers_on_all_nodes_share_a_group(nodes: Any) -> None:
    nodes[0].xgroup_create("jobs", "workers", "$", mkstream=True)
    ids = [nodes[number % 3].xadd("jobs", {"number": str(number)}) for number in range(30)]
    assert ids == sorted(ids)
    got: list[bytes] = []
    for number in range(10):
        reader = nodes[number % 3]
        ((_, entries),) = reader.xreadgroup("workers", f"on{number % 3}", {"jobs": ">"}, count=3)
        got += [entry_id for entry_id, _ in entries]
    assert got == ids
    assert nodes[1].xreadgroup("workers", "on1", {"jobs": ">"}) == []
    assert nodes[2].xack("jobs", "workers", *ids[:12]) == 12
    assert nodes[0].xpending("jobs", "workers")["pending"] == 18
    told = [connected.xinfo_stream("jobs", full=True) for connected in nodes]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("reader", range(3))
def test_a_read_waits_for_an_entry_that_is_added_elsewhere(nodes: Any, reader: int) -> None:
    nodes[0].xadd("news", {"old": "entry"})
    thread, told = later(lambda: nodes[reader].xread({"news": "$"}, block=10_000))
    added = []
    while thread.is_alive():  # who knows when it began to wait
        added.append(nodes[(reader + 1) % 3].xadd("news", {"new": "entry"}))
        thread.join(0.05)
    ((name, entries),) = told[0]
    assert name == b"news"
    assert len(entries) == 1
    assert entries[0][0] in added


def test_a_consumer_that_waits_is_told_when_the_group_goes(nodes: Any) -> None:
    nodes[0].xgroup_create("jobs", "workers", "$", mkstream=True)
    thread, told = later(lambda: nodes[1].xreadgroup("workers", "me", {"jobs": ">"}, block=10_000))
    wait_until(lambda: nodes[0].xinfo_consumers("jobs", "workers") != [], "the consumer waits")
    assert nodes[2].xgroup_destroy("jobs", "workers") == 1
    thread.join(10)
    assert "NOGROUP" in str(told[0])
