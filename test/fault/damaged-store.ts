import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../src/base/digest.ts";
import { digestOf } from "../../src/base/digest.ts";
import { ostree, sha1, sha256 } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { filezOf, hashOfContent } from "../../src/base/filez.fixture.ts";
import { silentLog } from "../../src/base/log.ts";
import { type OpenCache, openCache } from "../../src/cache/open-cache.ts";
import { CheckWorkers } from "../../src/check/check-workers.ts";
import { Fsck, type FsckResult } from "../../src/check/fsck.ts";
import type { NewRef } from "../../src/store/ref-store.ts";
import { temporaryDirectory } from "./store-blobs.ts";

/** What a store was made with, and told to have. */
export interface Contents {
  readonly blobs: readonly { readonly instance: string; readonly digest: Digest; readonly bytes: Buffer }[];
  readonly refs: readonly NewRef[];
}

/** What a file of tests damages: copies of a store that was closed, and of one as a kill would leave it. */
export interface Originals extends AsyncDisposable {
  /** Of the folder that has them as `closed` and `killed`, and room for copies. */
  readonly path: string;
  readonly contents: Contents;
  check(directory: string, repair?: boolean): Promise<FsckResult>;
}

export async function makeOriginals(): Promise<Originals> {
  const made = await temporaryDirectory();
  const contents = await makeStore(join(made.path, "closed"), join(made.path, "killed"));
  const workers = new CheckWorkers();
  return {
    path: made.path,
    contents,
    check: (directory, repair = false) => new Fsck({ directory, repair, clock: Date.now, workers }).run(),
    [Symbol.asyncDispose]: async () => {
      await workers[Symbol.asyncDispose]();
      await made[Symbol.asyncDispose]();
    },
  };
}

/** Opens a store; what is written to it then may be lost by a power cut, which no test here makes. */
export function open(directory: string, durability: "on" | "off" = "off"): Promise<OpenCache> {
  return openCache(directory, { durability, quota: undefined, clock: Date.now, log: silentLog });
}

/**
 * Makes a store with blobs of all kinds in two tenants, and names, among them artifacts. `whileOpen` is a copy of its directory before it was closed,
 * as a kill would leave it.
 */
export async function makeStore(directory: string, whileOpen: string): Promise<Contents> {
  const blobs: { instance: string; digest: Digest; bytes: Buffer }[] = [];
  const refs: NewRef[] = [];
  for (let i = 0; i < 3; i++) {
    const cache = await open(directory, "on");
    const fresh = Array.from({ length: 40 }, (_, n) => blobOf(i * 100 + n));
    await Promise.all(fresh.map(({ instance, digest, bytes }) => cache.store.tenant(instance).put(digest, bytes)));
    const named = fresh.filter(({ digest }) => digest.function === sha256);
    const names = named.map(({ instance, digest }, n) => refOf(i * 100 + n, instance, digest));
    await cache.refs.put(names);
    blobs.push(...fresh);
    refs.push(...names);
    if (i === 2) cpSync(directory, whileOpen, { recursive: true });
    await cache.close();
  }
  return { blobs, refs };
}

function blobOf(n: number) {
  const size = n % 20 === 7 || n % 40 === 14 ? 1_060_000 + n : 30 + ((n * 977) % 3000);
  const content = Buffer.alloc(size, `content ${n} `);
  const instance = n % 2 === 0 ? "" : "team/a";
  if (n % 5 !== 4) return { instance, digest: digestOf(n % 5 === 3 ? sha1 : sha256, content), bytes: content };
  const bytes = filezOf(content, 0);
  return { instance, digest: { function: ostree, hash: hashOfContent(content), size: bytes.length }, bytes };
}

function refOf(n: number, instance: string, digest: Digest): NewRef {
  const message = Buffer.alloc(n % 10 === 0 ? 9000 : 150, `message ${n} `);
  const ref = { instance, message, stored: 1_700_000_000_000 + n, expires: undefined, by: "somebody" };
  const roots = [{ walk: "blob", digest }] as const;
  if (n % 3 === 0) return { ...ref, space: "action", name: `sha256/${digest.hash}`, roots };
  const key = digest.hash.slice(0, 40) + n;
  const name = `blob\nurn:fdc:buildstream.build:2020:artifact:project/element-${n % 7}.bst/${key}`;
  const artifact = {
    project: "project",
    element: `element-${n % 7}.bst`,
    key,
    generation: "2.x",
    content: digest,
  } as const;
  return { ...ref, space: "asset", name, roots, artifact };
}

/** The blobs that are not there or not whole, by hash, and the names that are not as they were put. */
export async function losses(
  cache: OpenCache,
  { blobs, refs }: Contents,
): Promise<{ blobs: string[]; refs: string[] }> {
  const lost: string[] = [];
  for (const { instance, digest, bytes } of blobs) {
    const tenant = cache.store.tenant(instance);
    const blob = await tenant.open(digest);
    assert.equal(tenant.missing(DigestList.of(digest)).length, blob === undefined ? 1 : 0);
    const read = Buffer.alloc(digest.size);
    if (blob !== undefined) await blob.read(read, 0);
    blob?.close();
    if (blob === undefined || !read.equals(bytes)) lost.push(digest.hash);
  }
  const names: string[] = [];
  for (const ref of refs) {
    const found = await cache.refs.get(ref);
    const same =
      found !== undefined && Buffer.from(found.message).equals(ref.message) && found.roots.length === ref.roots.length;
    if (!same || found.roots[0]?.digest.hash !== ref.roots[0]?.digest.hash) names.push(ref.name);
  }
  return { blobs: lost, refs: names };
}

/** A copy to be damaged. */
export function copyTo(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  return to;
}

/** Turns one bit of a file. */
export function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

/** The files of a store, as paths below its directory. */
export function filesIn(directory: string): string[] {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

/** Numbers from 0 to 1 that look random and are the same in each run. */
export function* numbers(seed: number): Generator<number, never> {
  for (let x = seed * 2654435761 + 1; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x / 2 ** 32;
  }
}

/** Everything that a check has found, a line each. */
export function wrongIn({ findings }: FsckResult): string {
  return findings.kept.map(({ kind, where, what }) => `${kind} ${where} ${what}`).join("\n");
}
