import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { artifactRef } from "../artifact-refs.contract.ts";
import { type RefAdminUnderTest, refAdminContract } from "../ref-admin.contract.ts";
import { refStoreContract } from "../ref-store.contract.ts";
import type { NewRef } from "../ref-store.ts";
import { openDatabase } from "./open-database.ts";
import { openPins } from "./pins.ts";
import { type Evicted, rowOfRef } from "./ref-change.ts";
import { RefTables } from "./ref-tables.ts";
import { formatVersion } from "./schema.ts";
import { SqliteRefStore } from "./sqlite-ref-store.ts";

let folder = "";
let files = 0;
let now = 1000;
const freshFile = (): string => join(folder, `${files++}.sqlite`);
const open = (file: string, durability: "on" | "off" = "on"): SqliteRefStore =>
  new SqliteRefStore({ file, durability, clock: () => now, log: silentLog });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "stillage-refs-"));
});
after(() => rm(folder, { recursive: true }));

for (const durability of ["on", "off"] as const) {
  refStoreContract(`sqlite, durability ${durability}`, () => underTest(durability));
}
refAdminContract("sqlite", () => underTest("off"));

function underTest(durability: "on" | "off"): RefAdminUnderTest {
  now = 1000;
  return {
    store: open(freshFile(), durability),
    setTime: (time) => {
      now = time;
    },
  };
}

const digest = digestOf(sha256, Buffer.from("a"));
const ref: NewRef = {
  space: "action",
  instance: "",
  name: "one",
  message: Buffer.from("message"),
  roots: [{ walk: "blob", digest }],
  stored: 1000,
  expires: undefined,
};

