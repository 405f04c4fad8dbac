"""redis-py and valkey-py, the plain and the cluster client: every type and what goes with it.

Called as `redis_sync.py MODE PREFIX PORT PORT PORT`, with MODULE=redis or MODULE=valkey in the environment.
"""

import importlib
import os
import threading
from typing import Any

from report import HOST, Key, arguments, refused, run, until

library = importlib.import_module(os.environ["MODULE"])
cluster_library = importlib.import_module(f"{os.environ['MODULE']}.cluster")
IS_REDIS = library.__name__ == "redis"
errors = library.exceptions
Plain = library.Redis if IS_REDIS else library.Valkey
Cluster = cluster_library.RedisCluster if IS_REDIS else cluster_library.ValkeyCluster
ClusterError = errors.RedisClusterException if IS_REDIS else errors.ValkeyClusterException
MODE, PREFIX, PORTS = arguments()


def connect(port: int, **options: Any) -> Any:
    """A client of the kind that is tested, which begins at `port`."""
    kind = Cluster if MODE == "cluster" else Plain
    return kind(host=HOST, port=port, decode_responses=True, socket_timeout=10, **options)


def plain(port: int, **options: Any) -> Any:
    """A client of one node."""
    return Plain(host=HOST, port=port, decode_responses=True, socket_timeout=10, **options)


def strings(here: Any, there: Any, key: Key) -> None:
    assert here.set(key("text"), "hello", ex=100)
    assert there.append(key("text"), " world") == 11
    assert here.get(key("text")) == "hello world"
    assert 98 <= there.ttl(key("text")) <= 100
    assert not here.set(key("text"), "no", nx=True)
    assert [here.incrby(key("n"), 5), there.decr(key("n"))] == [5, 4]
    assert here.incrbyfloat(key("f"), 0.5) == 0.5
    assert here.mset({key("a"): "1", key("b"): "2"})
    assert there.mget(key("a"), key("b"), key("none")) == ["1", "2", None]
    assert here.setbit(key("bits"), 7, 1) == 0
    assert there.bitcount(key("bits")) == 1
    assert here.pfadd(key("hll"), "a", "b", "c") == 1
    assert there.pfcount(key("hll")) == 3
    assert here.delete(key("text")) == 1


def hashes(here: Any, there: Any, key: Key) -> None:
    name = key("hash")
    assert here.hset(name, mapping={"a": "1", "b": "2", "c": "3"}) == 3
    assert there.hgetall(name) == {"a": "1", "b": "2", "c": "3"}
    assert there.hincrby(name, "a", 5) == 6
    assert here.hmget(name, "a", "none") == ["6", None]
    assert here.execute_command("HPEXPIRE", name, 30, "FIELDS", 1, "b") == [1]
    assert there.execute_command("HEXPIRE", name, 100, "FIELDS", 2, "c", "none") == [1, -2]
    until(lambda: there.hget(name, "b") is None, "the field expires")
    assert 98 <= here.execute_command("HTTL", name, "FIELDS", 1, "c")[0] <= 100
    assert here.hsetex(name, "d", "4", ex=50) == 1
    assert there.execute_command("HGETEX", name, "PERSIST", "FIELDS", 1, "d") == ["4"]
    assert sorted(here.hkeys(name)) == ["a", "c", "d"]


def sets(here: Any, there: Any, key: Key) -> None:
    assert here.sadd(key("one"), "a", "b", "c") == 3
    assert there.sadd(key("two"), "b", "c", "d") == 3
    assert set(here.sinter(key("one"), key("two"))) == {"b", "c"}
    assert there.sunionstore(key("all"), key("one"), key("two")) == 4
    assert set(here.smembers(key("all"))) == {"a", "b", "c", "d"}
    assert there.smismember(key("all"), ["a", "x"]) == [1, 0]
    assert here.spop(key("one")) in {"a", "b", "c"}
    assert there.scard(key("one")) == 2


