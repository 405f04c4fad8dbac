"""Reads of keys that another node leads: their primary is told, once a second, for it is who evicts.

Only that a key was read is told, not how often, and of so many keys a second: advice, which may be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from trio_dynomite.data.record import is_live

if TYPE_CHECKING:
    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.peers.peer import Peer

_USED = b"used"
_EVERY_S = 1.0


@define(eq=False)
class Uses:
    """What one node tells and hears of reads."""

    engine: Engine
    _next_s: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.engine.broadcasts.listeners[_USED] = self._heard

    def tick(self) -> None:
        """Tell the primaries what was read here, when it is time."""
        accesses = self.engine.keyspace.accesses
        if accesses is None or self.engine.mono_s < self._next_s:
            return
        self._next_s = self.engine.mono_s + _EVERY_S
        keys, accesses.read = accesses.read, set()
        by_peer: dict[Peer, list[bytes]] = {}
        for key in keys:
            leader = self.engine.table.of_key(key).leader
            if leader is not None and leader.is_open:
                by_peer.setdefault(leader, []).append(key)
        for peer, its_keys in by_peer.items():
            self.engine.broadcasts.tell(peer, _USED, its_keys, lambda answer: None)

    def _heard(self, keys: list[Any]) -> int:
        store, accesses = self.engine.keyspace.store, self.engine.keyspace.accesses
        if accesses is None:
            return 1
        for key in keys:
            record = store.get(store.slot_of(key), key)
            if is_live(record, self.engine.now_ms):
                accesses.use(key, record)
        return 1
