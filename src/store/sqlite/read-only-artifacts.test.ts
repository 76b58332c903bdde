import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../../base/log.ts";
import { artifactRef } from "../artifact-refs.contract.ts";
import { openArtifacts } from "./read-only-artifacts.ts";
import { SqliteRefStore } from "./sqlite-ref-store.ts";

const clock = (): number => 1000;
const everything = { instance: "", sort: "newest", limit: 10 } as const;

test("reads what a server writes, and what one has left, of which it changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stillage read#?-"));
  try {
    const file = join(folder, "refs.sqlite");
    const store = new SqliteRefStore({ file, durability: "on", clock, log: silentLog });
    await store.put([artifactRef("p/e/k", "one", 10)]);
    const beside = openArtifacts(file, clock);
    assert.equal((await beside.list(everything)).length, 1);
    await store.put([artifactRef("p/e/l", "two", 10)]);
    assert.equal((await beside.list(everything)).length, 2);
    beside.close();
    await store.close();
    assert.deepEqual(readdirSync(folder), ["refs.sqlite"]);
    const alone = openArtifacts(file, clock);
    assert.equal((await alone.list(everything)).length, 2);
    assert.deepEqual([alone.instances(), readdirSync(folder)], [[""], ["refs.sqlite"]]);
    alone.close();
    assert.deepEqual(readdirSync(folder), ["refs.sqlite"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
