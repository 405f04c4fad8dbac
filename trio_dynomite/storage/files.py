"""Files that are there as a whole or not at all: written beside their place, synced, then renamed into it."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Make `path` a file of these parts, whatever is there now; its size.

    When it raises OSError, nothing has changed."""
    beside = path.with_name(path.name + ".tmp")
    size = 0
    try:
        with beside.open("wb") as file:
            for part in parts:
                size += file.write(part)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return size


def sync_folder(path: Path) -> None:
    """What was renamed and deleted in a directory is so even after the machine has lost its power."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
