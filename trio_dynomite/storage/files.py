"""Files that are there as a whole or not at all: written beside their place, synced, then renamed into it."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from attrs import define, field


@define(eq=False)
class WholeFile:
    """One that is being written. Everything but `abort` may raise OSError."""

    path: Path
    size: int = 0
    _beside: Path = field(init=False)
    _file: BinaryIO | None = None

    def __attrs_post_init__(self) -> None:
        self._beside = self.path.with_name(self.path.name + ".tmp")

    def write(self, data: bytes) -> None:
        """Add some bytes."""
        if self._file is None:
            self._file = self._beside.open("wb")
        self.size += self._file.write(data)

    def finish(self) -> None:
        """Have it in its place, whatever was there before."""
        self.write(b"")
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self.path)
        sync_folder(self.path.parent)

    def abort(self) -> None:
        """Leave nothing behind, if it is not finished."""
        if self._file is None:
            return
        with suppress(OSError):  # what it still had to write is not wanted
            self._file.close()
        self._beside.unlink(missing_ok=True)


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Make `path` a file of these parts, whatever is there now; its size.

    When it raises OSError, nothing has changed."""
    file = WholeFile(path)
    try:
        for part in parts:
            file.write(part)
        file.finish()
    finally:
        file.abort()
    return file.size


def sync_folder(path: Path) -> None:
    """What was renamed and deleted in a directory is so even after the machine has lost its power."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
