"""A node's life on a storage server: it begins when the server is connected, and ends when it is lost.

When the connection ends nobody knows what the server still did, so the life of the node that relied on it
ends there, at once, as if it had crashed: its peers lead what it led, and clients go elsewhere. Once the
server is back a new life begins, and learns what it missed (`lives.py`).
"""

from collections.abc import Callable, Mapping
from functools import partial

import trio
from attrs import define, field

from trio_dynomite.commands.row import Row
from trio_dynomite.commands.table import learn
from trio_dynomite.config import Settings, kinds
from trio_dynomite.datastore import Wishes, connection_to, facts_of
from trio_dynomite.hub.hub import Hub
from trio_dynomite.storage.plain import PlainStore
from trio_dynomite.storage.redis.library import load_step, size_step
from trio_dynomite.storage.redis.modules import commands_step
from trio_dynomite.storage.remote.listed import ListedStore
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.servers.pipe import ServerPipe
from trio_dynomite.storage.store import Store

_NOTES = 1
"""A node that knows no key may have left this one."""


@define(eq=False)
class Service:
    """The server below one life of a node."""

    store: RemoteStore | PlainStore
    managed: ManagedServer | None
    """The server, if it is the node's own; it outlives the life."""
    connection: Connection = field(init=False)
    keys: int = 0
    """What the server had when it was connected."""
    lost: str = ""
    """Why the life has ended."""
    on_lost: Callable[[], None] = lambda: None
    modules: list[Row] = field(factory=list)
    """The commands that the server has of modules."""
    _is_begun: trio.Event = field(factory=trio.Event)

    def know(self, modules: list[Row]) -> None:
        """The server has told which commands it has of modules."""
        self.modules = modules

    def up(self, pipe: ServerPipe) -> None:
        """The server is connected."""
        self.store.connection = pipe
        if isinstance(self.store, ListedStore):
            self.store.module_commands = frozenset([row.name for row in learn(self.modules)])
        self.store.begin(self._begun)

    def count(self, keys: int) -> None:
        """The server has told how many keys it has, all kinds together."""
        self.keys = keys

    def _begun(self) -> None:
        store = self.store
        if isinstance(store, ListedStore) and not store.knows_any and self.keys > _NOTES:
            self.connection.log(
                "the storage server has keys that no node has written",
                keys=self.keys,
                address=self.connection.address,
                told="they are neither listed nor copied; give this node a database of its own",
            )
        self._is_begun.set()

    def down(self, reason: str) -> None:
        """It is lost."""
        self.lost = reason
        self.on_lost()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the connection; started when the store knows what the server has."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.connection.run)
            await self._is_begun.wait()
            task_status.started()

    def statistics(self) -> Mapping[str, Callable[[], object]]:
        """For INFO."""
        return {
            "storage_module_commands": lambda: len(self.modules),
            **_counts_of(self.store),
            **{name: partial(self._fact, name) for name in facts_of(self.connection, self.managed)},
        }

    def _fact(self, name: str) -> object:
        return facts_of(self.connection, self.managed).get(name, "")


def _counts_of(store: RemoteStore | PlainStore) -> Mapping[str, Callable[[], object]]:
    if isinstance(store, PlainStore):
        return {
            "storage_passed": lambda: store.passed,
            "storage_relayed": lambda: store.relayed,
            "storage_dropped": lambda: store.dropped,
        }
    return {
        "storage_fetched": lambda: store.fetched,
        "storage_sent": lambda: store.sent,
        "storage_conflicts": lambda: store.conflicts,
    }


def service_of(settings: Settings, managed: ManagedServer | None, hub: Hub, store: Store) -> Service | None:
    """The server below a node with these settings; None when its records are with itself.

    Raises ConfigError when a certificate cannot be used."""
    if settings.storage.engine not in kinds.SERVED:
        return None
    assert isinstance(store, RemoteStore | PlainStore)
    service = Service(store, managed)
    has_stamps = settings.storage.engine == kinds.REDIS and settings.redis.stamps
    own = [load_step(), commands_step(service.know), size_step(service.count)]
    steps = own if has_stamps else []
    wishes = Wishes(on_up=service.up, on_down=service.down, steps=steps)
    service.connection = connection_to(settings, managed, hub, wishes)
    return service
