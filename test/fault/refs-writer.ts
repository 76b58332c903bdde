// Puts pairs of refs into the store of the file named first, many at once, and prints the number of each pair once it is
// acknowledged. Goes on until it is killed.
import { systemClock } from "../../src/base/clock.ts";
import { digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { silentLog } from "../../src/base/log.ts";
import type { NewRef } from "../../src/store/ref-store.ts";
import { SqliteRefStore } from "../../src/store/sqlite/sqlite-ref-store.ts";

const [file, first] = process.argv.slice(2);
if (file === undefined || first === undefined) throw new Error("usage: refs-writer.ts FILE FIRST");
const store = new SqliteRefStore({ file, durability: "on", clock: systemClock, log: silentLog });
let next = Number(first);

async function putForEver(): Promise<never> {
  for (;;) {
    const number = next++;
    const message = Buffer.from(`pair ${number}`);
    const ref = (name: string): NewRef => ({
      space: "asset",
      instance: "",
      name: `${name} ${number}`,
      message,
      roots: [{ walk: "blob", digest: digestOf(sha256, message) }],
      stored: systemClock(),
      expires: undefined,
    });
    await store.put([ref("strong"), ref("weak")]);
    process.stdout.write(`${number}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, putForEver));
