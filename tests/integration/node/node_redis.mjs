// node-redis, the plain and the cluster client: every type and what goes with it.
import assert from "node:assert/strict";
import { createClient, createCluster, defineScript } from "redis";
import { HOST, MODE, PORTS, PREFIX, run, until, woken } from "./report.mjs";

const isCluster = MODE === "cluster";

async function connected(client) {
  client.on("error", () => {});  // what fails is told by the commands that failed
  return client.connect();
}

function plain(port, options = {}) {
  return connected(createClient({ socket: { host: HOST, port, reconnectStrategy: false }, ...options }));
}

/** A client of the kind that is tested, which begins at `port`. */
function connect(port, { username, password, ...options } = {}) {
  if (!isCluster) return plain(port, { username, password, ...options });
  const rootNodes = [{ socket: { host: HOST, port } }];
  return connected(createCluster({ rootNodes, defaults: { username, password }, ...options }));
}

async function strings(here, there, key) {
  assert.equal(await here.set(key("text"), "hello", { expiration: { type: "EX", value: 100 } }), "OK");
  assert.equal(await there.append(key("text"), " world"), 11);
  assert.equal(await here.get(key("text")), "hello world");
  const left = await there.ttl(key("text"));
  assert.ok(left >= 98 && left <= 100);
  assert.deepEqual([await here.incrBy(key("n"), 5), await there.decr(key("n"))], [5, 4]);
  assert.equal(await here.mSet({ [key("a")]: "1", [key("b")]: "2" }), "OK");
  assert.deepEqual(await there.mGet([key("a"), key("b"), key("none")]), ["1", "2", null]);
  assert.equal(await here.del(key("text")), 1);
}

async function hashes(here, there, key) {
  const name = key("hash");
  assert.equal(await here.hSet(name, { a: "1", b: "2", c: "3" }), 3);
  assert.deepEqual({ ...(await there.hGetAll(name)) }, { a: "1", b: "2", c: "3" });
  assert.deepEqual(await here.hpExpire(name, "b", 30), [1]);
  assert.deepEqual(await there.hExpire(name, ["c", "none"], 100), [1, -2]);
  await until(async () => (await there.hGet(name, "b")) === null, "the field expires");
  const [left] = await here.hTTL(name, "c");
  assert.ok(left >= 98 && left <= 100);
  assert.deepEqual(await there.hGetDel(name, ["a", "b"]), ["1", null]);
}

async function sets(here, there, key) {
  assert.equal(await here.sAdd(key("one"), ["a", "b", "c"]), 3);
  assert.equal(await there.sAdd(key("two"), ["b", "c", "d"]), 3);
  assert.deepEqual([...(await here.sInter([key("one"), key("two")]))].sort(), ["b", "c"]);
  assert.equal(await there.sUnionStore(key("all"), [key("one"), key("two")]), 4);
  assert.ok(["a", "b", "c"].includes(await here.sPop(key("one"))));
}

async function sorted_sets(here, there, key) {
  assert.equal(await here.zAdd(key("scores"), [{ score: 1, value: "ann" }, { score: 2.5, value: "bob" }]), 2);
  assert.equal(await there.zIncrBy(key("scores"), 2, "ann"), 3);
  const found = await here.zRangeWithScores(key("scores"), 0, -1);
  assert.deepEqual(found.map(({ value, score }) => [value, score]), [["bob", 2.5], ["ann", 3]]);
  assert.equal((await there.zPopMin(key("scores"))).value, "bob");
}

async function lists(here, there, key) {
  assert.equal(await here.rPush(key("list"), ["a", "b", "c"]), 3);
  assert.equal(await there.lMove(key("list"), key("other"), "LEFT", "RIGHT"), "a");
  const got = await woken(here.blPop(key("empty"), 10), () => there.rPush(key("empty"), "woken"));
  assert.deepEqual({ ...got }, { key: key("empty"), element: "woken" });
  assert.equal(await here.blPop(key("none"), 0.05), null);
}

async function streams(here, there, key) {
  const name = key("stream");
  assert.equal(await here.xGroupCreate(name, "workers", "$", { MKSTREAM: true }), "OK");
  const ids = [];
  for (let number = 0; number < 4; number++) ids.push(await there.xAdd(name, "*", { n: String(number) }));
  const asked = { key: name, id: ">" };
  const [first] = await here.xReadGroup("workers", "me", asked, { COUNT: 2 });
  const [second] = await there.xReadGroup("workers", "you", asked);
  const told = [...first.messages, ...second.messages];
  assert.deepEqual(told.map(({ id }) => id), ids);
  assert.deepEqual({ ...told[3].message }, { n: "3" });
  assert.equal(await there.xAck(name, "workers", ids.slice(0, 3)), 3);
  assert.equal((await here.xPending(name, "workers")).pending, 1);
  const waiting = here.xRead({ key: name, id: "$" }, { BLOCK: 10_000 });
  const [later] = await woken(waiting, () => there.xAdd(name, "*", { n: "later" }));
  assert.deepEqual({ ...later.messages[0].message }, { n: "later" });
}

