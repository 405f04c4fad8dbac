"""Six real nodes in two datacenters under all kinds of faults, for a while; CHAOS_SECONDS makes it longer.

`python -m tests.chaos` is the same with its story and its tables.
"""

import os
import subprocess
import sys

import pytest

from tests.chaos import lab
from tests.tidy.source import ROOT

pytestmark = pytest.mark.integration

SECONDS = int(os.environ.get("CHAOS_SECONDS", "12"))
SEED = os.environ.get("CHAOS_SEED", "3")
AROUND_S = 200
"""The start, the last faults' ends, and as long as the copies may take to become equal."""


@pytest.mark.timeout(SECONDS + AROUND_S + 10)
def test_six_nodes_under_all_faults_keep_their_promises() -> None:
    if (why := lab.why_not()) is not None:
        pytest.skip(why)
    command = [sys.executable, "-m", "tests.chaos", "--seconds", str(SECONDS), "--seed", SEED]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + AROUND_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all promises kept" in ran.stdout
