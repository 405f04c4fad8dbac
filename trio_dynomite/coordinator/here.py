"""Is it here? Whatever looks at records asks this first, where storage is on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore

SLOTS_OPEN = 16
"""So many slots are loaded at once where that has to be done."""

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine


def when_here(engine: Engine, keys: Sequence[bytes], then: Callable[[], None]) -> bool:
    """Are the records of these keys here? If not, they are fetched, and `then` is called in a later turn."""
    store = engine.keyspace.store
    if not isinstance(store, RemoteStore):
        return True
    if not store.missing(keys):
        return True
    store.fetch(keys, then)
    return False


def slots_at_once(engine: Engine, most: int) -> int:
    """How many slots to look at in one go: as many as one likes where all is here."""
    return min(most, SLOTS_OPEN) if isinstance(engine.keyspace.store, ListedStore) else most


def is_open(engine: Engine, slot: int) -> bool:
    """May this slot be looked at now, with all its records?"""
    store = engine.keyspace.store
    return not isinstance(store, ListedStore) or store.is_open([slot], is_full=True)


def when_open(
    engine: Engine, slots: Sequence[int], then: Callable[[], None], *, is_full: bool = True
) -> bool:
    """May these slots be looked at as a whole? If not yet, `then` is called when they may, and only then.

    `is_full`: with the records of all keys."""
    store = engine.keyspace.store
    if not isinstance(store, ListedStore) or store.is_open(slots, is_full=is_full):
        return True
    store.look(slots, then, is_full=is_full)
    return False


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
