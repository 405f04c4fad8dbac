"""What CONFIG GET tells of data on disk, under the names that Redis has for its own files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trio_dynomite.server.server import Server

_APPENDFSYNC: Mapping[str, str] = {"always": "always", "everysec": "everysec", "none": "no"}


def storage_parameters(server: Server) -> dict[str, str]:
    """They are fixed while a node runs; none where nothing is on disk."""
    settings = server.settings
    if settings.storage.engine != "rocksdb":
        return {}
    return {
        "appendfsync": _APPENDFSYNC[settings.rocksdb.durability],
        "appendonly": "yes",
        "dir": settings.storage.path,
    }
