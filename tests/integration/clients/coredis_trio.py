"""coredis on Trio, the plain and the cluster client: every type and what goes with it.

Called as `coredis_trio.py MODE PREFIX PORT PORT PORT`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import coredis
import trio
from coredis import PureToken
from coredis.connection import TCPLocation
from coredis.patterns.cache import LRUCache
from report import HOST, Key, arguments, refused, run_async, until_async

MODE, PREFIX, PORTS = arguments()


def connect(port: int, **options: Any) -> Any:
    """A client of the kind that is tested, which begins at `port`."""
    if MODE == "cluster":
        return coredis.RedisCluster(startup_nodes=[TCPLocation(HOST, port)], decode_responses=True, **options)
    return plain(port, **options)


def plain(port: int, **options: Any) -> Any:
    """A client of one node."""
    return coredis.Redis(host=HOST, port=port, decode_responses=True, **options)


async def until(happened: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What `happened` gives as soon as it gives something."""
    return await until_async(happened, what, trio.sleep)


async def woken(wait: Callable[[], Awaitable[Any]], wake: Callable[[], Awaitable[Any]]) -> Any:
    """What `wait` gives while `wake` is called again and again: who knows when it began to wait."""
    told: list[Any] = []

    async def waiting() -> None:
        told.append(await wait())
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting)
        while True:
            await trio.sleep(0.1)
            await wake()
    return told[0]


async def strings(here: Any, there: Any, key: Key) -> None:
    assert await here.set(key("text"), "hello", ex=100)
    assert await there.append(key("text"), " world") == 11
    assert await here.get(key("text")) == "hello world"
    assert 98 <= await there.ttl(key("text")) <= 100
    assert await here.incrby(key("n"), 5) == 5
    assert await there.decr(key("n")) == 4
    assert await here.mset({key("a"): "1", key("b"): "2"})
    assert await there.mget([key("a"), key("b"), key("none")]) == ("1", "2", None)
    assert await here.delete([key("text")]) == 1


async def hashes(here: Any, there: Any, key: Key) -> None:
    name = key("hash")
    assert await here.hset(name, {"a": "1", "b": "2", "c": "3"}) == 3
    assert await there.hgetall(name) == {"a": "1", "b": "2", "c": "3"}
    assert await here.hpexpire(name, 30, ["b"]) == (1,)
    assert await there.hexpire(name, 100, ["c", "none"]) == (1, -2)

    async def expired() -> bool:
        return await there.hget(name, "b") is None

    await until(expired, "the field expires")
    (left,) = await here.httl(name, ["c"])
    assert 98 <= left <= 100
    assert await here.hgetdel(name, ["a", "b"]) == ("1", None)


async def sets(here: Any, there: Any, key: Key) -> None:
    assert await here.sadd(key("one"), ["a", "b", "c"]) == 3
    assert await there.sadd(key("two"), ["b", "c", "d"]) == 3
    assert await here.sinter([key("one"), key("two")]) == {"b", "c"}
    assert await there.sunionstore([key("one"), key("two")], key("all")) == 4
    assert await here.spop(key("one")) in {"a", "b", "c"}


async def sorted_sets(here: Any, there: Any, key: Key) -> None:
    assert await here.zadd(key("scores"), {"ann": 1, "bob": 2.5}) == 2
    assert await there.zincrby(key("scores"), "ann", 2) == 3.0
    found = await here.zrange(key("scores"), 0, -1, withscores=True)
    assert [tuple(pair) for pair in found] == [("bob", 2.5), ("ann", 3.0)]
    assert tuple(await there.zpopmin(key("scores"))) == ("bob", 2.5)


async def lists(here: Any, there: Any, key: Key) -> None:
    assert await here.rpush(key("list"), ["a", "b", "c"]) == 3
    assert await there.lmove(key("list"), key("other"), PureToken.LEFT, PureToken.RIGHT) == "a"
    got = await woken(
        lambda: here.blpop([key("empty")], timeout=10), lambda: there.rpush(key("empty"), ["woken"])
    )
    assert got == [key("empty"), "woken"]
    assert await here.blpop([key("none")], timeout=0.05) is None


