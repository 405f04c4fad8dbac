"""valkey-glide on asyncio, the plain and the cluster client: every type and what goes with it.

Called as `glide_asyncio.py MODE PREFIX PORT PORT PORT`. Its answers are bytes.
"""

import asyncio
from typing import Any

import glide
from report import HOST, Key, arguments, refused, run_async, until_async

MODE, PREFIX, PORTS = arguments()
IS_CLUSTER = MODE == "cluster"


async def connect(port: int, **options: Any) -> Any:
    """A client of the kind that is tested, which begins at `port`."""
    if not IS_CLUSTER:
        return await plain(port, **options)
    settings = glide.GlideClusterClientConfiguration([glide.NodeAddress(HOST, port)], **timed(options))
    return await glide.GlideClusterClient.create(settings)


async def plain(port: int, **options: Any) -> Any:
    """A client of one node."""
    settings = glide.GlideClientConfiguration([glide.NodeAddress(HOST, port)], **timed(options))
    return await glide.GlideClient.create(settings)


def timed(options: dict[str, Any]) -> dict[str, Any]:
    return {"request_timeout": 5000, **options}


async def strings(here: Any, there: Any, key: Key) -> None:
    expiry = glide.ExpirySet(glide.ExpiryType.SEC, 100)
    assert await here.set(key("text"), "hello", expiry=expiry) == "OK"
    assert await there.append(key("text"), " world") == 11
    assert await here.get(key("text")) == b"hello world"
    assert 98 <= await there.ttl(key("text")) <= 100
    assert await here.incrby(key("n"), 5) == 5
    assert await there.decr(key("n")) == 4
    assert await here.mset({key("a"): "1", key("b"): "2"}) == "OK"
    assert await there.mget([key("a"), key("b"), key("none")]) == [b"1", b"2", None]
    assert await here.delete([key("text")]) == 1


async def hashes(here: Any, there: Any, key: Key) -> None:
    name = key("hash")
    assert await here.hset(name, {"a": "1", "b": "2", "c": "3"}) == 3
    assert await there.hgetall(name) == {b"a": b"1", b"b": b"2", b"c": b"3"}
    assert await here.hpexpire(name, 30, ["b"]) == [1]
    assert await there.hexpire(name, 100, ["c", "none"]) == [1, -2]

    async def expired() -> bool:
        return await there.hget(name, "b") is None

    await until_async(expired, "the field expires")
    assert 98 <= (await here.httl(name, ["c"]))[0] <= 100
    assert await there.hgetex(name, ["a", "b"]) == [b"1", None]


async def sets(here: Any, there: Any, key: Key) -> None:
    assert await here.sadd(key("one"), ["a", "b", "c"]) == 3
    assert await there.sadd(key("two"), ["b", "c", "d"]) == 3
    assert await here.sinter([key("one"), key("two")]) == {b"b", b"c"}
    assert await there.sunionstore(key("all"), [key("one"), key("two")]) == 4
    assert await here.spop(key("one")) in {b"a", b"b", b"c"}


async def sorted_sets(here: Any, there: Any, key: Key) -> None:
    assert await here.zadd(key("scores"), {"ann": 1, "bob": 2.5}) == 2
    assert await there.zincrby(key("scores"), 2, "ann") == 3.0
    found = await here.zrange_withscores(key("scores"), glide.RangeByIndex(0, -1))
    assert list(found.items()) == [(b"bob", 2.5), (b"ann", 3.0)]
    assert await there.zpopmin(key("scores")) == {b"bob": 2.5}


async def lists(here: Any, there: Any, key: Key) -> None:
    assert await here.rpush(key("list"), ["a", "b", "c"]) == 3
    left, right = glide.ListDirection.LEFT, glide.ListDirection.RIGHT
    assert await there.lmove(key("list"), key("other"), left, right) == b"a"
    waiter = asyncio.create_task(here.blpop([key("empty")], 10))
    while not waiter.done():  # who knows when it began to wait
        await there.rpush(key("empty"), ["woken"])
        await asyncio.wait([waiter], timeout=0.1)
    assert await waiter == [key("empty").encode(), b"woken"]
    assert await here.blpop([key("none")], 0.05) is None


async def streams(here: Any, there: Any, key: Key) -> None:
    name = key("stream")
    made = glide.StreamGroupOptions(make_stream=True)
    assert await here.xgroup_create(name, "workers", "$", made) == "OK"
    ids = [await there.xadd(name, [("n", str(number))]) for number in range(4)]
    two = glide.StreamReadGroupOptions(count=2)
    first = (await here.xreadgroup({name: ">"}, "workers", "me", two))[name.encode()]
    second = (await there.xreadgroup({name: ">"}, "workers", "you"))[name.encode()]
    assert [*first, *second] == ids
    assert second[ids[3]] == [[b"n", b"3"]]
    assert await there.xack(name, "workers", ids[:3]) == 3
    assert (await here.xpending(name, "workers"))[0] == 1
    waiter = asyncio.create_task(here.xread({name: "$"}, glide.StreamReadOptions(block_ms=10_000)))
    while not waiter.done():
        await there.xadd(name, [("n", "later")])
        await asyncio.wait([waiter], timeout=0.1)
    assert [[b"n", b"later"]] in (await waiter)[name.encode()].values()


async def pubsub(here: Any, there: Any, key: Key) -> None:
    listener, other = await connect(PORTS[0]), await plain(PORTS[2])
    await listener.subscribe({key("news")}, 5000)
    await listener.psubscribe({key("n*")}, 5000)
    await other.publish("from another node", key("news"))
    got = [await asyncio.wait_for(listener.get_pubsub_message(), 10) for _ in range(2)]
    assert {message.message for message in got} == {b"from another node"}
    assert {message.pattern for message in got} == {None, key("n*").encode()}
    if IS_CLUSTER:
        await listener.ssubscribe({key("shard")}, 5000)
        await there.publish("to one slot", key("shard"), sharded=True)
        message = await asyncio.wait_for(listener.get_pubsub_message(), 10)
        assert (message.channel, message.message) == (key("shard").encode(), b"to one slot")
    await listener.close()
    await other.close()


