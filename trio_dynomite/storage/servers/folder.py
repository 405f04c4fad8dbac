"""The directory of a managed server: who uses it, where its socket is, and what an earlier life left running.

Two locks, which the kernel gives up when their holders are gone, however they went. One is the node's: no two
nodes share the directory. The other is inherited by the server, and by whatever that forks: while it is held,
something of an earlier life still runs, and `/proc` tells what.
"""

import fcntl
import os
from pathlib import Path

from attrs import define, field

from trio_dynomite.errors import DynomiteError
from trio_dynomite.storage.servers.programs import SOCKET

SOCKET_PATH_MAX = 107
"""Bytes of a Unix socket's path, on Linux."""
_LOG_MAX = 8 << 20
"""Bytes of a log above which a starting server gets a new one; the old one is kept once."""
_MODE = 0o700
_FILE_MODE = 0o600


@define(eq=False)
class ServerFolder:
    """One server's directory, made if it is not there."""

    path: Path
    _fd: int = field(default=-1, init=False)
    _owner: int = field(default=-1, init=False)

    def claim(self) -> None:
        """Make it this node's. Raises DynomiteError when it is another's, or cannot be used."""
        try:
            self.path.mkdir(mode=_MODE, parents=True, exist_ok=True)
            self.path.chmod(_MODE)
            self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._owner = self._locked("owner.lock")
        except OSError as why:
            self.release()
            raise DynomiteError(f"{self.path} cannot be used: {why}") from why
        if self._owner < 0:
            self.release()
            raise DynomiteError(f"{self.path} is used by another node")

    def release(self) -> None:
        """Let others have it."""
        for fd in (self._owner, self._fd):
            if fd >= 0:
                os.close(fd)
        self._owner = self._fd = -1

    @property
    def socket(self) -> str:
        """The path to connect to: through our descriptor of the directory where it would be too long."""
        path = str(self.path.absolute() / SOCKET)
        return path if len(os.fsencode(path)) <= SOCKET_PATH_MAX else f"/proc/self/fd/{self._fd}/{SOCKET}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.path / "server.log"

    def open_log(self) -> int:
        """A descriptor at the end of its log."""
        if self.log.exists() and self.log.stat().st_size > _LOG_MAX:
            self.log.rename(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _FILE_MODE)

    def lock(self) -> int:
        """A descriptor that whoever inherits it holds the server's lock by; -1 if somebody does."""
        return self._locked("server.lock")

    def _locked(self, name: str) -> int:
        fd = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return -1
        return fd

    def holders(self) -> list[int]:
        """The processes that have the server's lock open."""
        wanted = (self.path / "server.lock").stat()
        found = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
        return [pid for pid in found if pid != os.getpid() and _has_open(pid, wanted)]


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    """Has a process this file open? One that is gone, or is another user's, has not."""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.path.samestat(os.stat(f"/proc/{pid}/fd/{fd}"), wanted):
                    return True
            except OSError:
                continue
    except OSError:
        pass
    return False


def tail_of(log: Path, since: int, lines: int = 3) -> str:
    """The last lines of a log, of what was written after its first `since` bytes."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, size), size - 2048))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])