def sorted_sets(here: Any, there: Any, key: Key) -> None:
    assert here.zadd(key("scores"), {"ann": 1, "bob": 2.5, "cy": 3}) == 3
    assert there.zincrby(key("scores"), 2, "ann") == 3.0
    found = here.zrange(key("scores"), 0, -1, withscores=True)
    assert [tuple(pair) for pair in found] == [("bob", 2.5), ("ann", 3.0), ("cy", 3.0)]
    assert there.zrangebyscore(key("scores"), "(2.5", "+inf") == ["ann", "cy"]
    assert here.zrank(key("scores"), "cy") == 2
    assert [tuple(pair) for pair in there.zpopmin(key("scores"))] == [("bob", 2.5)]
    assert here.geoadd(key("geo"), (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")) == 2
    assert abs(there.geodist(key("geo"), "Palermo", "Catania", unit="km") - 166.2742) < 0.001


def lists(here: Any, there: Any, key: Key) -> None:
    assert here.rpush(key("list"), "a", "b", "c") == 3
    assert there.lrange(key("list"), 0, -1) == ["a", "b", "c"]
    assert here.lmove(key("list"), key("other"), "LEFT", "RIGHT") == "a"
    assert there.blpop([key("list")], timeout=1) in ((key("list"), "b"), [key("list"), "b"])
    told: list[Any] = []
    waiter = threading.Thread(target=lambda: told.append(here.blpop([key("empty")], timeout=10)))
    waiter.start()
    while waiter.is_alive():  # who knows when it began to wait
        there.rpush(key("empty"), "woken")
        waiter.join(0.1)
    assert list(told[0]) == [key("empty"), "woken"]
    assert here.blpop([key("none")], timeout=0.05) is None


def streams(here: Any, there: Any, key: Key) -> None:
    name = key("stream")
    assert here.xgroup_create(name, "workers", "$", mkstream=True)
    ids = [there.xadd(name, {"n": str(number)}) for number in range(4)]
    first = entries(here.xreadgroup("workers", "me", {name: ">"}, count=2))
    second = entries(there.xreadgroup("workers", "you", {name: ">"}, count=9))
    assert [entry_id for entry_id, _ in first + second] == ids
    assert second[-1][1] == {"n": "3"}
    assert there.xack(name, "workers", *ids[:3]) == 3
    assert here.xpending(name, "workers")["pending"] == 1
    claimed = here.xautoclaim(name, "workers", "me", min_idle_time=0)
    assert [entry_id for entry_id, _ in claimed[1]] == ids[3:]
    assert there.xlen(name) == 4
    told: list[Any] = []
    waiter = threading.Thread(target=lambda: told.append(here.xread({name: "$"}, block=10_000)))
    waiter.start()
    while waiter.is_alive():
        there.xadd(name, {"n": "later"})
        waiter.join(0.1)
    assert entries(told[0])[0][1] == {"n": "later"}


def entries(told: Any) -> list[Any]:
    """The entries of the only stream in a reply: RESP3 gives a map, RESP2 a list."""
    ((_, found),) = told.items() if isinstance(told, dict) else told
    return list(found[0]) if isinstance(found[0], list) and isinstance(found[0][0], tuple) else list(found)


def pubsub(here: Any, there: Any, key: Key) -> None:
    options = {"node": here.get_node(HOST, PORTS[0])} if MODE == "cluster" else {}
    listener = here.pubsub(ignore_subscribe_messages=False, **options)
    listener.subscribe(key("news"))
    listener.psubscribe(key("n*"))
    until(lambda: listener.get_message(timeout=1), "subscribed")
    until(lambda: listener.get_message(timeout=1), "subscribed to the pattern")
    plain(PORTS[2]).publish(key("news"), "from another node")
    got = [until(lambda: listener.get_message(timeout=1), "a message") for _ in range(2)]
    assert sorted(message["type"] for message in got) == ["message", "pmessage"], got
    assert {message["data"] for message in got} == {"from another node"}
    listener.close()
    if MODE == "cluster":
        sharded(here, there, key)


def sharded(here: Any, there: Any, key: Key) -> None:
    listener = here.pubsub()
    listener.ssubscribe(key("shard"))
    until(lambda: listener.get_sharded_message(timeout=1), "subscribed")
    there.spublish(key("shard"), "to one slot")
    message = until(lambda: listener.get_sharded_message(timeout=1), "a message")
    assert (message["type"], message["data"]) == ("smessage", "to one slot")
    listener.close()


def transactions(here: Any, there: Any, key: Key) -> None:
    steps = here.pipeline(transaction=True).set(key("t"), 1).incr(key("t")).get(key("t"))
    assert steps.execute()[1:] == [2, "2"]
    with here.pipeline(transaction=True) as pipe:
        pipe.watch(key("t"))
        assert pipe.get(key("t")) == "2"
        pipe.multi()
        pipe.set(key("t"), "mine")
        assert pipe.execute() in ([True], ["OK"])
        pipe.watch(key("t"))
        there.set(key("t"), "theirs")
        pipe.multi()
        pipe.set(key("t"), "mine again")
        with refused(library.WatchError):
            pipe.execute()
    assert here.get(key("t")) == "theirs"


def scripts(here: Any, there: Any, key: Key) -> None:
    swap = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old"
    assert here.eval(swap, 1, key("s"), "one") is None
    assert there.eval(swap, 1, key("s"), "two") == "one"
    sha = here.script_load(swap)
    assert there.evalsha(sha, 1, key("s"), "three") == "two"
    assert here.script_exists(sha, "0" * 40) == [True, False]
    add = here.register_script("return {redis.call('INCRBY', KEYS[1], ARGV[1]), 'done', ARGV[2]}")
    assert add(keys=[key("n")], args=[5, "x"]) == [5, "done", "x"]
    with refused(library.ResponseError, words="own words"):
        here.eval("return redis.error_reply('MINE own words')", 1, key("s"))
    name = "lib" + "".join(filter(str.isalnum, key.tag))
    get = f"redis.register_function('{name}_get', function(keys) return redis.call('GET', keys[1]) end)"
    assert here.function_load(f"#!lua name={name}\n{get}", replace=True) == name
    assert there.fcall(f"{name}_get", 1, key("s")) == "three"
    here.function_delete(name)


def caching(here: Any, there: Any, key: Key) -> None:
    if not IS_REDIS:
        redirected(there, key)
        return
    redis_cache = importlib.import_module("redis.cache")
    cache = redis_cache.DefaultCache(redis_cache.CacheConfig())
    with connect(PORTS[0], protocol=3, cache=cache) as cached:
        there.set(key("c"), "one")
        assert cached.get(key("c")) == "one"
        assert cache.size == 1
        there.set(key("c"), "two")
        until(lambda: cached.get(key("c")) == "two", "the node tells that the key has changed")


def redirected(there: Any, key: Key) -> None:
    """Tracking as RESP2 has it: another connection of the client hears of the changes."""
    node = plain(PORTS[0])
    listener = node.pubsub()
    listener.execute_command("CLIENT", "ID")
    hearing = listener.parse_response()
    listener.subscribe("__redis__:invalidate")
    until(lambda: listener.get_message(timeout=1), "subscribed")
    with node.client() as reader:
        assert reader.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", hearing)
        there.set(key("c"), "one")
        assert reader.get(key("c")) == "one"
        there.set(key("c"), "two")
        message = until(lambda: listener.get_message(timeout=1), "the node tells that the key has changed")
        assert message["data"] == [key("c")]
        assert reader.get(key("c")) == "two"


def pipelines(here: Any, there: Any, key: Key) -> None:
    pipe = here.pipeline(transaction=False) if MODE == "plain" else here.pipeline()
    names = key.apart(100)
    for number, name in enumerate(names):
        pipe.set(name, number)
        pipe.get(name)
    assert pipe.execute() == [answer for number in range(100) for answer in (True, str(number))]
    pipe = there.pipeline(transaction=False) if MODE == "plain" else there.pipeline()
    pipe.set(key("text"), "x")
    pipe.incr(key("text"))
    pipe.get(key("text"))
    replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True
    assert isinstance(replies[1], library.ResponseError)
    assert replies[2] == "x"


def scans(here: Any, there: Any, key: Key) -> None:
    names = key.apart(60)
    for name in names:
        here.set(name, "x")
    assert sorted(there.scan_iter(f"{key.tag}:*", count=10)) == sorted(names)
    here.hset(key("hash"), mapping={str(number): number for number in range(600)})
    assert len(dict(there.hscan_iter(key("hash"), count=50))) == 600
    here.sadd(key("set"), *range(600))
    assert {int(member) for member in there.sscan_iter(key("set"), count=50)} == set(range(600))
    here.zadd(key("zset"), {str(number): number for number in range(600)})
    assert dict(there.zscan_iter(key("zset"), count=50)) == {str(n): float(n) for n in range(600)}


def replicas(here: Any, there: Any, key: Key) -> None:
    """The cluster client spreads its reads over all nodes that have a copy."""
    with connect(PORTS[0], read_from_replicas=True) as near:
        for name in key.apart(60):
            assert near.set(name, name)
            assert near.get(name) == name


def users(here: Any, there: Any, key: Key) -> None:
    name = f"user-{PREFIX}"
    node = plain(PORTS[0])
    rules = ["reset", "on", ">secret", f"~{{{PREFIX}*", "+@all", "-@dangerous"]
    assert node.execute_command("ACL", "SETUSER", name, *rules) in (True, "OK")
    with connect(PORTS[2], username=name, password="secret") as member:
        assert member.set(key("mine"), "x")
        assert there.get(key("mine")) == "x"
        with refused(errors.NoPermissionError, words="access a key"):
            member.set("others", "x")
        with refused(errors.NoPermissionError, words="'keys'"):
            member.keys("*")
    once = {} if MODE == "cluster" else {"retry": library.retry.Retry(library.backoff.NoBackoff(), 0)}
    with refused(errors.ConnectionError, ClusterError, words="invalid username-password"):
        connect(PORTS[1], username=name, password="wrong", **once).get(key("mine"))
    assert node.execute_command("ACL", "DELUSER", name) == 1


if __name__ == "__main__":
    parts = [strings, hashes, sets, sorted_sets, lists, streams, pubsub]
    parts += [scripts, caching, pipelines, scans, users]
    if IS_REDIS or MODE == "plain":  # valkey-py's cluster client has no transactions
        parts.append(transactions)
    if MODE == "cluster":
        parts.append(replicas)
    with connect(PORTS[0]) as here, connect(PORTS[2]) as there:
        run({part.__name__: part for part in parts}, PREFIX, here, there)
