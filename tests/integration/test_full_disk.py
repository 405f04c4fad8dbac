"""A disk that is really full: a clear refusal, reads, and life goes on when there is room."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.integration.cluster import ONE, client
from tests.integration.conftest import MakeCluster
from trio_dynomite.testing.local import LocalNode, wait_until

pytestmark = pytest.mark.integration

DISK_MB = 300


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; where that cannot be had, the test in `tests/unit/storage` has to do."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a file system: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Take all room but so many bytes."""
    filler = place / "filler"
    stat = subprocess.run(
        ["df", "--output=avail", "-B1", str(place)], capture_output=True, text=True, check=True
    )
    with filler.open("wb") as file:
        left = int(stat.stdout.split()[1]) - leave
        while left > 0:
            left -= file.write(b"x" * min(left, 1 << 20))
    return filler


@pytest.mark.parametrize("engine", ["rocksdb", "redis"])
def test_writes_are_refused_before_the_disk_is_full(
    make_cluster: MakeCluster, small_disk: Path, engine: str
) -> None:
    (node,) = make_cluster({"dc1": [1]}, settings(small_disk, "128mb", engine))
    assert node.command("SET", "before", "kept") == b"OK"
    filler = fill(small_disk, 100 << 20)
    wait_refused(node)
    assert node.command("DEL", "before").args[0].startswith("MISCONF")
    assert node.command("GET", "before") == b"kept"
    assert node.info("persistence")["storage_failure"]
    filler.unlink()
    wait_until(lambda: node.command("SET", "after", "1") == b"OK", "it heals")
    assert node.log_text().count("disk.full") == node.log_text().count("disk.healed") == 1


@pytest.mark.parametrize("engine", ["rocksdb", "redis"])
def test_a_write_that_fails_is_done_when_there_is_room(
    make_cluster: MakeCluster, small_disk: Path, engine: str
) -> None:
    (node,) = make_cluster({"dc1": [1]}, settings(small_disk, 0, engine))
    assert node.command("SET", "before", "kept") == b"OK"
    filler = fill(small_disk, 1 << 20)
    with client(node, ONE) as connected:
        for number in range(40):
            if refused(node):
                break
            with suppress(redis.ConnectionError):  # where it comes out after the turn, nobody is told
                connected.execute_command("SET", f"during:{number}", "x" * 100_000)
    wait_refused(node)
    lives = node.log_text().count("node.state state=NORMAL")
    held = int(node.command("DBSIZE"))
    assert node.command("GET", "before") == b"kept"
    assert node.command("GET", "during:0") == b"x" * 100_000
    filler.unlink()
    wait_until(lambda: node.command("SET", "after", "1") == b"OK", "it heals")
    assert node.log_text().count("node.state state=NORMAL") == lives == 1
    node.kill()
    node.start()
    node.wait_ready()
    assert int(node.command("DBSIZE")) == held + 1
    assert node.command("GET", "after") == b"1"


def settings(place: Path, reserve: object, engine: str) -> dict[str, dict[str, object]]:
    return {"storage": {"engine": engine, "path": str(place), "reserve": reserve}}


def refused(node: LocalNode) -> bool:
    return bool(node.info("persistence")["storage_failure"])


def wait_refused(node: LocalNode) -> None:
    wait_until(lambda: "MISCONF" in repr(node.command("SET", "probe", "x")), "writes are refused")
