"""Six real nodes in two datacenters under all kinds of faults, for a while; CHAOS_SECONDS makes it longer.

Each is in a network namespace where this machine allows that; a second run, through a relay, needs nothing.
`python -m tests.chaos` is the same with its story and its tables.
"""

import os
import subprocess
import sys

import pytest

from tests.tidy.source import ROOT

pytestmark = pytest.mark.integration

SECONDS = int(os.environ.get("CHAOS_SECONDS", "12"))
SEED = os.environ.get("CHAOS_SEED", "3")
AROUND_S = 200
"""The start, the last faults' ends, and as long as the copies may take to become equal."""


def torment(seconds: int, *options: str) -> str:
    command = [sys.executable, "-m", "tests.chaos", "--seconds", str(seconds), "--seed", SEED, *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + AROUND_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all promises kept" in ran.stdout
    return ran.stdout


@pytest.mark.timeout(SECONDS + AROUND_S + 10)
def test_six_nodes_under_all_faults_keep_their_promises() -> None:
    torment(SECONDS)


@pytest.mark.timeout(SECONDS + AROUND_S + 10)
def test_so_do_six_nodes_behind_a_relay() -> None:
    torment(max(SECONDS - 4, 8), "--relay")
