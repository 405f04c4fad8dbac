"""A cold cache: a node whose server forgot everything asks the others for what it misses, for a while.

A server that does not tell which keys it has cannot be filled from the other replicas before the node serves.
So for some time after a life began, whatever a client asks for and the server does not know is asked of the
other replicas that serve, joined, and kept: what is in use comes back as it is used, and a counter goes on
where it was. What nobody knows is remembered as absent, and asked for once.

Source: mcrouter's warm-up route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from trio_dynomite.peers.link import LOST
from trio_dynomite.storage.remote.unlisted import UnlistedStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio_dynomite.coordinator.engine import Engine
    from trio_dynomite.coordinator.park import Parked


@define(eq=False)
class Cold:
    """How one node warms up."""

    engine: Engine
    lasts_s: float = 0.0
    """0: not at all."""
    _until_s: float | None = field(default=None, init=False)
    """None: it has not begun to serve."""

    def begin(self) -> None:
        """The node serves from now on."""
        store = self.engine.keyspace.store
        if self._until_s is None and self.lasts_s and isinstance(store, UnlistedStore):
            self._until_s = self.engine.mono_s + self.lasts_s
            store.is_cold = True
            self.engine.log("cache.cold", told="what is missed is asked of other racks", for_s=self.lasts_s)

    def tick(self) -> None:
        """Called a few times a second."""
        store = self.engine.keyspace.store
        if self._until_s is not None and self.engine.mono_s >= self._until_s:
            assert isinstance(store, UnlistedStore)
            if store.is_cold:
                store.is_cold = False
                self.engine.log("cache.warm", learned=store.learned)

    def ask(self, parked: Parked, then: Callable[[], None]) -> bool:
        """Ask the others for those keys of a request that the server does not know, and call `then`.

        False: there is nothing to ask, or nobody."""
        store = self.engine.keyspace.store
        if not isinstance(store, UnlistedStore) or not store.is_cold:
            return False
        if parked.read_level and not parked.row.write:  # that compares with others anyway
            return False
        keys = [key for key in parked.row.keys(parked.args) if store.is_unknown(key)]
        links = [peer.link for peer in parked.route.readers() if peer.link is not None]
        if not keys or not links:
            return False
        left = len(links)
        store.pin(keys)

        def told(answer: Any) -> None:
            nonlocal left
            left -= 1
            if answer is not LOST:
                store.learned += self.engine.replica.join_records(answer[0])
            if not left:
                then()
                store.unpin(keys)

        for link in links:
            link.fetch(keys, told)
        return True
