// A cluster client that goes on while a node dies: it writes and reads many keys until its input ends.
// Called as `goes_on.mjs LIBRARY PORT PORT PORT`. It says `going` when all keys were written once. When its input
// has ended, all keys must soon be written and read without an error, or it ends with one.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "ioredis";
import { createCluster } from "redis";

const [library, ...ports] = process.argv.slice(2);
const keys = Array.from({ length: 60 }, (_, number) => `${library}:${number}`);
const nodes = ports.map((port) => ({ host: "127.0.0.1", port: Number(port) }));
const LAST_PASS_MS = 15_000;

async function connect() {
  if (library === "ioredis") return new Cluster(nodes);
  return createCluster({ rootNodes: nodes.map((socket) => ({ socket })) }).on("error", () => {}).connect();
}

async function writeAndRead(connected, word) {
  for (const key of keys) {
    await connected.set(key, word);
    assert.equal(await connected.get(key), word);
  }
}

const connected = await connect();
await writeAndRead(connected, "first");
console.log("going");
let isOver = false;
process.stdin.resume().on("end", () => { isOver = true; });
while (!isOver) await writeAndRead(connected, "next").catch(() => sleep(10));
const deadline = Date.now() + LAST_PASS_MS;
for (;;) {
  try {
    await writeAndRead(connected, "last");
    process.exit(0);
  } catch (error) {
    if (Date.now() > deadline) throw error;
    await sleep(50);
  }
}
