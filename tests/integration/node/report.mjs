// What a client's script tells its test: a line of JSON for each part, with what went wrong or null.
// A script is run as `SCRIPT MODE PREFIX PORT PORT PORT`: `plain` or `cluster`, the beginning of all its keys,
// and the ports of a cluster's nodes in three racks.
import { setTimeout as sleep } from "node:timers/promises";

export const HOST = "127.0.0.1";
export const [MODE, PREFIX, ...PORTS] = process.argv.slice(2).map((word, at) => (at < 2 ? word : Number(word)));

/** Names of keys: all of one part have one hash tag, so that they lie together; `apart` gives many slots. */
function keysOf(part) {
  const tag = `${PREFIX}:${part}`;
  const key = (name) => `{${tag}}:${name}`;
  key.tag = tag;
  key.apart = (count) => Array.from({ length: count }, (_, number) => `${tag}:${number}`);
  return key;
}

/** Call every part with the clients and its keys, and tell what became of it. */
export async function run(parts, ...connected) {
  for (const part of parts) {
    let error = null;
    try {
      await part(...connected, keysOf(part.name));
    } catch (thrown) {
      error = String(thrown?.stack ?? thrown);
    }
    console.log(JSON.stringify({ part: part.name, error }));
  }
}

/** What `happened` gives as soon as it gives something. */
export async function until(happened, what) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await happened();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await sleep(10);
  }
}

/** What `waiting` gives while `wake` is called again and again: who knows when it began to wait. */
export async function woken(waiting, wake) {
  let isOver = false;
  const told = waiting.finally(() => { isOver = true; });
  while (!isOver) {
    await wake();
    await Promise.race([told, sleep(100)]);
  }
  return told;
}
