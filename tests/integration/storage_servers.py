"""Storage servers under test: managed ones and connections in this process, and a node that can be killed.

Run as a program it keeps a managed server in a directory, says its process id, and waits to be killed:

    python -m tests.integration.storage_servers KIND DIRECTORY
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from tests.servers import MEMCACHED, program
from trio_dynomite.hub.dialling import call
from trio_dynomite.hub.hub import Hub
from trio_dynomite.model import Endpoint
from trio_dynomite.protocol.memcached_replies import MetaReplyScanner
from trio_dynomite.protocol.resp_replies import ReplyScanner
from trio_dynomite.storage.servers.connection import Connection
from trio_dynomite.storage.servers.folder import ServerFolder
from trio_dynomite.storage.servers.handshake import memcached_steps, packed, redis_steps
from trio_dynomite.storage.servers.managed import ManagedServer
from trio_dynomite.storage.servers.pipe import ServerPipe
from trio_dynomite.storage.servers.programs import MemcachedOptions, RedisOptions
from trio_dynomite.storage.servers.versions import memcached_mistake, redis_mistake

SILENT_AFTER_S = 0.6


def ask(kind: str) -> bytes:
    """What a server of this kind answers if it lives."""
    return b"version\r\n" if kind == MEMCACHED else packed("PING")


def managed(kind: str, path: Path, log: Callable[..., None], append_only: str = "everysec") -> ManagedServer:
    """A managed server of this kind in the directory `path`."""
    found = program(kind)
    assert found is not None
    redis = RedisOptions(append_only=append_only)
    memcached = MemcachedOptions(is_root=os.geteuid() == 0)
    return ManagedServer(
        program=found,
        arguments=(memcached if kind == MEMCACHED else redis).arguments(),
        folder=ServerFolder(path),
        ask=ask(kind),
        answer=b"VERSION" if kind == MEMCACHED else b"+PONG",
        mistake=(lambda _, version: memcached_mistake(version)) if kind == MEMCACHED else redis_mistake,
        log=log,
        grace_s=0.5,
    )


@define(eq=False)
class Events:
    """What was logged and told, in order."""

    seen: list[str] = field(factory=list)

    def log(self, event: str, **facts: Any) -> None:
        """Keep a line of the log."""
        self.seen.append(f"{event} {facts}")

    async def wait(self, word: str, times: int = 1) -> None:
        """Wait until `word` was there so often."""
        with trio.fail_after(10):
            while sum(word in event for event in self.seen) < times:
                await trio.sleep(0.01)


def connection(
    hub: Hub, kind: str, endpoint: Endpoint | Callable[[], Endpoint], events: Events, **options: Any
) -> Connection:
    """A connection to a server of this kind."""
    is_memcached = kind == MEMCACHED
    login = {"protocol": 3, "username": None, "password": None, "database": 0}
    login |= {name: options.pop(name) for name in list(options) if name in login}

    async def dial() -> Any:
        return await call(hub, endpoint if isinstance(endpoint, Endpoint) else endpoint(), 1 << 40, **options)

    def on_up(pipe: ServerPipe) -> None:
        events.seen.append("up")

    return Connection(
        address="the server",
        dial=dial,
        turn=hub.turn,
        new_scanner=MetaReplyScanner if is_memcached else ReplyScanner,
        steps=memcached_steps if is_memcached else partial(redis_steps, **login),
        ping=ask(kind),
        on_up=on_up,
        on_down=lambda reason: events.seen.append(f"down: {reason}"),
        log=events.log,
        connect_timeout_s=1.0,
        silent_after_s=SILENT_AFTER_S,
        output_max=1 << 28,
    )


async def asked(hub: Hub, connection: Connection, request: bytes) -> Any:
    """The reply to one request, in bytes."""
    replies: list[bytes] = []
    pipe = connection.pipe
    assert pipe is not None
    hub.turn(lambda: pipe.send(request, replies.append))
    with trio.fail_after(10):
        while not replies:
            await trio.sleep(0.001)
    return replies[0]


async def _keep(kind: str, path: Path) -> None:
    server = managed(kind, path, lambda event, **facts: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        print(server.pid, flush=True)


if __name__ == "__main__":
    trio.run(_keep, sys.argv[1], Path(sys.argv[2]))
