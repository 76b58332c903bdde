import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Digest } from "../../base/digest.ts";
import { ostree } from "../../base/digest-function.ts";
import { filezOf, filezOfSize, filezOfZeros, hashOfContent } from "../../base/filez.fixture.ts";
import { silentLog } from "../../base/log.ts";
import { listOf, read, upload } from "../blob-store.contract.ts";
import { noFaults } from "./faults.ts";
import { present, removed } from "./index-format.ts";
import { IndexLog } from "./index-log.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";

let directory: string;
let store: DiskStore;
const open = (): Promise<DiskStore> =>
  openDiskStore(directory, { durability: "on", clock: () => 1e12, log: silentLog });
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "stillage-file-objects-"));
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

interface FileObject {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

const shelf = (): string => join(directory, "tenants/@/ostree");
const files = (): string[] =>
  readdirSync(join(shelf(), "files"), { recursive: true, encoding: "utf8" }).filter((name) => name.includes("."));

const named = ({ hash, bytes }: { hash: string; bytes: Buffer }): FileObject => ({
  digest: { function: ostree, hash, size: bytes.length },
  bytes,
});

async function check(objects: readonly FileObject[]): Promise<void> {
  const tenant = store.tenant("");
  assert.deepEqual(tenant.missing(listOf(objects.map(({ digest }) => digest))), []);
  for (const { digest, bytes } of objects) assert.deepEqual(await read(tenant, digest), bytes);
}

describe("file objects of OSTree on the disk", () => {
  it("lie in packs where they are small and so is their content, else in files, and are there after a start", async () => {
    const tenant = store.tenant("");
    const packed = [named(filezOfSize(5000)), named(filezOfZeros(64 << 10))];
    const dense = [named(filezOfZeros(100_000)), named(filezOfZeros(9 << 20))];
    const large = named(filezOfSize((1 << 20) + 1));
    for (const { digest, bytes } of [...packed, ...dense]) await tenant.put(digest, bytes);
    await upload(tenant, large.digest, large.bytes);
    const expected = [...dense, large].map(({ digest }) => digest.hash).sort();
    const found = files().map((name) => name.replace(/^..\/(.*)\.\d+$/, "$1"));
    assert.deepEqual(found.sort(), expected);
    await check([...packed, ...dense, large]);
    await store.close();
    store = await open();
    await check([...packed, ...dense, large]);
  });

  it("are copied by compaction as they are, but for what is rotten", async () => {
    const tenant = store.tenant("");
    const objects = Array.from({ length: 60 }, (_, i) => named(filezOfSize(i % 2 === 0 ? 100_000 : 3000)));
    for (const { digest, bytes } of objects) await tenant.put(digest, bytes);
    const gone = objects.filter(({ bytes }) => bytes.length > 50_000);
    const stay = objects.filter(({ bytes }) => bytes.length < 50_000);
    for (const { digest } of gone) await tenant.remove(digest);
    const rotten = stay.shift() as FileObject;
    const pack = join(shelf(), "packs/00000001.pack");
    const bytes = readFileSync(pack);
    const at = bytes.indexOf(rotten.bytes) + 1000;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(pack, bytes);
    await store.compact();
    assert.equal(readdirSync(join(shelf(), "packs")).includes("00000001.pack"), false);
    await check(stay);
    assert.deepEqual(tenant.missing(listOf([rotten.digest])), [0]);
  });

  it("are found where the journal of large ones is damaged, if they are what their names say", async () => {
    const tenant = store.tenant("");
    const [settled, arriving, broken] = [1, 2, 3].map((i) => named(filezOfSize(1_100_000 + i))) as [
      FileObject,
      FileObject,
      FileObject,
    ];
    for (const { digest, bytes } of [settled, arriving, broken]) await tenant.put(digest, bytes);
    await store.close();
    await mkdir(join(shelf(), "incoming"), { recursive: true });
    for (const { digest } of [arriving, broken]) {
      const name = files().find((each) => each.includes(digest.hash)) as string;
      await rename(join(shelf(), "files", name), join(shelf(), "incoming", name.slice(3)));
    }
    const bad = join(
      shelf(),
      "incoming",
      readdirSync(join(shelf(), "incoming")).find((each) => each.startsWith(broken.digest.hash)) as string,
    );
    const bytes = readFileSync(bad);
    bytes[500_000] = (bytes[500_000] as number) ^ 1;
    writeFileSync(bad, bytes);
    const journal = join(shelf(), "files.idx");
    writeFileSync(journal, readFileSync(journal).fill(1, 16, 40));
    store = await open();
    await check([settled, arriving]);
    assert.deepEqual(store.tenant("").missing(listOf([broken.digest])), [0]);
  });

  it("have one place where both a pack and a file come to have them, and none once they are removed", async () => {
    const content = Buffer.concat([randomBytes(1 << 19), Buffer.alloc((1 << 19) - 50)]);
    const hash = hashOfContent(content);
    const [packed, filed] = [named({ hash, bytes: filezOf(content, 9) }), named({ hash, bytes: filezOf(content, 0) })];
    await store.tenant("").put(packed.digest, packed.bytes);
    await store.tenant("").remove(packed.digest);
    await store.tenant("").put(filed.digest, filed.bytes);
    assert.equal(files().length, 1);
    const used = store.usage().bytes;
    await store.close();
    rmSync(join(shelf(), "packs/00000001.idx")); // and with it the removal
    store = await open();
    await check([packed]);
    assert.deepEqual(files(), []);
    assert.ok(store.usage().bytes < used);
    await store.tenant("").remove(packed.digest);
    await store.close();
    store = await open();
    assert.equal(store.tenant("").sizeOf(ostree, hash), undefined);
  });

  it("count with their own sizes where the journal lists two encodings of one", async () => {
    const blob = named(filezOfSize(1_500_000));
    await store.tenant("").put(blob.digest, blob.bytes);
    const journal = join(shelf(), "files.idx");
    const used = (): number => store.usage().bytes - statSync(journal).size;
    await store.close();
    store = await open();
    const before = used();
    await store.close();
    // One was being removed when the other came.
    const { words } = listOf([blob.digest]);
    const log = new IndexLog(journal, ostree, noFaults);
    rmSync(journal);
    const other = { words, word: 0, offset: 7, size: 9_000_000, used: 1 };
    log.add({ kind: present, ...other });
    log.add({ kind: present, words, word: 0, offset: 1, size: blob.digest.size, used: 1 });
    log.add({ kind: removed, ...other });
    await log.commit();
    await log.close();
    store = await open();
    await check([blob]);
    assert.equal(used(), before);
  });
});
