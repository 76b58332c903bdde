import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { SqliteRefStore } from "../../src/store/sqlite/sqlite-ref-store.ts";

const writer = fileURLToPath(new URL("./refs-writer.ts", import.meta.url));
const rounds = 4;
const acknowledgedARound = 300;

/** Lets a writer run until it has said enough, kills it in the middle, and returns the numbers that it said. */
async function writeAndKill(file: string, first: number): Promise<number[]> {
  const child = spawn(process.execPath, [writer, file, `${first}`], { stdio: ["ignore", "pipe", "inherit"] });
  const numbers: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    numbers.push(Number(line));
    if (numbers.length === acknowledgedARound) child.kill("SIGKILL");
  }
  return numbers;
}

describe("refs after a kill", () => {
  it("are all there where they were acknowledged, each pair whole or not at all", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "stillage-fault-"));
    const file = join(folder, "refs.sqlite");
    try {
      for (let round = 0; round < rounds; round++) {
        const first = round * 1_000_000;
        const acknowledged = await writeAndKill(file, first);
        assert.ok(acknowledged.length >= acknowledgedARound);
        const store = new SqliteRefStore({ file, durability: "on", clock: systemClock, log: silentLog });
        const messageOf = (name: string): string | undefined => {
          const ref = store.get({ space: "asset", instance: "", name });
          return ref && Buffer.from(ref.message).toString();
        };
        for (const number of acknowledged) assert.equal(messageOf(`strong ${number}`), `pair ${number}`);
        for (let number = first; number <= Math.max(...acknowledged) + 1000; number++) {
          assert.equal(messageOf(`weak ${number}`), messageOf(`strong ${number}`));
        }
        await store.close();
        const database = new DatabaseSync(file, { readOnly: true });
        assert.deepEqual(Object.values(database.prepare("PRAGMA integrity_check").get() ?? {}), ["ok"]);
        const { refs } = database.prepare("SELECT refs FROM counts").get() as { refs: number };
        assert.equal(Object.values(database.prepare("SELECT count(*) FROM refs").get() ?? {})[0], refs);
        database.close();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
