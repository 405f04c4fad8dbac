"""The tests' own module for servers (`modules/probe.c`), compiled, and what its commands tell."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "modules" / "probe.c"
TYPE = b"probe-num"
COMMANDS = 9
"""So many rows it has, one of them of a subcommand."""


def built(folder: Path) -> Path:
    """The module, compiled into a folder; where CI=true there must be a compiler."""
    compiler = shutil.which("cc")
    if compiler is None and os.environ.get("CI") != "true":
        pytest.skip("there is no C compiler")
    assert compiler is not None
    target = folder / "probe.so"
    subprocess.run([compiler, "-std=gnu99", "-shared", "-fPIC", "-O1", "-o", target, SOURCE], check=True)
    return target
