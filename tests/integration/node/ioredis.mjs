// ioredis, the plain and the cluster client: every type and what goes with it.
import assert from "node:assert/strict";
import Redis, { Cluster } from "ioredis";
import { HOST, MODE, PORTS, PREFIX, run, until, woken } from "./report.mjs";

const isCluster = MODE === "cluster";

function plain(port, options = {}) {
  return new Redis({ host: HOST, port, ...options });
}

/** A client of the kind that is tested, which begins at `port`. */
function connect(port, options = {}) {
  return isCluster ? new Cluster([{ host: HOST, port }], { redisOptions: options }) : plain(port, options);
}

async function strings(here, there, key) {
  assert.equal(await here.set(key("text"), "hello", "EX", 100), "OK");
  assert.equal(await there.append(key("text"), " world"), 11);
  assert.equal(await here.get(key("text")), "hello world");
  const left = await there.ttl(key("text"));
  assert.ok(left >= 98 && left <= 100);
  assert.deepEqual([await here.incrby(key("n"), 5), await there.decr(key("n"))], [5, 4]);
  assert.equal(await here.mset({ [key("a")]: "1", [key("b")]: "2" }), "OK");
  assert.deepEqual(await there.mget(key("a"), key("b"), key("none")), ["1", "2", null]);
  assert.equal(await here.del(key("text")), 1);
}

async function hashes(here, there, key) {
  const name = key("hash");
  assert.equal(await here.hset(name, { a: "1", b: "2", c: "3" }), 3);
  assert.deepEqual({ ...(await there.hgetall(name)) }, { a: "1", b: "2", c: "3" });
  assert.deepEqual(await here.hpexpire(name, 30, "FIELDS", 1, "b"), [1]);
  assert.deepEqual(await there.hexpire(name, 100, "FIELDS", 2, "c", "none"), [1, -2]);
  await until(async () => (await there.hget(name, "b")) === null, "the field expires");
  const [left] = await here.httl(name, "FIELDS", 1, "c");
  assert.ok(left >= 98 && left <= 100);
}

async function sets(here, there, key) {
  assert.equal(await here.sadd(key("one"), "a", "b", "c"), 3);
  assert.equal(await there.sadd(key("two"), "b", "c", "d"), 3);
  assert.deepEqual([...(await here.sinter(key("one"), key("two")))].sort(), ["b", "c"]);
  assert.equal(await there.sunionstore(key("all"), key("one"), key("two")), 4);
  assert.ok(["a", "b", "c"].includes(await here.spop(key("one"))));
}

async function sorted_sets(here, there, key) {
  assert.equal(await here.zadd(key("scores"), 1, "ann", 2.5, "bob"), 2);
  assert.equal(Number(await there.zincrby(key("scores"), 2, "ann")), 3);
  const found = (await here.zrange(key("scores"), 0, -1, "WITHSCORES")).flat().map(String);
  assert.deepEqual(found, ["bob", "2.5", "ann", "3"]);
  assert.deepEqual((await there.zpopmin(key("scores"))).flat().map(String), ["bob", "2.5"]);
}

async function lists(here, there, key) {
  assert.equal(await here.rpush(key("list"), "a", "b", "c"), 3);
  assert.equal(await there.lmove(key("list"), key("other"), "LEFT", "RIGHT"), "a");
  const got = await woken(here.blpop(key("empty"), 10), () => there.rpush(key("empty"), "woken"));
  assert.deepEqual(got, [key("empty"), "woken"]);
  assert.equal(await here.blpop(key("none"), 0.05), null);
}

async function streams(here, there, key) {
  const name = key("stream");
  assert.equal(await here.xgroup("CREATE", name, "workers", "$", "MKSTREAM"), "OK");
  const ids = [];
  for (let number = 0; number < 4; number++) ids.push(await there.xadd(name, "*", "n", number));
  const first = await here.xreadgroup("GROUP", "workers", "me", "COUNT", 2, "STREAMS", name, ">");
  const second = await there.xreadgroup("GROUP", "workers", "you", "STREAMS", name, ">");
  const told = [...entries(first, name), ...entries(second, name)];
  assert.deepEqual(told.map(([id]) => id), ids);
  assert.deepEqual(told[3][1], ["n", "3"]);
  assert.equal(await there.xack(name, "workers", ...ids.slice(0, 3)), 3);
  assert.equal((await here.xpending(name, "workers"))[0], 1);
  const later = await woken(here.xread("BLOCK", 10_000, "STREAMS", name, "$"), () => there.xadd(name, "*", "n", "later"));
  assert.deepEqual(entries(later, name)[0][1], ["n", "later"]);
}

/** The entries of one stream in a reply: RESP3 gives a map, RESP2 pairs. */
function entries(reply, name) {
  return Array.isArray(reply) ? reply.find(([stream]) => stream === name)[1] : reply[name];
}