def batch(*, is_atomic: bool) -> Any:
    return glide.ClusterBatch(is_atomic) if IS_CLUSTER else glide.Batch(is_atomic)


async def transactions(here: Any, there: Any, key: Key) -> None:
    steps = batch(is_atomic=True).set(key("t"), "1").incr(key("t")).get(key("t"))
    assert await here.exec(steps, raise_on_error=True) == ["OK", 2, b"2"]
    async with await here.scoped_connection(routing_key=key("t")) as alone:
        await alone.watch(key("t"))
        await there.set(key("t"), "theirs")
        await alone.multi()
        await alone.set(key("t"), "mine")
        assert await alone.exec() is None
    assert await here.get(key("t")) == b"theirs"


async def scripts(here: Any, there: Any, key: Key) -> None:
    swap = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old"
    script = glide.Script(swap)
    assert await here.invoke_script(script, [key("s")], ["one"]) is None
    assert await there.invoke_script(script, [key("s")], ["two"]) == b"one"
    assert await here.custom_command(["EVAL", swap, "1", key("s"), "three"]) == b"two"
    name = "lib" + "".join(filter(str.isalnum, key.tag))
    get = f"redis.register_function('{name}_get', function(keys) return redis.call('GET', keys[1]) end)"
    assert await here.function_load(f"#!lua name={name}\n{get}", replace=True) == name.encode()
    assert await there.fcall(f"{name}_get", [key("s")]) == b"three"
    await here.function_delete(name)


async def caching(here: Any, there: Any, key: Key) -> None:
    cache = glide.ClientSideCache.create(1000, 60_000, enable_metrics=True, server_assisted=True)
    cached = await connect(PORTS[0], client_side_cache=cache)
    await there.set(key("c"), "one")
    assert await cached.get(key("c")) == b"one"
    assert await cached.get(key("c")) == b"one"
    assert cached.get_cache_hit_rate() == 0.5
    await there.set(key("c"), "two")

    async def told() -> bool:
        return await cached.get(key("c")) == b"two"

    await until_async(told, "the node tells that the key has changed")
    await cached.close()


async def pipelines(here: Any, there: Any, key: Key) -> None:
    steps = batch(is_atomic=False)
    for number, name in enumerate(key.apart(100)):
        steps.set(name, str(number)).get(name)
    wanted = [answer for number in range(100) for answer in ("OK", b"%d" % number)]
    assert await here.exec(steps, raise_on_error=True) == wanted


async def scans(here: Any, there: Any, key: Key) -> None:
    names = key.apart(60)
    for name in names:
        await here.set(name, "x")
    assert sorted(await scanned(there, f"{key.tag}:*")) == sorted(name.encode() for name in names)
    await here.hset(key("hash"), {str(number): str(number) for number in range(600)})
    cursor, pairs = b"0", []
    while True:
        cursor, some = await there.hscan(key("hash"), cursor, count=50)
        pairs += some
        if cursor == b"0":
            break
    assert len(pairs) == 1200


async def scanned(client: Any, pattern: str) -> list[bytes]:
    """All keys that match; the cluster client has a cursor of its own kind."""
    found: list[bytes] = []
    cursor = glide.ClusterScanCursor() if IS_CLUSTER else b"0"
    while True:
        cursor, some = await client.scan(cursor, match=pattern, count=10)
        found += some
        if cursor.is_finished() if IS_CLUSTER else cursor == b"0":
            return found


async def replicas(here: Any, there: Any, key: Key) -> None:
    """The cluster client reads from the node in its own zone: the second, which is in rack2."""
    near = await connect(PORTS[0], read_from=glide.ReadFrom.AZ_AFFINITY, client_az="rack2")
    node = await plain(PORTS[1])
    before = await gets(node)
    for name in key.apart(60):
        assert await near.set(name, name) == "OK"
        assert await near.get(name) == name.encode()
    assert await gets(node) >= before + 60
    await near.close()
    await node.close()


async def gets(node: Any) -> int:
    """How many GETs a node was asked for."""
    told = (await node.info([glide.InfoSection.COMMAND_STATS])).decode()
    return int(told.partition("cmdstat_get:calls=")[2].partition(",")[0] or 0)


async def users(here: Any, there: Any, key: Key) -> None:
    name = f"user-{PREFIX}"
    rules = ["reset", "on", ">secret", f"~{{{PREFIX}*", "+@all", "-@dangerous", "+info"]
    node = await plain(PORTS[0])
    assert await node.custom_command(["ACL", "SETUSER", name, *rules]) == "OK"
    member = await connect(PORTS[2], credentials=glide.ServerCredentials("secret", name))
    assert await member.set(key("mine"), "x") == "OK"
    with refused(glide.RequestError, words="PermissionDenied"):
        await member.set("others", "x")
    await member.close()
    assert await node.custom_command(["ACL", "DELUSER", name]) == 1
    await node.close()


async def main() -> None:
    parts = [strings, hashes, sets, sorted_sets, lists, streams, pubsub]
    parts += [transactions, scripts, caching, pipelines, scans, users]
    parts += [replicas] if IS_CLUSTER else []
    here, there = await connect(PORTS[0]), await connect(PORTS[2])
    await run_async({part.__name__: part for part in parts}, PREFIX, here, there)
    await here.close()
    await there.close()


if __name__ == "__main__":
    asyncio.run(main())
