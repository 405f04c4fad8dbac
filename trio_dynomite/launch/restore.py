"""`trio-dynomite restore`: put a backup in the place of a node's data, before the node is started.

The node then starts with what the backup has, and learns from the others what came after it. What they have
forgotten since as long dead is dropped, too: the rule for any node that comes back with old data.
"""

import os
import shutil
from pathlib import Path

from trio_dynomite import durable
from trio_dynomite.config import Settings, kinds
from trio_dynomite.errors import ConfigError, ConfigProblem
from trio_dynomite.storage.files import sync_folder

_TABLE = ".sst"


def restore(settings: Settings, node: str, source: str | None) -> tuple[Path, Path]:
    """Where the backup was, and where it is now. Raises ConfigError when something is in the way."""
    engine = settings.engine_of(settings.node(node))
    if engine != kinds.ROCKSDB:
        raise _refused("storage.engine", f"is {engine!r}: only a RocksDB has backups")
    target = durable.folder_of(settings, node)
    backup = _newest(settings, node) if source is None else Path(source)
    if not (backup / "CURRENT").is_file():
        raise _refused("rocksdb.backup_path", f"{backup} is no backup")
    if target.exists():
        raise _refused("storage.path", f"{target} is there: move it away first; {backup} was not touched")
    beside = target.with_name(target.name + ".restoring")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(backup, beside, copy_function=_copy)
    os.sync()
    beside.rename(target)
    sync_folder(target.parent)
    return backup, target


def _newest(settings: Settings, node: str) -> Path:
    from trio_dynomite.storage.rocksdb.backups import backups_in

    folder = durable.backups_of(settings, node)
    found = backups_in(folder)
    if not found:
        raise _refused("rocksdb.backup_path", f"there is no backup of {node} in {folder}")
    return found[-1]


def _copy(source: str, target: str) -> None:
    """Tables never change, so a second name is enough where there can be one."""
    if source.endswith(_TABLE):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)


def _refused(setting: str, why: str) -> ConfigError:
    return ConfigError("restore", (ConfigProblem(setting, why),))
