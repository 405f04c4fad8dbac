"""Backups of nodes at work, and what is there after everything was wiped and restored from them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import QUORUM, Writers, client, wait_missed
from tests.integration.conftest import MakeCluster
from tests.integration.test_collection import HASTY, KEYS, stat
from trio_dynomite.testing.local import LocalCluster, LocalNode, wait_until

pytestmark = pytest.mark.integration


def sections(path: Path, **more: Any) -> dict[str, dict[str, Any]]:
    storage = {"engine": "rocksdb", "path": str(path / "data")}
    return {"storage": storage, "rocksdb": {"backup_path": str(path / "backups")}, **more}


def restore(node: LocalNode, *more: str) -> subprocess.CompletedProcess[str]:
    file = str(node.directory / "cluster.toml")
    command = [sys.executable, "-m", "trio_dynomite", "restore", file, "--node", node.name, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def wait_alike(cluster: LocalCluster) -> None:
    wait_until(
        lambda: len({node.command("DEBUG", "DIGEST") for node in cluster}) == 1,
        "all hold the same",
        timeout_s=30,
    )


def test_a_cluster_is_restored_from_backups_that_were_made_under_load(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    cluster = make_cluster(None, sections(tmp_path))
    first = cluster["node1"]
    with Writers([*cluster], QUORUM) as writers:
        writers.wait_more()
        first.command("SET", "lasting", "value", "EX", 1000)
        first.command("SADD", "set", *range(1000))
        before = dict(writers.acknowledged)
        for node in cluster:
            assert node.command("SAVE", timeout_s=20) == b"OK"
        writers.wait_more()
        assert first.command("BGSAVE") == b"Background saving started"
        wait_until(lambda: first.info("persistence")["rdb_saves"] == "2", "a second one is made")
        writers.wait_more()
    assert before
    for node in cluster:
        node.kill()
        assert "move it away" in restore(node).stderr
        shutil.rmtree(tmp_path / "data" / node.name)
        done = restore(node)
        assert done.returncode == 0, done.stderr
    for node in cluster:
        node.start()
    for node in cluster:
        node.wait_ready(40)
    cluster.wait_connected()
    wait_alike(cluster)
    for node in cluster:
        with client(node) as connected:
            assert connected.mget(list(before)) == list(before.values())
            assert 0 < connected.ttl("lasting") <= 1000
            assert connected.scard("set") == 1000


def test_a_node_restored_from_an_old_backup_brings_nothing_back(
    make_cluster: MakeCluster, tmp_path: Path
) -> None:
    cluster = make_cluster({"dc1": [1, 1, 1]}, sections(tmp_path, **HASTY))
    first, _, third = cluster
    with client(first, QUORUM) as connected:
        for number in range(KEYS):
            connected.set(f"key:{number}", "v")
        connected.set("stays", "v")
        assert third.command("SAVE", timeout_s=20) == b"OK"
        connected.delete(*[f"key:{number}" for number in range(KEYS)])
        wait_until(lambda: not any(stat(node, "tombstones") for node in cluster), "all is forgotten")
        connected.set("new", "v")
        third.kill()
        wait_missed(cluster, third)
        shutil.rmtree(tmp_path / "data" / third.name)
        assert restore(third).returncode == 0
        third.start()
        third.wait_ready(40)
        wait_alike(cluster)
        assert [node.command("DBSIZE") for node in cluster] == [2, 2, 2]
        assert (connected.get("stays"), connected.get("new")) == (b"v", b"v")


def test_the_newest_few_backups_stay_and_each_is_whole(make_cluster: MakeCluster, tmp_path: Path) -> None:
    (node,) = make_cluster({"dc1": [1]}, sections(tmp_path))
    for number in range(4):
        node.command("SET", "number", number)
        assert node.command("SAVE") == b"OK"
    assert node.command("LASTSAVE") > 0
    kept = sorted((tmp_path / "backups" / node.name).iterdir())
    assert len(kept) == 2
    node.kill()
    os.rename(tmp_path / "data" / node.name, tmp_path / "away")
    assert restore(node, "--from", str(kept[0])).returncode == 0
    node.start()
    node.wait_ready()
    assert node.command("GET", "number") == b"2"


def test_what_cannot_be_backed_up_is_told(make_cluster: MakeCluster, tmp_path: Path) -> None:
    (tmp_path / "backups").write_bytes(b"in the way")
    (node,) = make_cluster({"dc1": [1]}, sections(tmp_path))
    with client(node) as connected, pytest.raises(Exception, match=r"File exists|Not a directory"):
        connected.save()
    assert node.info("persistence")["rdb_last_bgsave_status"] == "err"
    assert node.command("SET", "key", "v") == b"OK"
