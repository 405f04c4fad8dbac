"""redis-py and valkey-py on asyncio, the plain and the cluster client: every type and what goes with it.

Called as `redis_asyncio.py MODE PREFIX PORT PORT PORT`, with MODULE=redis or valkey in the environment.
"""

import asyncio
import importlib
import os
from typing import Any

from report import HOST, Key, arguments, refused, run_async, until_async

NAME = os.environ["MODULE"]
library = importlib.import_module(NAME)
asyncio_library = importlib.import_module(f"{NAME}.asyncio")
Plain = getattr(asyncio_library, "Redis" if NAME == "redis" else "Valkey")
Cluster = getattr(asyncio_library, "RedisCluster" if NAME == "redis" else "ValkeyCluster")
MODE, PREFIX, PORTS = arguments()


def connect(port: int, **options: Any) -> Any:
    """A client of the kind that is tested, which begins at `port`."""
    kind = Cluster if MODE == "cluster" else Plain
    return kind(host=HOST, port=port, decode_responses=True, socket_timeout=10, **options)


def plain(port: int, **options: Any) -> Any:
    """A client of one node."""
    return Plain(host=HOST, port=port, decode_responses=True, socket_timeout=10, **options)


async def strings(here: Any, there: Any, key: Key) -> None:
    assert await here.set(key("text"), "hello", ex=100)
    assert await there.append(key("text"), " world") == 11
    assert await here.get(key("text")) == "hello world"
    assert 98 <= await there.ttl(key("text")) <= 100
    assert await here.incrby(key("n"), 5) == 5
    assert await there.decr(key("n")) == 4
    assert await here.mset({key("a"): "1", key("b"): "2"})
    assert await there.mget(key("a"), key("b"), key("none")) == ["1", "2", None]
    assert await here.delete(key("text")) == 1


async def hashes(here: Any, there: Any, key: Key) -> None:
    name = key("hash")
    assert await here.hset(name, mapping={"a": "1", "b": "2", "c": "3"}) == 3
    assert await there.hgetall(name) == {"a": "1", "b": "2", "c": "3"}
    assert await here.execute_command("HPEXPIRE", name, 30, "FIELDS", 1, "b") == [1]
    assert await there.execute_command("HEXPIRE", name, 100, "FIELDS", 2, "c", "none") == [1, -2]

    async def expired() -> bool:
        return await there.hget(name, "b") is None

    await until_async(expired, "the field expires")
    assert 98 <= (await here.execute_command("HTTL", name, "FIELDS", 1, "c"))[0] <= 100


async def sets(here: Any, there: Any, key: Key) -> None:
    assert await here.sadd(key("one"), "a", "b", "c") == 3
    assert await there.sadd(key("two"), "b", "c", "d") == 3
    assert set(await here.sinter(key("one"), key("two"))) == {"b", "c"}
    assert await there.sunionstore(key("all"), key("one"), key("two")) == 4
    assert await here.spop(key("one")) in {"a", "b", "c"}


async def sorted_sets(here: Any, there: Any, key: Key) -> None:
    assert await here.zadd(key("scores"), {"ann": 1, "bob": 2.5}) == 2
    assert await there.zincrby(key("scores"), 2, "ann") == 3.0
    found = await here.zrange(key("scores"), 0, -1, withscores=True)
    assert [tuple(pair) for pair in found] == [("bob", 2.5), ("ann", 3.0)]
    assert await there.zrangebyscore(key("scores"), "(2.5", "+inf") == ["ann"]


async def lists(here: Any, there: Any, key: Key) -> None:
    assert await here.rpush(key("list"), "a", "b", "c") == 3
    assert await there.lmove(key("list"), key("other"), "LEFT", "RIGHT") == "a"
    waiter = asyncio.create_task(here.blpop([key("empty")], timeout=10))
    while not waiter.done():  # who knows when it began to wait
        await there.rpush(key("empty"), "woken")
        await asyncio.wait([waiter], timeout=0.1)
    assert list(await waiter) == [key("empty"), "woken"]
    assert await here.blpop([key("none")], timeout=0.05) is None


async def streams(here: Any, there: Any, key: Key) -> None:
    name = key("stream")
    assert await here.xgroup_create(name, "workers", "$", mkstream=True)
    ids = [await there.xadd(name, {"n": str(number)}) for number in range(4)]
    first = str(await here.xreadgroup("workers", "me", {name: ">"}, count=2))
    assert all((entry_id in first) == (number < 2) for number, entry_id in enumerate(ids))
    assert ids[3] in str(await there.xreadgroup("workers", "you", {name: ">"}, count=9))
    assert await there.xack(name, "workers", *ids[:3]) == 3
    assert (await here.xpending(name, "workers"))["pending"] == 1
    waiter = asyncio.create_task(here.xread({name: "$"}, block=10_000))
    while not waiter.done():
        await there.xadd(name, {"n": "later"})
        await asyncio.wait([waiter], timeout=0.1)
    assert "later" in str(await waiter)