async function pubsub(here, there, key) {
  const listener = connect(PORTS[0]);
  const other = plain(PORTS[2]);
  const got = [];
  listener.on("message", (channel, message) => got.push(`message ${channel} ${message}`));
  listener.on("pmessage", (pattern, channel, message) => got.push(`pmessage ${channel} ${message}`));
  await listener.subscribe(key("news"));
  await listener.psubscribe(`*${key.tag}}:n*`);
  await other.publish(key("news"), "elsewhere");
  await until(() => got.length === 2, "both messages");
  assert.deepEqual(got.sort(), [`message ${key("news")} elsewhere`, `pmessage ${key("news")} elsewhere`]);
  other.disconnect();
  listener.disconnect();
}

async function transactions(here, there, key) {
  const done = await here.multi().set(key("t"), 1).incr(key("t")).get(key("t")).exec();
  assert.deepEqual(done, [[null, "OK"], [null, 2], [null, "2"]]);
  const alone = plain(PORTS[0]);
  await alone.watch(key("t"));
  await there.set(key("t"), "theirs");
  assert.equal(await alone.multi().set(key("t"), "mine").exec(), null);
  assert.equal(await here.get(key("t")), "theirs");
  alone.disconnect();
}

async function scripts(here, there, key) {
  const swap = "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old";
  assert.equal(await here.eval(swap, 1, key("s"), "one"), null);
  there.defineCommand("swap", { numberOfKeys: 1, lua: swap });
  assert.equal(await there.swap(key("s"), "two"), "one");
  const name = `lib${key.tag.replaceAll(/\W/g, "")}`;
  const get = `redis.register_function('${name}_get', function(keys) return redis.call('GET', keys[1]) end)`;
  assert.equal(await here.function("LOAD", "REPLACE", `#!lua name=${name}\n${get}`), name);
  assert.equal(await there.fcall(`${name}_get`, 1, key("s")), "two");
  await here.function("DELETE", name);
}

/** ioredis keeps nothing; but it can be told of changes on another connection, as RESP2 has it. */
async function caching(here, there, key) {
  const listener = plain(PORTS[0], { protocol: 2 });
  const reader = plain(PORTS[0], { protocol: 2 });
  const got = [];
  const hearing = await listener.client("ID");
  listener.on("message", (channel, changed) => got.push(String(changed)));
  await listener.subscribe("__redis__:invalidate");
  assert.equal(await reader.client("TRACKING", "ON", "REDIRECT", hearing), "OK");
  await there.set(key("c"), "one");
  assert.equal(await reader.get(key("c")), "one");
  await there.set(key("c"), "two");
  await until(() => got.includes(key("c")), "the node tells that the key has changed");
  assert.equal(await reader.get(key("c")), "two");
  listener.disconnect();
  reader.disconnect();
}

async function pipelines(here, there, key) {
  const pipe = here.pipeline();
  const names = isCluster ? Array.from({ length: 100 }, (_, number) => key(number)) : key.apart(100);
  names.forEach((name, number) => pipe.set(name, number).get(name));
  const wanted = names.flatMap((_, number) => [[null, "OK"], [null, String(number)]]);
  assert.deepEqual(await pipe.exec(), wanted);
}

async function scans(here, there, key) {
  const names = key.apart(60);
  for (const name of names) await here.set(name, "x");
  const found = new Set();
  const scanned = isCluster ? there.nodes("master")[0] : there;
  for await (const some of scanned.scanStream({ match: `${key.tag}:*`, count: 10 })) some.forEach((name) => found.add(name));
  assert.deepEqual([...found].sort(), names.toSorted());
  await here.hset(key("hash"), Object.fromEntries(Array.from({ length: 600 }, (_, number) => [number, number])));
  let fields = 0;
  for await (const some of there.hscanStream(key("hash"), { count: 50 })) fields += some.length / 2;
  assert.equal(fields, 600);
}

/** The cluster client spreads its reads over all nodes that have a copy. */
async function replicas(here, there, key) {
  const near = new Cluster([{ host: HOST, port: PORTS[0] }], { scaleReads: "all" });
  for (const name of key.apart(60)) {
    assert.equal(await near.set(name, name), "OK");
    assert.equal(await near.get(name), name);
  }
  near.disconnect();
}

async function users(here, there, key) {
  const name = `user-${PREFIX}`;
  const root = plain(PORTS[0]);
  const rules = ["reset", "on", ">secret", `~{${PREFIX}*`, "+@all", "-@dangerous", "+info"];
  assert.equal(await root.acl("SETUSER", name, ...rules), "OK");
  const member = connect(PORTS[2], { username: name, password: "secret" });
  assert.equal(await member.set(key("mine"), "x"), "OK");
  await assert.rejects(member.set("others", "x"), /NOPERM/);
  member.disconnect();
  assert.equal(await root.acl("DELUSER", name), 1);
  root.disconnect();
}

const here = connect(PORTS[0]);
const there = connect(PORTS[2]);
const types = [strings, hashes, sets, sorted_sets, lists, streams];
const others = [pubsub, transactions, scripts, caching, pipelines, scans, users];
await run([...types, ...others, ...(isCluster ? [replicas] : [])], here, there);
here.disconnect();
there.disconnect();
