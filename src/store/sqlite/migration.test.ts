import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { silentLog } from "../../base/log.ts";
import { artifactOfFirstFormat } from "./format-1.ts";
import { migrateRefs } from "./migrate-refs.ts";
import { openToRead } from "./open-database.ts";
import { formatVersion } from "./schema.ts";
import { SqliteRefStore } from "./sqlite-ref-store.ts";

const stores = join(import.meta.dirname, "../../../test/fixtures/stores");
const never = new AbortController().signal;

describe("migration", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "stillage-migration-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const oldFile = (format: number, name: string): string => {
    const file = join(folder, `${format} ${name}.sqlite`);
    copyFileSync(join(stores, `format-${format}`, "refs.sqlite"), file);
    return file;
  };
  const rows = (file: string, sql: string): object[] => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  };
  /** What the tables are, in whatever order they were made. */
  const schema = (file: string): object[] =>
    rows(file, "SELECT type, name, sql FROM sqlite_schema WHERE name <> 'refs' ORDER BY type, name");
  const contents = (file: string): object[] =>
    rows(file, "SELECT id, space, instance, name, message, roots, pinned, stored, used, expires FROM refs ORDER BY id");

  it("of each format gives the tables that a new file has, and keeps all refs as they are", async () => {
    const fresh = join(folder, "fresh.sqlite");
    await new SqliteRefStore({ file: fresh, durability: "on", clock: () => 1, log: silentLog }).close();
    for (const format of [1, 2, 3]) {
      const file = oldFile(format, "tables");
      const before = contents(file);
      assert.deepEqual(await migrateRefs(file, never, () => {}), { from: format, to: formatVersion, refs: 12 });
      assert.deepEqual(schema(file), schema(fresh));
      assert.deepEqual(contents(file), before);
      assert.deepEqual(
        rows(file, "PRAGMA integrity_check").map((row) => ({ ...row })),
        [{ integrity_check: "ok" }],
      );
      assert.deepEqual(await migrateRefs(file, never, () => {}), { from: formatVersion, to: formatVersion, refs: 0 });
    }
  });

  it("lists the same artifacts, whether they were listed before or not", async () => {
    const listed = async (format: number): Promise<unknown> => {
      const file = oldFile(format, "artifacts");
      const store = new SqliteRefStore({ file, durability: "on", clock: () => 1, log: silentLog });
      const found = ["", "team/os"].map((instance) => store.artifacts.list({ instance, sort: "name", limit: 9 }));
      assert.deepEqual(
        store.groups().map(({ refs }) => refs),
        [1, 1, 4, 4, 1, 1],
      );
      await store.close();
      return found.map((list) => list.map(({ id: _, ...artifact }) => artifact));
    };
    const first = (await listed(1)) as { keys: string[]; generation: string }[][];
    for (const format of [2, 3]) assert.deepEqual(first, await listed(format));
    assert.deepEqual(
      first.map((list) => list.map(({ generation, keys }) => [generation, keys.length])),
      [
        [
          ["2.x", 2],
          ["1.9x", 1],
          ["1.x", 1],
        ],
        [
          ["2.x", 2],
          ["1.9x", 1],
          ["1.x", 1],
        ],
      ],
    );
  });

  it("leaves the old format when it is stopped, wherever that is", async () => {
    const file = oldFile(1, "stopped");
    const before = [contents(file), schema(file)];
    for (const doing of ["listing artifacts", "making indexes", "dropping a table"]) {
      const stop = new AbortController();
      const migrating = migrateRefs(file, stop.signal, (progress) => {
        if (progress.doing === doing) stop.abort(new Error("enough"));
      });
      await assert.rejects(migrating, { message: "enough" });
      assert.deepEqual([contents(file), schema(file)], before);
    }
    assert.equal((await migrateRefs(file, never, () => {})).from, 1);
  });

  it("is what a reader of an older format is told of", () => {
    const file = oldFile(2, "read");
    assert.throws(() => openToRead(file), {
      code: "failed-precondition",
      message: /has format 2 of an older version of Stillage, which `stillage store migrate` .* bring to format 4$/,
    });
  });

  it("finds an artifact in what its name and its message say, and none in anything else", () => {
    const roots = `artifact sha256 ${"a".repeat(64)} 5\nblob sha256 ${"b".repeat(64)} 6`;
    const prefix = "blob\nurn:fdc:buildstream.build:2020:artifact:";
    const found = (
      space: "asset" | "reference" | "action" | "ostree",
      name: string,
      of = roots,
    ): string | undefined => {
      const artifact = artifactOfFirstFormat({ space, name, message: Buffer.from("m"), roots: of });
      return artifact && `${artifact.generation} ${artifact.project} ${artifact.element} ${artifact.key}`;
    };
    assert.equal(found("asset", `${prefix}p/e/k`), "2.x p e k");
    assert.equal(found("asset", `${prefix}p/e/f/k`), "2.x p e/f k");
    assert.equal(found("asset", "directory\nurn:fdc:buildstream.build:2020:v1:p/e/k"), "1.x p e k");
    assert.equal(found("reference", "artifact\np/e/k", ""), "1.9x p e k");
    assert.equal(found("ostree", "p/e/k"), "1.0 p e k");
    for (const name of [
      `${prefix}p/k`,
      `${prefix}p/e/`,
      `${prefix}/e/k`,
      `${prefix}p/e/k\n["a","b"]`,
      "blob\nhttps://a/b/c",
    ]) {
      assert.equal(found("asset", name), undefined, name);
    }
    assert.equal(found("asset", `${prefix}p/e/k`, ""), undefined);
    assert.equal(found("action", `${prefix}p/e/k`), undefined);
    assert.equal(found("reference", "source\nkind/k"), undefined);
  });
});
