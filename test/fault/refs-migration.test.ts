import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrateRefs } from "../../src/store/sqlite/migrate-refs.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const fixture = join(import.meta.dirname, "../fixtures/stores/format-1/refs.sqlite");
const migrator = join(import.meta.dirname, "refs-migrator.ts");
const refs = 12 + 9000;

/** Makes many refs of the old format out of one. */
function multiply(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
    INSERT INTO refs (space, instance, name, message, roots, stored, used)
    SELECT space, instance, substr(name, 1, length(name) - 64) || 'k' || i, zeroblob(300), roots, stored + i, used + i
    FROM (SELECT * FROM refs WHERE name LIKE 'blob%artifact:%' LIMIT 1), n`);
  database.close();
}

test("a migration that is killed leaves the old format, and the next one comes to its end", {
  timeout: 60_000,
}, async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "refs.sqlite");
  copyFileSync(fixture, file);
  multiply(file);
  const number = (sql: string): number => {
    const database = new DatabaseSync(file);
    try {
      return Object.values(database.prepare(sql).get() ?? {})[0] as number;
    } finally {
      database.close();
    }
  };
  for (const step of [0, 5, 9, 10, 11]) {
    const child = spawn(process.execPath, [migrator, file, `${step}`], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const said of child.stdout) {
      assert.equal(
        String(said),
        `${step < 10 ? "listing artifacts" : ["making indexes", "dropping a table"][step - 10]}\n`,
      );
      child.kill("SIGKILL");
    }
    assert.deepEqual([number("PRAGMA user_version"), number("SELECT count(*) FROM refs")], [1, refs]);
    assert.equal(number("SELECT count(*) FROM pragma_table_info('refs') WHERE name = 'artifact'"), 0);
  }
  assert.equal((await migrateRefs(file, new AbortController().signal, () => {})).refs, refs);
  assert.equal(number("SELECT count(*) FROM refs WHERE artifact IS NOT NULL"), 8 + 9000);
  assert.equal(number("SELECT total(refs) FROM counts"), refs);
});
