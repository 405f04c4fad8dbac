"""A node's life on a storage server: it begins when the server is connected, and ends when it is lost.

When the connection ends nobody knows what the server still did, so the life of the node that relied on it
ends there, at once, as if it had crashed: its peers lead what it led, and clients go elsewhere. Once the
server is back a new life begins, and learns what it missed (`lives.py`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import trio
from attrs import define, field

from trio_dynomite.config import Settings, kinds
from trio_dynomite.datastore import Datastore, Wishes, memcached_datastore
from trio_dynomite.hub.hub import Hub
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.servers.pipe import ServerPipe
from trio_dynomite.storage.store import Store


@define(eq=False)
class Service:
    """The server below one life of a node."""

    store: RemoteStore
    datastore: Datastore = field(init=False)
    lost: str = ""
    """Why the life has ended."""
    on_lost: Callable[[], None] = lambda: None
    _is_begun: trio.Event = field(factory=trio.Event)

    def up(self, pipe: ServerPipe) -> None:
        """The server is connected."""
        self.store.connection = pipe
        self.store.begin(self._is_begun.set)

    def down(self, reason: str) -> None:
        """It is lost."""
        self.lost = reason
        self.on_lost()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the server; started when the store knows what that has. Raises DynomiteError."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.datastore.run)
            await self._is_begun.wait()
            task_status.started()

    def _fact(self, name: str) -> object:
        return self.datastore.facts().get(name, "")

    def statistics(self) -> Mapping[str, Callable[[], object]]:
        """For INFO."""
        store = self.store
        return {
            "storage_fetched": lambda: store.fetched,
            "storage_sent": lambda: store.sent,
            "storage_conflicts": lambda: store.conflicts,
            **{name: partial(self._fact, name) for name in self.datastore.facts()},
        }


def service_of(settings: Settings, folder: Path, hub: Hub, store: Store) -> Service | None:
    """The server below a node with these settings and this directory; None when its records are with itself.

    Raises ConfigError when there is no program for a managed one."""
    if settings.storage.engine != kinds.MEMCACHED:
        return None
    assert isinstance(store, RemoteStore)
    service = Service(store)
    service.datastore = memcached_datastore(
        settings, folder, hub, Wishes(on_up=service.up, on_down=service.down)
    )
    return service
