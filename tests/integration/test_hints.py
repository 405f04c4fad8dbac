"""Hints in files: who keeps them is killed, and whoever was away gets them all the same."""

import re
from pathlib import Path

import pytest

from tests.integration.cluster import QUORUM, Writers, assert_kept, wait_converged, wait_missed
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration


def on_disk(path: Path) -> dict[str, dict[str, object]]:
    return {"storage": {"engine": "rocksdb", "path": str(path)}, "repair": {"interval": 0}}


def hints(node: LocalNode) -> int:
    return int(node.info("stats")["hints"])


def files(path: Path, node: LocalNode, target: LocalNode) -> list[Path]:
    return [*(path / node.name / "hints" / target.name).glob("*")]


def test_hints_outlive_the_nodes_that_keep_them(make_cluster: MakeCluster, tmp_path: Path) -> None:
    cluster = make_cluster(None, on_disk(tmp_path))
    away, *keepers = cluster
    with Writers(keepers, QUORUM) as writers:
        writers.wait_more()
        away.kill()
        wait_missed(cluster, away)
        writers.wait_more(600)
        kept = [hints(keeper) for keeper in keepers]
        assert all(files(tmp_path, keeper, away) for keeper in keepers)
        for keeper in keepers:
            keeper.kill()
    broken = files(tmp_path, keepers[1], away)[0]
    data = bytearray(broken.read_bytes())
    key = re.compile(rb"[a-z0-9:]{6,}").search(data, len(data) // 2)
    assert key is not None
    data[key.start() + 3] ^= 1  # not in a length: what seems to be longer than the file is taken for torn
    broken.write_bytes(data)
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.wait_ready()
    assert hints(keepers[0]) >= kept[0] > 0
    assert 0 < hints(keepers[1]) < kept[1]
    assert "hints.damaged" in keepers[1].log_text()
    assert int(keepers[1].info("stats")["hints_log_unread_bytes"]) > 0
    away.start()
    away.wait_ready()
    cluster.wait_connected()
    wait_converged(cluster, writers)
    assert_kept(writers, away, QUORUM)
    for keeper in keepers:
        wait_until(lambda keeper=keeper: not hints(keeper), "all hints are delivered")  # type: ignore[misc]
        assert not files(tmp_path, keeper, away)
        assert int(keeper.info("stats")["hints_delivered"]) > 0
        assert "hints.restored" in keeper.log_text()