async def streams(here: Any, there: Any, key: Key) -> None:
    name = key("stream")
    assert await here.xgroup_create(name, "workers", "$", mkstream=True)
    ids = [await there.xadd(name, {"n": str(number)}) for number in range(4)]
    first = await here.xreadgroup("workers", "me", {name: ">"}, count=2)
    second = await there.xreadgroup("workers", "you", {name: ">"}, count=9)
    assert [entry.identifier for entry in first[name] + second[name]] == ids
    assert dict(second[name][-1].field_values) == {"n": "3"}
    assert await there.xack(name, "workers", ids[:3]) == 3
    assert (await here.xpending(name, "workers")).pending == 1
    told = await woken(
        lambda: here.xread({name: "$"}, block=10_000), lambda: there.xadd(name, {"n": "later"})
    )
    assert dict(told[name][0].field_values) == {"n": "later"}


async def pubsub(here: Any, there: Any, key: Key) -> None:
    async with (
        plain(PORTS[2]) as other,
        here.pubsub(channels=[key("news")], patterns=[key("n*")]) as listener,
    ):
        await other.publish(key("news"), "from another node")
        got: list[Any] = []
        with trio.fail_after(10):
            async for message in listener:
                if message["type"] in ("message", "pmessage"):
                    got.append((message["type"], message["data"]))
                if len(got) == 2:
                    break
        assert sorted(got) == [("message", "from another node"), ("pmessage", "from another node")]


async def transactions(here: Any, there: Any, key: Key) -> None:
    async with here.pipeline(transaction=True) as pipe:
        pipe.set(key("t"), "1")
        pipe.incr(key("t"))
        got = pipe.get(key("t"))
    assert pipe.results == (True, 2, "2")
    assert await got == "2"
    with refused(coredis.exceptions.WatchError):
        async with here.pipeline(transaction=True) as pipe, pipe.watch(key("t")):
            await there.set(key("t"), "theirs")
            pipe.set(key("t"), "mine")
    assert await here.get(key("t")) == "theirs"


async def scripts(here: Any, there: Any, key: Key) -> None:
    swap = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old"
    assert await here.eval(swap, [key("s")], ["one"]) is None
    sha = await here.script_load(swap)
    assert await there.evalsha(sha, [key("s")], ["two"]) == "one"
    name = "lib" + "".join(filter(str.isalnum, key.tag))
    get = f"redis.register_function('{name}_get', function(keys) return redis.call('GET', keys[1]) end)"
    assert await here.function_load(f"#!lua name={name}\n{get}", replace=True)
    assert await there.fcall(f"{name}_get", [key("s")]) == "two"
    await here.function_delete(name)


async def caching(here: Any, there: Any, key: Key) -> None:
    cache = LRUCache()
    async with connect(PORTS[0], cache=cache) as cached:
        await there.set(key("c"), "one")

        async def hit() -> int:
            assert await cached.get(key("c")) == "one"
            return cache.stats.summary["hits"]

        await until(hit, "an answer comes from the cache")
        await there.set(key("c"), "two")

        async def told() -> bool:
            return await cached.get(key("c")) == "two"

        await until(told, "the node tells that the key has changed")


async def pipelines(here: Any, there: Any, key: Key) -> None:
    async with here.pipeline(transaction=False) as pipe:
        for number, name in enumerate(key.apart(100)):
            pipe.set(name, str(number))
            pipe.get(name)
    assert pipe.results == tuple(answer for number in range(100) for answer in (True, str(number)))


async def scans(here: Any, there: Any, key: Key) -> None:
    names = key.apart(60)
    for name in names:
        await here.set(name, "x")
    assert sorted([name async for name in there.scan_iter(f"{key.tag}:*", count=10)]) == sorted(names)
    await here.hset(key("hash"), {str(number): str(number) for number in range(600)})
    assert len([pair async for pair in there.hscan_iter(key("hash"), count=50)]) == 600


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
        assert await node.acl_setuser(name, *rules)
        async with connect(PORTS[2], username=name, password="secret") as member:
            assert await member.set(key("mine"), "x")
            with refused(coredis.exceptions.AuthorizationError):
                await member.set("others", "x")
        assert await node.acl_deluser([name]) == 1


async def main() -> None:
    parts = [strings, hashes, sets, sorted_sets, lists, streams, pubsub]
    parts += [transactions, scripts, caching, pipelines, scans, users]
    parts += [replicas] if MODE == "cluster" else []
    async with connect(PORTS[0]) as here, connect(PORTS[2]) as there:
        await run_async({part.__name__: part for part in parts}, PREFIX, here, there)


if __name__ == "__main__":
    trio.run(main)
