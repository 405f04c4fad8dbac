"""Tombstones in real nodes: forgotten when all have heard of them, not while one is away."""

from pathlib import Path

import pytest

from tests.integration.cluster import QUORUM, client, wait_missed
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration

KEYS = 300
HASTY = {"repair": {"interval": "100ms", "tombstone_grace": "1s"}}


def stat(node: LocalNode, name: str) -> int:
    return int(node.info("stats")[name])


@pytest.mark.parametrize("engine", ["memory", "rocksdb"])
def test_what_is_deleted_while_one_is_away_is_remembered_until_it_has_heard(
    make_cluster: MakeCluster, tmp_path: Path, engine: str
) -> None:
    cluster = make_cluster(
        {"dc1": [1, 1, 1]}, {**HASTY, "storage": {"engine": engine, "path": str(tmp_path)}}
    )
    first, second, away = cluster
    with client(first, QUORUM) as connected:
        for number in range(KEYS):
            connected.set(f"key:{number}", "v")
        connected.sadd("set", *range(100))
        connected.incrby("counter", 5)
        away.kill()
        wait_missed(cluster, away)
        connected.delete(*[f"key:{number}" for number in range(KEYS)], "counter")
        connected.srem("set", *range(50))
        rounds = stat(first, "tombstone_rounds")
        wait_until(lambda: stat(second, "repair_comparisons") > 30, "the others have compared for a while")
        assert (stat(first, "tombstones"), stat(first, "tombstone_rounds")) == (KEYS + 1, rounds)

        away.start()
        away.wait_ready()
        wait_until(lambda: not any(stat(node, "tombstones") for node in cluster), "all is forgotten")
        assert stat(away, "tombstones_collected") > 0 or engine == "memory"

        assert connected.exists(*[f"key:{number}" for number in range(KEYS)]) == 0
        assert connected.scard("set") == 50
        assert connected.incr("counter") == 1
    wait_until(lambda: len({node.command("DEBUG", "DIGEST") for node in cluster}) == 1, "all hold the same")
    assert [node.command("DBSIZE") for node in cluster] == [2, 2, 2]
