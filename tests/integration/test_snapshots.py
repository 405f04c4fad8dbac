"""Snapshots of nodes in memory: what a stopped node starts with, and what it learns on top of it."""

from pathlib import Path

import pytest

from tests.integration.cluster import QUORUM, Writers, assert_kept, wait_converged
from tests.integration.conftest import MakeCluster
from tests.integration.test_rocksdb import WRITES, look
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration


def saving(path: Path) -> dict[str, dict[str, object]]:
    return {"storage": {"path": str(path), "snapshot_every": "1h"}}


def again(node: LocalNode) -> None:
    node.start()
    node.wait_ready()


def test_a_lone_node_has_what_it_saved(make_cluster: MakeCluster, tmp_path: Path) -> None:
    (node,) = make_cluster({"dc1": [1]}, saving(tmp_path))
    for request in WRITES:
        node.command(*request)
    before = look(node)
    node.stop()
    again(node)
    assert look(node) == before, "one is made at an orderly stop"
    node.command("INCR", "number")
    assert node.command("SAVE") == b"OK"
    before = look(node)
    node.command("SET", "number", "never saved")
    node.kill()
    again(node)
    assert look(node) == before
    (tmp_path / node.name / "snapshot").write_bytes(b"something else")
    node.kill()
    again(node)
    assert node.command("DBSIZE") == 0
    assert "snapshot.refused" in node.log_text()
    assert (tmp_path / node.name / "snapshot.damaged").read_bytes() == b"something else"


def test_an_old_snapshot_is_only_the_beginning(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(None, saving(tmp_path))
    late, *others = cluster
    with Writers(others, QUORUM) as writers:
        writers.wait_more()
        assert late.command("SAVE", timeout_s=20) == b"OK"
        others[0].command("SET", "deleted later", "x")
        late.command("SAVE", timeout_s=20)
        writers.wait_more()
        late.kill()
        # Whoever has not noticed the death yet may have asked the dead.
        wait_until(lambda: others[0].command("DEL", "deleted later") in (0, 1), "it is deleted")
        writers.wait_more()
        again(late)
    cluster.wait_connected()
    assert_kept(writers, late, QUORUM)
    wait_converged(cluster, writers)
    assert late.command("GET", "deleted later") is None
    assert "snapshot.restored" in late.log_text()
