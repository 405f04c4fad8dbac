"""SAVE, BGSAVE, LASTSAVE: a snapshot of what this node has in memory, or a backup of what it has on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trio_dynomite.errors import CommandError
from trio_dynomite.model import ENGINES
from trio_dynomite.protocol.replies import OK, error, integer, simple
from trio_dynomite.server.answers.answer import Answer
from trio_dynomite.storage.saving import Saver

if TYPE_CHECKING:
    from trio_dynomite.server.session import Session

_BUSY = "ERR Background save already in progress"


def saved_s(session: Session) -> int:
    """When the last snapshot was made; where none was, Redis tells when it started."""
    snapshots = session.server.snapshots
    saved_ms = 0 if snapshots is None else snapshots.saved_ms
    return (saved_ms or session.server.started_ms) // 1000


def _lastsave(session: Session, args: list[bytes]) -> bytes:
    return integer(saved_s(session))


def _save(session: Session, args: list[bytes]) -> bytes | None:
    """SAVE: answered when the snapshot is there. Only this client waits."""
    snapshots = _free(session, "SAVE")
    if session.is_executing:
        raise CommandError("ERR SAVE cannot wait inside a transaction")
    place = session.stall()
    snapshots.want(lambda failure: place.done(OK if failure is None else error(f"ERR {failure}")))
    return None


def _bgsave(session: Session, args: list[bytes]) -> bytes:
    """BGSAVE [SCHEDULE]: answered when it has begun, or soon will."""
    is_scheduled = len(args) == 2 and args[1].upper() == b"SCHEDULE"
    if len(args) > 1 and not is_scheduled:
        raise CommandError("ERR syntax error")
    snapshots = _found(session, "BGSAVE") if is_scheduled else _free(session, "BGSAVE")
    was_running = snapshots.is_running
    snapshots.want()
    return simple("Background saving scheduled" if was_running else "Background saving started")


def _found(session: Session, name: str) -> Saver:
    snapshots = session.server.snapshots
    if snapshots is None:
        storage = session.server.settings.storage
        why = "storage.snapshot_every is 0"
        able = ENGINES[storage.engine]
        if not able.is_in_memory:
            where = "on disk already" if able.outlives_node else "on a server"
            why = f"with storage.engine {storage.engine!r} everything is {where}"
        raise CommandError(f"ERR {name} is not supported: {why}")
    return snapshots


def _free(session: Session, name: str) -> Saver:
    snapshots = _found(session, name)
    if snapshots.is_running:
        raise CommandError(_BUSY)
    return snapshots


ANSWERS: Mapping[str, Answer] = {"bgsave": _bgsave, "lastsave": _lastsave, "save": _save}
