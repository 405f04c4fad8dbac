"""Written: which keys a turn has written, for those who want to know of every one.

Who waits for a key is served at once, after the command that wrote it; client-side caches are told at the end
of the turn. The store keeps the keys only while somebody wants them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from trio_dynomite.coordinator.batch import Waiter
    from trio_dynomite.coordinator.engine import Engine


@define(eq=False)
class Written:
    """What one node's turns write."""

    engine: Engine
    on_written: Callable[[list[bytes]], None] | None = None
    """Told at the end of a turn which keys were written or have expired on this node."""
    on_own: Callable[[Waiter, list[bytes]], None] | None = None
    """Told of these keys at once that a request wrote them which was held until its records were here."""
    on_flushed: Callable[[], None] = lambda: None
    """Told at the end of a turn in which slots were flushed."""
    _noticed: int = 0
    """How many of this turn's keys were looked at already; -1 while somebody is being served."""

    def listen(self) -> None:
        """Somebody wants to know of every key that is written."""
        store = self.engine.keyspace.store
        if store.written is None:
            store.written = []

    def notice(self) -> None:
        """Keys were written: serve those who wait for them, before anything else."""
        written = self.engine.keyspace.store.written
        assert written is not None
        if self._noticed < 0:
            return
        at, self._noticed = self._noticed, -1
        while at < len(written):
            key = written[at]
            at += 1
            self.engine.blocking.wake([key])
        self._noticed = at

    def call_again(self, keys: list[bytes], after: int) -> None:
        """As `notice`: keys that are free again, for those who wait behind the number `after`."""
        at, self._noticed = self._noticed, -1
        self.engine.blocking.wake(keys, after)
        self._noticed = at
        if self.engine.keyspace.store.written is not None:
            self.notice()

    def run_late(self, waiter: Waiter, run: Callable[[], None]) -> None:
        """Run a request that was held, for whoever waits for its reply: what that wrote is its own."""
        store = self.engine.keyspace.store
        before = len(store.written or ())
        run()
        own = (store.written or [])[before:]
        if own and self.on_own is not None:
            self.on_own(waiter, own)

    def end_turn(self) -> None:
        """Tell who listens."""
        self.notice()
        store, blocking = self.engine.keyspace.store, self.engine.blocking
        written, self._noticed = store.written, 0
        if store.was_flushed:
            store.was_flushed = False
            blocking.wake(list(blocking.room.queues))
            self.on_flushed()
        store.written = None if self.on_written is None and blocking.is_quiet else []
        if written and self.on_written is not None:
            self.on_written(written)