describe("SqliteRefStore", () => {
  it("has after closing and opening what it had, and when it was last used", async () => {
    const file = freshFile();
    const first = open(file);
    await first.put([ref]);
    now = 3000;
    assert.equal(first.get(ref)?.used, 1000);
    now = 2000;
    await first.close();
    const second = open(file);
    const found = second.get(ref);
    assert.deepEqual([found?.used, found?.stored, found?.roots], [3000, 1000, ref.roots]);
    assert.equal(second.count("action"), 1);
    await second.close();
  });

  it("keeps a pin when the ref is overwritten", async () => {
    const file = freshFile();
    const store = open(file);
    await store.put([ref]);
    await store.close();
    const database = new DatabaseSync(file);
    database.exec("UPDATE refs SET pinned = 1");
    database.close();
    const again = open(file);
    await again.put([ref]);
    assert.equal(again.get(ref)?.pinned, true);
    await again.close();
  });

  it("waits for another process that writes, and evicts nothing that it has pinned", async () => {
    const file = freshFile();
    const store = open(file);
    await store.put([ref, { ...ref, name: "two" }]);
    const order = await store.order();
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE; UPDATE refs SET pinned = 1 WHERE name = 'one'");
    const evicting = order.evict([...order.ids]);
    const putting = store.put([{ ...ref, name: "three" }]);
    assert.equal(store.get(ref), undefined, "it is to go, as far as this process knows");
    other.exec("COMMIT");
    other.close();
    const [stayed] = await Promise.all([evicting, putting]);
    assert.deepEqual([stayed.length, store.get(ref)?.pinned, store.count("action")], [1, true, 2]);
    order.close();
    await store.close();
  });

  it("pins all or nothing where one of the refs, or an artifact, has gone since it was found", async () => {
    const file = freshFile();
    const store = open(file);
    await store.put([ref]);
    const pins = openPins(file, () => now);
    try {
      const { space, instance, name } = ref;
      const there = { space, instance, name };
      const gone = { code: "not-found", message: /just been removed/ };
      assert.throws(() => pins.set(true, [there, { ...there, name: "two" }]), gone);
      assert.throws(() => pins.set(true, [there, { artifact: 12 }]), gone);
      assert.equal(store.get(ref)?.pinned, false);
      assert.deepEqual(pins.set(true, [there, there]), [1, 1]);
      assert.equal(store.get(ref)?.pinned, true);
    } finally {
      pins.close();
      await store.close();
    }
  });

  it("keeps the tables in step when refs are evicted, and uses the pages again", async () => {
    const file = freshFile();
    const store = open(file, "off");
    const many = Array.from({ length: 400 }, (_, i) => artifactRef(`p/e${i % 7}/k${i}`, `${i}`, i));
    await store.put(many);
    const before = store.size();
    const order = await store.order();
    await order.evict([...order.ids]);
    order.close();
    assert.ok(store.size().free > before.free);
    await store.close();
    const database = new DatabaseSync(file, { readOnly: true });
    for (const table of ["refs", "artifacts", "elements", "counts WHERE refs > 0"]) {
      assert.deepEqual({ ...database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() }, { rows: 0 }, table);
    }
    database.close();
  });

  it("evicts large refs in several transactions", async () => {
    const file = freshFile();
    await open(file).close();
    const database = openDatabase(file);
    const tables = new RefTables(database);
    const roots = Array.from({ length: 30_000 }, () => ({ walk: "blob" as const, digest }));
    const refs = ["one", "two", "three", "four", "five"].map((name) => rowOfRef({ ...ref, name, roots }));
    tables.apply([
      { kind: "put", refs, now: 0 },
      { kind: "watch", on: true },
    ]);
    const looks: number[] = [];
    for (let ids = [1, 2, 3, 4, 5]; ids.length > 0; ) {
      const { stayed, looked } = tables.apply([{ kind: "evict", ids }]).results[0] as Evicted;
      assert.deepEqual(stayed, []);
      looks.push(looked);
      ids = ids.slice(looked);
    }
    assert.deepEqual(looks, [2, 2, 1]);
    database.close();
    const store = open(file);
    await store.put(["one", "two", "three", "four", "five"].map((name) => ({ ...ref, name, roots })));
    const order = await store.order();
    assert.deepEqual(await order.evict([...order.ids]), []);
    assert.equal(store.count("action"), 0, "all of them go");
    order.close();
    await store.close();
  });

  it("pins nothing where one of several is not there any more", async () => {
    const file = freshFile();
    const store = open(file);
    await store.put([ref]);
    const pins = openPins(file, () => now);
    assert.throws(() => pins.set(true, [ref, { artifact: 7 }]), {
      code: "not-found",
      message: /has just been removed/,
    });
    assert.equal(store.get(ref)?.pinned, false);
    assert.deepEqual(pins.set(true, [ref]), [1]);
    assert.equal(store.get(ref)?.pinned, true);
    pins.close();
    await store.close();
  });

  it("refuses writes once it is closed", async () => {
    const store = open(freshFile());
    await store.close();
    await assert.rejects(store.put([ref]), { code: "unavailable" });
  });

  it("writes what was handed to it before it closes", async () => {
    const file = freshFile();
    const store = open(file);
    const puts = Array.from({ length: 50 }, (_, i) => store.put([{ ...ref, name: `${i}` }]));
    await Promise.all([...puts, store.close()]);
    const again = open(file);
    assert.equal(again.count("action"), 50);
    await again.close();
  });

  const refused: [what: string, code: string, message: RegExp, make: (file: string) => void | Promise<void>][] = [
    [
      "a later format",
      "failed-precondition",
      new RegExp(
        `has format ${formatVersion + 1}, and this version of Stillage knows only those up to format ${formatVersion}`,
      ),
      async (file) => {
        await open(file).close();
        new DatabaseSync(file).exec(`PRAGMA user_version = ${formatVersion + 1}`);
      },
    ],
    [
      "another program's database",
      "failed-precondition",
      /not one of Stillage's/,
      (file) => new DatabaseSync(file).exec("CREATE TABLE t (a)"),
    ],
    ["what is no database", "corrupt", /damaged or no database/, (file) => writeFile(file, "x".repeat(5000))],
  ];
  for (const [what, code, message, make] of refused) {
    it(`refuses ${what} in one sentence`, async () => {
      const file = freshFile();
      await make(file);
      assert.throws(() => open(file), { code, message });
    });
  }

  it("says where a folder is missing", () => {
    assert.throws(() => open(join(folder, "absent", "refs.sqlite")), { code: "internal", message: /cannot open/ });
  });
});
