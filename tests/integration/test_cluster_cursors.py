"""Cursors over a cluster that changes, and loses a node: what is there all the time is found.

Redis's guarantee of SCAN and its kind (https://valkey.io/commands/scan/): an element that is there from the
first call of an iteration to the last is returned. Here any node may take an iteration up where another left
it, the one that was killed and started again among them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

import pytest
from attrs import define, field
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from trio_dynomite.testing.local import LocalCluster, wait_until

pytestmark = pytest.mark.integration

STABLE = 1200
PAGE = 20
PAGES_MAX = 3000


@define
class Kind:
    """What is scanned: how elements come and go, and how a page is read."""

    name: str
    add: Callable[[Redis, list[str]], Any]
    remove: Callable[[Redis, list[str]], Any]
    page: Callable[[Redis, int], tuple[int, set[str]]]
    size: Callable[[Redis], Any]


def _page(answer: tuple[int, Any]) -> tuple[int, set[str]]:
    cursor, found = answer
    return cursor, {one[0] if isinstance(one, tuple) else one for one in found}


KINDS = [
    Kind(
        "hash",
        lambda client, names: client.hset("h", mapping=dict.fromkeys(names, "v")),
        lambda client, names: client.hdel("h", *names),
        lambda client, cursor: _page(client.hscan("h", cursor, count=PAGE)),
        lambda client: client.hlen("h"),
    ),
    Kind(
        "set",
        lambda client, names: client.sadd("s", *names),
        lambda client, names: client.srem("s", *names),
        lambda client, cursor: _page(client.sscan("s", cursor, count=PAGE)),
        lambda client: client.scard("s"),
    ),
    Kind(
        "sorted set",
        lambda client, names: client.zadd("z", {name: len(name) for name in names}),
        lambda client, names: client.zrem("z", *names),
        lambda client, cursor: _page(client.zscan("z", cursor, count=PAGE)),
        lambda client: client.zcard("z"),
    ),
    Kind(
        "keys",
        lambda client, names: client.mset(dict.fromkeys(names, "v")),
        lambda client, names: client.delete(*names),
        lambda client, cursor: _page(client.scan(cursor, count=PAGE)),
        lambda client: client.dbsize(),
    ),
]


@define
class Clients:
    """A client of each node, and chance."""

    cluster: LocalCluster
    rng: Random
    clients: dict[str, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.clients = {
            node.name: Redis(
                node.host,
                node.port,
                decode_responses=True,
                socket_timeout=10,
                retry=Retry(NoBackoff(), 0),
            )
            for node in self.cluster
        }

    def any(self, act: Callable[[Any], Any]) -> Any:
        """What `act` gives at a node drawn by chance. While one takes a dead one's place, none may answer
        for a moment."""
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            with suppress(RedisError):
                return act(self.clients[self.rng.choice(sorted(self.clients))])
        raise AssertionError("no node answers")

    def close(self) -> None:
        """End all connections."""
        for client in self.clients.values():
            client.close()


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster({"dc1": [1, 1, 1]}) as cluster:
        yield cluster


@contextmanager
def churn(cluster: LocalCluster, kind: Kind) -> Iterator[None]:
    """Add and remove elements through all nodes, until the block ends."""
    is_over = threading.Event()
    clients = Clients(cluster, Random(2))

    def run() -> None:
        while not is_over.is_set():
            names = [f"passing:{clients.rng.randrange(2000)}" for _ in range(clients.rng.randrange(1, 20))]
            act = clients.rng.choice([kind.add, kind.remove])
            clients.any(lambda client, act=act, names=names: act(client, names))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        clients.close()


def scan(clients: Clients, kind: Kind, turns: dict[int, Callable[[], None]]) -> set[str]:
    """All that an iteration finds, each page at another node; `turns`: what happens before some pages."""
    found: set[str] = set()
    cursor = 0
    for number in range(PAGES_MAX):
        turns.get(number, lambda: None)()
        cursor, some = clients.any(lambda client, cursor=cursor: kind.page(client, cursor))
        found |= some
        if not cursor:
            return found
    raise AssertionError(f"no end after {PAGES_MAX} pages")


@pytest.mark.parametrize("victim", ["node1", "node2", "node3"])
def test_what_stays_is_found_while_others_come_and_go_and_a_node_dies(
    cluster: LocalCluster, victim: str
) -> None:
    clients = Clients(cluster, Random(1))
    stable = {f"stable:{number}" for number in range(STABLE)}
    for kind in KINDS:
        for start in range(0, STABLE, 200):
            names = sorted(stable)[start : start + 200]
            clients.any(lambda client, kind=kind, names=names: kind.add(client, names))
        for client in clients.clients.values():
            wait_until(lambda kind=kind, client=client: kind.size(client) >= STABLE, kind.name)
    dies = {20: cluster[victim].kill}
    returns = {5: cluster[victim].start, 25: cluster[victim].wait_ready}
    for kind, turns in zip(KINDS, [dies, returns, dies, returns], strict=True):
        with churn(cluster, kind):
            found = scan(clients, kind, turns)
        assert stable <= found, kind.name
        assert all(name.startswith(("stable:", "passing:")) or kind.name == "keys" for name in found)
    clients.close()
