"""Nodes whose records are on a server: the server, if it is the node's own, and the lives of the node on it.

A managed server runs as long as its node. When the connection ends nobody knows what the server still did,
so the life of the node that relied on it ends there, at once, as if it had crashed: its peers lead what it
led, and clients go elsewhere. As soon as the server is back a new life begins, and learns what it missed.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import trio
from attrs import define

from trio_dynomite.config import Settings, kinds
from trio_dynomite.hub.dialling import call
from trio_dynomite.hub.hub import Hub
from trio_dynomite.logs import get_logger
from trio_dynomite.model import Endpoint
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner
from trio_dynomite.storage.memcached.driver import MemcachedDriver
from trio_dynomite.storage.remote.store import RemoteStore
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.folder import ServerFolder
from trio_dynomite.storage.servers.handshake import memcached_steps
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.servers.pipe import ServerPipe
from trio_dynomite.storage.servers.programs import MemcachedOptions, find_memcached
from trio_dynomite.storage.servers.versions import memcached_mistake
from trio_dynomite.storage.store import Store
from trio_dynomite.topology.partitioner import Partitioner

log = get_logger()
_VERSION = b"version\r\n"


@define(eq=False)
class StorageServer:
    """The server of one node, for all of its lives."""

    settings: Settings
    """The node's."""
    endpoint: Callable[[], Endpoint]
    managed: ManagedServer | None = None
    """If it is the node's own."""

    def make_store(self, partitioner: Partitioner) -> Store:
        """The store of a life; it has no connection yet."""
        driver = MemcachedDriver(self.settings.memcached.item_size, self.settings.repair.tombstone_grace)
        return RemoteStore(
            partitioner.slot,
            driver=driver,
            cache_bytes=self.settings.storage.cache,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )

    def connection(
        self, hub: Hub, on_up: Callable[[ServerPipe], None], on_down: Callable[[str], None]
    ) -> Connection:
        """What connects a life to the server."""
        chosen = self.settings.memcached
        return Connection(
            address=str(self.endpoint()),
            dial=lambda: call(hub, self.endpoint(), chosen.output),
            turn=hub.turn,
            new_scanner=MetaReplyScanner,
            steps=memcached_steps,
            ping=_VERSION,
            on_up=on_up,
            on_down=on_down,
            log=log.info,
            connect_timeout_s=self.settings.timeouts.connect,
            silent_after_s=chosen.silent_after,
            output_max=chosen.output,
        )


def server_of(settings: Settings, folder: Path) -> StorageServer | None:
    """The server of a node with these settings and this directory; None when its records are with itself.

    Raises ConfigError when there is no program for a managed one."""
    if settings.storage.engine not in kinds.SERVED:
        return None
    address = settings.memcached.address
    if address is not None:
        return StorageServer(settings, lambda: address)
    managed = _managed_memcached(settings, ServerFolder(folder / "memcached"))
    return StorageServer(settings, lambda: Endpoint(path=managed.folder.socket), managed)


def _managed_memcached(settings: Settings, folder: ServerFolder) -> ManagedServer:
    chosen = settings.memcached
    options = MemcachedOptions(memory=chosen.memory, item_size=chosen.item_size, is_root=os.geteuid() == 0)
    return ManagedServer(
        program=find_memcached(chosen.server, shutil.which),
        arguments=options.arguments(),
        folder=folder,
        ask=_VERSION,
        answer=b"VERSION",
        mistake=lambda kind, version: memcached_mistake(version),
        log=log.info,
    )


@define(eq=False)
class Storage:
    """One life's connection to the server."""

    server: StorageServer
    hub: Hub
    store: RemoteStore
    lost: str | None = None
    """Why the life has ended."""

    async def run(
        self,
        on_lost: Callable[[], None],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Connect; started when the store knows what the server has. `on_lost` is told when it is gone."""

        def up(pipe: ServerPipe) -> None:
            self.store.connection = pipe
            self.store.begin(task_status.started)

        def down(reason: str) -> None:
            self.lost = reason
            on_lost()

        await self.server.connection(self.hub, up, down).run()
