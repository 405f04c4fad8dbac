"""The clients and applications of others: where `scripts/clients.sh` puts them, and how one is run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
_PYTHON = HERE.parents[1] / ".venv-clients" / "bin" / "python"
_PROGRAMS = os.pathsep.join([str(_PYTHON.parent), os.environ.get("PATH", os.defpath)])


def command_for(script: str) -> list[str]:
    """How `script`, a path below this folder, is run: with the clients' Python, or with Node.js."""
    return [_node() if script.endswith(".mjs") else _python(), str(HERE / script)]


def run(
    script: str, *arguments: str, environment: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end. Its two outputs stand in `stdout` together."""
    return subprocess.run(
        [*command_for(script), *arguments],
        cwd=(HERE / script).parent,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def _python() -> str:
    if not _PYTHON.exists():
        _missing("the clients in Python are not installed")
    return str(_PYTHON)


def _node() -> str:
    node = which("node", path=_PROGRAMS)
    if node is None or not (HERE / "node" / "node_modules" / ".installed").exists():
        _missing("the clients for Node.js are not installed")
    return node


def _missing(what: str) -> NoReturn:
    """Skip the test; where CI=true, fail."""
    advice = f"{what}: sh scripts/clients.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)