async function pubsub(here, there, key) {
  const listener = await connect(PORTS[0]);
  const other = await plain(PORTS[2]);
  const got = [];
  await listener.subscribe(key("news"), (message, channel) => got.push(`message ${channel} ${message}`));
  await listener.pSubscribe(`*${key.tag}}:n*`, (message, channel) => got.push(`pmessage ${channel} ${message}`));
  await other.publish(key("news"), "elsewhere");
  await until(() => got.length === 2, "both messages");
  assert.deepEqual(got.sort(), [`message ${key("news")} elsewhere`, `pmessage ${key("news")} elsewhere`]);
  await listener.sSubscribe(key("shard"), (message) => got.push(message));
  await there.sPublish(key("shard"), "to one slot");
  await until(() => got.includes("to one slot"), "the shard's message");
  other.destroy();
  listener.destroy();
}

async function transactions(here, there, key) {
  assert.deepEqual(await here.multi().set(key("t"), 1).incr(key("t")).get(key("t")).exec(), ["OK", 2, "2"]);
  const alone = await plain(PORTS[0]);
  await alone.watch(key("t"));
  await there.set(key("t"), "theirs");
  await assert.rejects(alone.multi().set(key("t"), "mine").exec(), { name: "Error", message: /watched keys/ });
  assert.equal(await here.get(key("t")), "theirs");
  alone.destroy();
}

const swap = defineScript({
  SCRIPT: "local old = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return old",
  NUMBER_OF_KEYS: 1,
  FIRST_KEY_INDEX: 0,
  parseCommand: (parser, key, value) => { parser.pushKey(key); parser.push(value); },
  transformReply: (reply) => reply,
});

async function scripts(here, there, key) {
  assert.equal(await here.eval(swap.SCRIPT, { keys: [key("s")], arguments: ["one"] }), null);
  const scripted = await connect(PORTS[2], { scripts: { swap } });
  assert.equal(await scripted.swap(key("s"), "two"), "one");
  scripted.destroy();
  const name = `lib${key.tag.replaceAll(/\W/g, "")}`;
  const get = `redis.register_function('${name}_get', function(keys) return redis.call('GET', keys[1]) end)`;
  const node = await plain(PORTS[1]);
  assert.equal(await node.functionLoad(`#!lua name=${name}\n${get}`, { REPLACE: true }), name);
  assert.equal(await there.fCall(`${name}_get`, { keys: [key("s")], arguments: [] }), "two");
  await node.functionDelete(name);
  node.destroy();
}

async function caching(here, there, key) {
  const cached = await connect(PORTS[0], { RESP: 3, clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: "LRU" } });
  await there.set(key("c"), "one");
  assert.deepEqual([await cached.get(key("c")), await cached.get(key("c"))], ["one", "one"]);
  assert.ok(cached.clientSideCache.stats().hitCount >= 1);
  await there.set(key("c"), "two");
  await until(async () => (await cached.get(key("c"))) === "two", "the node tells that the key has changed");
  cached.destroy();
}

async function pipelines(here, there, key) {
  const names = key.apart(100);
  const asked = names.flatMap((name, number) => [here.set(name, String(number)), here.get(name)]);
  const wanted = names.flatMap((_, number) => ["OK", String(number)]);
  assert.deepEqual(await Promise.all(asked), wanted);  // what is asked in one tick goes as one pipeline
}

async function scans(here, there, key) {
  const names = key.apart(60);
  for (const name of names) await here.set(name, "x");
  const found = new Set();
  const scanned = isCluster ? await plain(PORTS[2]) : there;
  for await (const some of scanned.scanIterator({ MATCH: `${key.tag}:*`, COUNT: 10 })) some.forEach((name) => found.add(name));
  if (isCluster) scanned.destroy();
  assert.deepEqual([...found].sort(), names.toSorted());
  await here.hSet(key("hash"), Object.fromEntries(Array.from({ length: 600 }, (_, number) => [number, number])));
  let cursor = "0";
  let fields = 0;
  do {
    const page = await there.hScan(key("hash"), cursor, { COUNT: 50 });
    cursor = page.cursor;
    fields += page.entries.length;
  } while (cursor !== "0");
  assert.equal(fields, 600);
}

/** The cluster client spreads its reads over all nodes that have a copy. */
async function replicas(here, there, key) {
  const near = await connect(PORTS[0], { useReplicas: true });
  for (const name of key.apart(60)) {
    assert.equal(await near.set(name, name), "OK");
    assert.equal(await near.get(name), name);
  }
  near.destroy();
}

async function users(here, there, key) {
  const name = `user-${PREFIX}`;
  const root = await plain(PORTS[0]);
  const rules = ["reset", "on", ">secret", `~{${PREFIX}*`, "+@all", "-@dangerous"];
  assert.equal(await root.aclSetUser(name, rules), "OK");
  const member = await connect(PORTS[2], { username: name, password: "secret" });
  assert.equal(await member.set(key("mine"), "x"), "OK");
  await assert.rejects(member.set("others", "x"), /NOPERM/);
  member.destroy();
  assert.equal(await root.aclDelUser(name), 1);
  root.destroy();
}

const here = await connect(PORTS[0]);
const there = await connect(PORTS[2]);
const types = [strings, hashes, sets, sorted_sets, lists, streams];
const others = [pubsub, transactions, scripts, caching, pipelines, scans, users];
await run([...types, ...others, ...(isCluster ? [replicas] : [])], here, there);
here.destroy();
there.destroy();