async def pubsub(here: Any, there: Any, key: Key) -> None:
    async with plain(PORTS[0]) as node, plain(PORTS[2]) as other:
        listener = (here if hasattr(here, "pubsub") else node).pubsub()
        await listener.subscribe(key("news"))
        await listener.psubscribe(key("n*"))
        for _ in range(2):
            await until_async(lambda: listener.get_message(timeout=1), "subscribed")
        await other.publish(key("news"), "from another node")
        got = [await until_async(lambda: listener.get_message(timeout=1), "a message") for _ in range(2)]
        assert sorted(message["type"] for message in got) == ["message", "pmessage"], got
        assert {message["data"] for message in got} == {"from another node"}
        await listener.aclose()


async def transactions(here: Any, there: Any, key: Key) -> None:
    pipe = here.pipeline(transaction=True)
    assert (await pipe.set(key("t"), 1).incr(key("t")).get(key("t")).execute())[1:] == [2, "2"]
    async with here.pipeline(transaction=True) as pipe:
        await pipe.watch(key("t"))
        assert await pipe.get(key("t")) == "2"
        await there.set(key("t"), "theirs")
        pipe.multi()
        pipe.set(key("t"), "mine")
        with refused(library.WatchError):
            await pipe.execute()
    assert await here.get(key("t")) == "theirs"


async def scripts(here: Any, there: Any, key: Key) -> None:
    swap = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old"
    assert await here.eval(swap, 1, key("s"), "one") is None
    sha = await here.script_load(swap)
    assert await there.evalsha(sha, 1, key("s"), "two") == "one"
    name = "lib" + "".join(filter(str.isalnum, key.tag))
    get = f"redis.register_function('{name}_get', function(keys) return redis.call('GET', keys[1]) end)"
    assert await here.function_load(f"#!lua name={name}\n{get}", replace=True) == name
    assert await there.fcall(f"{name}_get", 1, key("s")) == "two"
    await here.function_delete(name)


async def caching(here: Any, there: Any, key: Key) -> None:
    """redis-py keeps nothing on asyncio; as RESP2 has it, another connection is told of the changes."""
    async with plain(PORTS[0], protocol=2) as node, node.client() as reader:
        listener = node.pubsub()
        await listener.execute_command("CLIENT", "ID")
        hearing = await listener.parse_response()
        await listener.subscribe("__redis__:invalidate")
        await until_async(lambda: listener.get_message(timeout=1), "subscribed")
        assert await reader.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", hearing)
        await there.set(key("c"), "one")
        assert await reader.get(key("c")) == "one"
        await there.set(key("c"), "two")
        message = await until_async(lambda: listener.get_message(timeout=1), "told of the change")
        assert message["data"] == [key("c")]
        assert await reader.get(key("c")) == "two"
        await listener.aclose()


async def pipelines(here: Any, there: Any, key: Key) -> None:
    pipe = here.pipeline(transaction=False) if MODE == "plain" else here.pipeline()
    for number, name in enumerate(key.apart(100)):
        pipe.set(name, number)
        pipe.get(name)
    assert await pipe.execute() == [answer for number in range(100) for answer in (True, str(number))]


async def scans(here: Any, there: Any, key: Key) -> None:
    names = key.apart(60)
    for name in names:
        await here.set(name, "x")
    assert sorted([name async for name in there.scan_iter(f"{key.tag}:*", count=10)]) == sorted(names)
    await here.hset(key("hash"), mapping={str(number): number for number in range(600)})
    assert len(dict([pair async for pair in there.hscan_iter(key("hash"), count=50)])) == 600


async def replicas(here: Any, there: Any, key: Key) -> None:
    """The cluster client spreads its reads over all nodes that have a copy."""
    async with connect(PORTS[0], read_from_replicas=True) as near:
        for name in key.apart(60):
            assert await near.set(name, name)
            assert await near.get(name) == name


async def users(here: Any, there: Any, key: Key) -> None:
    name = f"user-{PREFIX}"
    rules = ["reset", "on", ">secret", f"~{{{PREFIX}*", "+@all", "-@dangerous"]
    async with plain(PORTS[0]) as node:
        assert await node.execute_command("ACL", "SETUSER", name, *rules) in (True, "OK")
        async with connect(PORTS[2], username=name, password="secret") as member:
            assert await member.set(key("mine"), "x")
            with refused(library.exceptions.NoPermissionError):
                await member.set("others", "x")
        assert await node.execute_command("ACL", "DELUSER", name) == 1


async def main() -> None:
    parts = [strings, hashes, sets, sorted_sets, lists, streams, pubsub]
    parts += [scripts, caching, pipelines, scans, users]
    if NAME == "redis" or MODE == "plain":  # valkey-py's cluster client has no transactions
        parts.append(transactions)
    if MODE == "cluster":
        parts.append(replicas)
    async with connect(PORTS[0]) as here, connect(PORTS[2]) as there:
        await run_async({part.__name__: part for part in parts}, PREFIX, here, there)


if __name__ == "__main__":
    asyncio.run(main())
