"""A line of frames: where storage is on a server, a frame waits until the records of its keys are here.

Those behind it wait too, so all are handled in the order in which they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.data.effect import FIELDS, Flat
from trio_dynomite.protocol.frames import Kind
from trio_dynomite.storage.remote.store import RemoteStore

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.hub.channel import Pipe

_LINE_MAX = 64
"""Frames that wait, beyond which the peer is not read from."""


@define(eq=False)
class FrameLine:
    """The frames of one connection."""

    store: RemoteStore
    pipe: Pipe
    handle: Callable[[int, list[Any]], None]
    _frames: deque[tuple[int, list[Any]]] = field(factory=deque)

    def take(self, kind: int, fields: list[Any]) -> None:
        """A frame has come."""
        missing = self.store.missing(keys_of(kind, fields))
        if not missing and not self._frames:
            self.handle(kind, fields)
            return
        self._frames.append((kind, fields))
        if missing:
            self.store.fetch(missing, self._go_on)
        if len(self._frames) > _LINE_MAX:
            self.pipe.hold(True)

    def _go_on(self) -> None:
        while self._frames:
            missing = self.store.missing(keys_of(*self._frames[0]))
            if missing:
                # Either they are on their way, or they came and went again.
                self.store.fetch(missing, self._go_on)
                return
            self.handle(*self._frames.popleft())
        self.pipe.hold(False)


def line_of(engine: Engine, pipe: Pipe, handle: Callable[[int, list[Any]], None]) -> FrameLine | None:
    """The line of a connection; None where every record is at hand."""
    store = engine.keyspace.store
    return FrameLine(store, pipe, handle) if isinstance(store, RemoteStore) else None


def keys_of(kind: int, fields: list[Any]) -> list[bytes]:
    """The keys at whose records handling a frame will look."""
    if kind in (Kind.EFFECTS, Kind.RELAY, Kind.RECORDS):
        return _told(fields[1])
    if kind == Kind.SLOTS:
        return _told(fields[3])
    if kind == Kind.FETCH:
        return list(fields[1])
    if kind == Kind.GAP:
        return list(fields[0])
    if kind == Kind.DIGEST:
        return [key for asked in fields[0] for key in ([asked] if isinstance(asked, bytes) else asked)]
    return []


def _told(effects: Flat) -> list[bytes]:
    """The keys of some effects; a flush has none."""
    return [key for key in effects[2::FIELDS] if key]
