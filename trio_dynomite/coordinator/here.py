"""Is it here? Whatever looks at records asks this first, where storage is on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trio_dynomite.storage.remote.store import RemoteStore

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine


def when_here(engine: Engine, keys: Sequence[bytes], then: Callable[[], None]) -> bool:
    """Are the records of these keys here? If not, they are fetched, and `then` is called in a later turn."""
    store = engine.keyspace.store
    if not isinstance(store, RemoteStore):
        return True
    missing = store.missing(keys)
    if missing:
        store.fetch(missing, then)
    return not missing


def pin(engine: Engine, keys: Sequence[bytes]) -> None:
    """The records of these keys are needed in several turns: keep them here until `unpin`."""
    store = engine.keyspace.store
    if isinstance(store, RemoteStore):
        store.pin(keys)


def unpin(engine: Engine, keys: Sequence[bytes]) -> None:
    """They need not stay any more."""
    store = engine.keyspace.store
    if isinstance(store, RemoteStore):
        store.unpin(keys)
