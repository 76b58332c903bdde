import { silentLog } from "../../../src/base/log.ts";
import { type OpenCache, openCache } from "../../../src/cache/open-cache.ts";
import { blobOf } from "../power-blobs.ts";
import { refOf } from "../power-refs.ts";
import { openSay } from "../sayings.ts";
import { putter } from "./lane.ts";

/**
 * Puts refs to blobs that it has put, overwrites, asks for and removes some, so many that SQLite brings its journal into the database now and then;
 * closes both and goes on.
 *
 *     refs.ts STORE FIRST-NUMBER on|off
 */
const [path = "", first = "0", given] = process.argv.slice(2);
const durability = given === "off" ? "off" : "on";
const say = openSay(durability);
const time = 1_700_000_000_000;

for (const from of [Number(first), Number(first) + 3000]) {
  const cache = await openCache(path, {
    quota: undefined,
    durability,
    clock: () => time,
    log: silentLog,
  });
  await Promise.all([0, 300, 600].map((more) => lane(cache, from + more)));
  await cache.close();
}

async function lane(cache: OpenCache, from: number): Promise<void> {
  const putBlob = putter(cache.store, say);
  for (let i = 0; i < 25; i++) {
    const number = from + i * 3; // these are of the tenant without a name
    await putBlob(number);
    await putRef(cache, `ref${number}`, 1, number);
    if (i % 3 === 1) await putRef(cache, `ref${number - 3}`, 2, number);
    await cache.refs.get(refOf(`ref${number - 6}`, 0));
    if (i % 5 === 4) await dropRef(cache, `ref${number - 9}`);
  }
}

async function putRef(cache: OpenCache, name: string, version: number, root: number): Promise<void> {
  say(`putting ${name} ${version}`);
  await cache.refs.put([
    refOf(name, version, blobOf(root).digest),
    refOf(`${name}-weak`, version, blobOf(root).digest),
  ]);
  say(`put ${name} ${version}`);
}

async function dropRef(cache: OpenCache, name: string): Promise<void> {
  say(`dropping ${name}`);
  await cache.refs.remove(refOf(name, 0));
  say(`dropped ${name}`);
}
