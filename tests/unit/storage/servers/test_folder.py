"""A managed server's directory: whose it is, what still runs in it, and how it is reached."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trio_dynomite.errors import DynomiteError
from trio_dynomite.storage.servers.folder import SOCKET_PATH_MAX, ServerFolder, tail_of


def test_it_is_made_for_nobody_else(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "node1" / "redis")
    folder.claim()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.release()


def test_two_nodes_never_share_it(tmp_path: Path) -> None:
    first, second = ServerFolder(tmp_path), ServerFolder(tmp_path)
    first.claim()
    with pytest.raises(DynomiteError, match="is used by another node"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_where_it_cannot_be_made_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DynomiteError, match="cannot be used"):
        ServerFolder(tmp_path / "file" / "redis").claim()


def test_whoever_inherited_the_lock_is_found(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path)
    lock = folder.lock()
    assert lock >= 0
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,), close_fds=True
    )
    os.close(lock)
    assert folder.lock() == -1
    assert folder.holders() == [child.pid]
    child.communicate(b"\n")
    assert folder.holders() == []
    lock = folder.lock()
    assert lock >= 0
    os.close(lock)


def test_a_path_that_is_too_long_for_a_socket_goes_through_a_descriptor(tmp_path: Path) -> None:
    short, long = ServerFolder(tmp_path / "a"), ServerFolder(tmp_path / ("x" * 100) / "redis")
    long.claim()
    assert short.socket == str(tmp_path / "a" / "socket")
    assert len(long.socket) < SOCKET_PATH_MAX
    Path(long.path, "socket").touch()
    assert Path(long.socket).exists()
    long.release()


def test_the_log_goes_on_until_it_is_too_long(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path)
    for line in (b"one\n", b"two\n"):
        fd = folder.open_log()
        os.write(fd, line)
        os.close(fd)
    assert tail_of(folder.log, 0) == "one | two"
    assert tail_of(folder.log, 4) == "two"
    with folder.log.open("ab") as log:
        log.truncate(9 << 20)
    os.close(folder.open_log())
    assert folder.log.stat().st_size == 0
    assert folder.log.with_suffix(".log.1").stat().st_size == 9 << 20
