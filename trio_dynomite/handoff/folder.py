"""The files of a target's hints on a real disk."""

import os
from collections.abc import Iterable
from pathlib import Path

from attrs import define

from trio_dynomite.storage.files import write_whole


@define(eq=False)
class DiskFolder:
    """`log.Folder` in a directory, which is made when something is written."""

    path: Path
    _name: str = ""
    _fd: int = -1
    """Of the file `_name`, to which was appended last."""

    def names(self) -> list[str]:
        """All there are."""
        return os.listdir(self.path) if self.path.exists() else []

    def read(self, name: str) -> bytes:
        """What is in one."""
        return (self.path / name).read_bytes()

    def append(self, name: str, data: bytes) -> None:
        """Write at the end of one, which is made if it is absent."""
        if name != self._name:
            self.release()
            self.path.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._name = name
        written = os.write(self._fd, data)
        while written < len(data):  # the disk is nearly full
            written += os.write(self._fd, data[written:])

    def write(self, name: str, parts: Iterable[bytes]) -> int:
        """Make a file of these parts, synced: all of it, or none; its size."""
        self.path.mkdir(parents=True, exist_ok=True)
        return write_whole(self.path / name, parts)

    def sync(self, name: str) -> None:
        """What was appended is there even after the machine has lost its power."""
        try:
            fd = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # everything was delivered meanwhile
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def delete(self, name: str) -> None:
        """Delete one that may be there."""
        (self.path / name).unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the file to which was appended last."""
        if self._fd >= 0:
            os.close(self._fd)
        self._name, self._fd = "", -1
