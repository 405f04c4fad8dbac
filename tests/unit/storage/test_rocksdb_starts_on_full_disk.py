"""A node that is started on a full disk says so; it is no mistake in its configuration."""

from pathlib import Path
from typing import Any

import pytest

from trio_dynomite.errors import ConfigError, NoRoomError
from trio_dynomite.storage.rocksdb import store as rocks
from trio_dynomite.storage.rocksdb.store import open_store

FULL = "IO error: No space left on device: While appending to file: 000004.log"


def slot_of(key: bytes) -> int:
    return 0


def test_a_full_disk_at_the_start_is_no_mistake_in_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(path: str, tuning: Any) -> Any:
        raise Exception(why)

    monkeypatch.setattr(rocks, "open_database", opened)
    why = FULL
    with pytest.raises(NoRoomError, match="No space left"):
        open_store(str(tmp_path), slot_of, "of a test")
    why = "IO error: Permission denied"
    with pytest.raises(ConfigError):
        open_store(str(tmp_path), slot_of, "of a test")
