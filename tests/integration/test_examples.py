"""Every example runs as it is, and prints what it promises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
EXAMPLES = TOP / "examples"

pytestmark = pytest.mark.integration

LAST_WORDS = {
    "first_cluster.py": ["node3 goes on: greeting=hello visits=1", "node1 says: greeting=hello visits=1"],
    "two_datacenters.py": ["GET visits             115", "needs 2 replicas in east, 0 alive"],
    "consistency_levels.py": [
        "needs 2 replicas in dc1, 1 alive",
        "DC_ONE at node1                    GET key",
    ],
}


def run(*command: str, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, str(TOP)]))},
    )


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("[!_]*.py")))
def test_an_example_runs_as_it_is(name: str) -> None:
    done = run(str(EXAMPLES / name))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for words in LAST_WORDS[name]:
        assert words in done.stdout, done.stdout


def test_levels_are_kept_to_while_nodes_die() -> None:
    said = run(str(EXAMPLES / "consistency_levels.py")).stdout
    three, two, one, back = (part.splitlines() for part in said.split("\n\n"))
    for part, value in ((three, "with-three"), (two, "with-two")):
        assert [line.split()[-1] for line in part[1::2]] == ["OK"] * 4
        # The first read is at DC_ONE, which promises nothing about the write just before.
        assert [line.split()[-1] for line in part[4::2]] == [value] * 3
    assert [line.split()[-1] for line in one[1:3]] == ["OK", "with-one"]
    assert all("NOREPLICAS" in line for line in one[3:])
    assert [line.split()[-1] for line in back[1:]] == ["with-one"] * 4


def test_without_redis_py_an_example_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ModuleNotFoundError('No module', name='redis')")
    done = run(str(EXAMPLES / "first_cluster.py"), path=str(tmp_path))
    assert done.returncode == 1
    assert "needs 'redis', which is not installed here" in done.stderr
    assert "Traceback" not in done.stderr
