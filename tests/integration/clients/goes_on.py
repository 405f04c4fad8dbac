"""A cluster client that goes on while a node dies: it writes and reads many keys until its input ends.

Called as `goes_on.py LIBRARY PORT PORT PORT`. It says `going` when all keys were written once. When its input
has ended, all keys must soon be written and read without an error, or it ends with one.
"""

import asyncio
import inspect
import select
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

HOST = "127.0.0.1"
LIBRARY, *PORTS = sys.argv[1:]
KEYS = [f"{LIBRARY}:{number}" for number in range(60)]
LAST_PASS_S = 15


async def goes_on(connected: Any, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Write and read, over and over; errors are to be expected for a while."""
    await write_and_read(connected, "first")
    print("going", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        await attempt(connected, "next")
        await sleep(0)
    deadline = time.monotonic() + LAST_PASS_S
    while (error := await attempt(connected, "last")) is not None:
        if time.monotonic() > deadline:
            raise error
        await sleep(0.05)


async def attempt(connected: Any, word: str) -> Exception | None:
    try:
        await write_and_read(connected, word)
    except Exception as error:
        return error
    return None


async def write_and_read(connected: Any, word: str) -> None:
    for key in KEYS:
        await given(connected.set(key, word))
        found = await given(connected.get(key))
        assert found in (word, word.encode()), (key, word, found)


async def given(value: Any) -> Any:
    """A value, or what an awaitable gives."""
    return await value if inspect.isawaitable(value) else value


def connect() -> Any:
    """The cluster client of a library that runs without tasks or on asyncio."""
    port = int(PORTS[0])
    if LIBRARY == "redis-py":
        from redis.cluster import RedisCluster

        return RedisCluster(host=HOST, port=port)
    if LIBRARY == "redis-py-asyncio":
        from redis.asyncio import RedisCluster as AsyncRedisCluster

        return AsyncRedisCluster(host=HOST, port=port)
    if LIBRARY == "valkey-py":
        from valkey.cluster import ValkeyCluster

        return ValkeyCluster(host=HOST, port=port)
    import glide

    settings = glide.GlideClusterClientConfiguration([glide.NodeAddress(HOST, port)], request_timeout=2000)
    return glide.GlideClusterClient.create(settings)


async def on_asyncio() -> None:
    connected = await given(connect())
    await goes_on(connected, asyncio.sleep)
    await given((getattr(connected, "aclose", None) or connected.close)())


def on_trio() -> None:
    import coredis
    import trio
    from coredis.connection import TCPLocation

    async def main() -> None:
        nodes = [TCPLocation(HOST, int(PORTS[0]))]
        async with coredis.RedisCluster(startup_nodes=nodes) as connected:
            await goes_on(connected, trio.sleep)

    trio.run(main)


if __name__ == "__main__":
    if LIBRARY == "coredis":
        on_trio()
    else:
        asyncio.run(on_asyncio())
