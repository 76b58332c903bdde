import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Digest, digestOf, keyOfDigest, parseDigest } from "../base/digest.ts";
import { type DigestFunction, ostree, sha256 } from "../base/digest-function.ts";
import { putBlob, putDirectory, putTree } from "../cache/tree.fixture.ts";
import {
  type Digest as DigestMessage,
  type Directory,
  DirectorySchema,
  TreeSchema,
} from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../gen/buildstream/v2/source_pb.ts";
import { decodeCommit } from "../ostree/commit.ts";
import { decodeDirTree } from "../ostree/dirtree.ts";
import type { Space } from "../store/ref-store.ts";
import { hour, noLimits, World } from "./world.fixture.ts";

interface PlannedRef {
  readonly kind: "blob" | "directory" | "tree" | "artifact" | "old message" | "source" | "result" | "commit";
  readonly text: number;
  readonly pinned: boolean;
  /** Hours before the sweep. */
  readonly put: number;
  /** As put; a later use does not touch the blobs. */
  readonly used: number;
}

const plannedRef: fc.Arbitrary<PlannedRef> = fc.record({
  kind: fc.constantFrom("blob", "directory", "tree", "artifact", "old message", "source", "result", "commit"),
  text: fc.integer({ min: 0, max: 5 }),
  pinned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  put: fc.integer({ min: 1, max: 60 }),
  used: fc.integer({ min: 1, max: 60 }),
});

const limit = fc.record({
  instance: fc.constant(undefined),
  space: fc.constantFrom<(Space | undefined)[]>("action", "asset", "reference", "ostree", undefined),
  size: fc.option(fc.integer({ min: 1, max: 3000 }), { nil: undefined }),
  age: fc.option(
    fc.integer({ min: 1, max: 60 }).map((hours) => hours * hour),
    { nil: undefined },
  ),
});

const planned = fc.record({
  refs: fc.array(plannedRef, { maxLength: 12 }),
  orphans: fc.array(fc.record({ text: fc.integer({ min: 0, max: 9 }), put: fc.integer({ min: 1, max: 60 }) }), {
    maxLength: 6,
  }),
  /** Blobs that somebody has lost before, by their place among all. */
  lost: fc.array(fc.nat(1000), { maxLength: 2 }),
  limits: fc.array(limit, { maxLength: 2 }),
  /** Part of the bytes that may stay. */
  leave: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
});

test("what stays is as whole as it was, and what goes is older than it, for any refs and limits", async () => {
  await fc.assert(
    fc.asyncProperty(planned, async ({ refs, orphans, lost, limits, leave }) => {
      const world = new World();
      const end = world.now + 100 * hour;
      const steps = [
        ...refs.map((ref, i) => ({ at: ref.put, act: () => push(world, ref, i) })),
        ...orphans.map(({ text, put }) => ({ at: put, act: () => putBlob(world.blobs, `orphan ${text}`) })),
        ...refs.map((ref, i) => ({ at: Math.min(ref.put, ref.used) - 0.5, act: async () => use(world, i) })),
      ];
      for (const { at, act } of steps.sort((a, b) => b.at - a.at)) {
        world.now = end - at * hour;
        await act();
      }
      world.now = end;
      for (const [i, { pinned }] of refs.entries()) if (pinned) await world.refs.pin(nameOf(world, i), true);
      for (const i of lost) {
        const all = world.census();
        if (all.length > 0) await world.blobs.remove(all[i % all.length] as Digest);
      }

      const before = contentsOf(world);
      const usedBefore = blobUses(world);
      const bytes = world.blobs.usage().bytes;
      const left = leave === undefined ? undefined : Math.floor(bytes * leave);
      const report = await world.sweep({ limits }, left);
      const after = contentsOf(world);

      const leaseStart = end - noLimits.lease - 1000;
      for (const [key, ref] of after) assert.deepEqual(ref.contents, before.get(key)?.contents, key);
      const gone = [...before].filter(([key]) => !after.has(key)).map(([, ref]) => ref);
      for (const ref of gone) assert.ok(!ref.pinned && ref.used < leaseStart, "neither pinned nor leased");
      const stay = [...after.values()].filter(({ pinned }) => !pinned);
      for (const ref of gone) {
        const rivals = limits.length === 0 ? stay : stay.filter(({ space }) => space === ref.space);
        for (const other of rivals) assert.ok(ref.used <= other.used, "the older one goes");
      }
      assert.equal(
        report.evicted.reduce((sum, each) => sum + each.refs, 0),
        gone.length,
      );
      const uses = blobUses(world);
      for (const [key, used] of usedBefore) assert.ok(uses.has(key) || used < leaseStart / 1000, "leased blobs stay");
      assert.equal(bytes - world.blobs.usage().bytes, report.removed.bytes);
      if (left !== undefined && world.blobs.usage().bytes > left) {
        // Then there is nothing left that could go.
        for (const ref of after.values()) assert.ok(ref.pinned || ref.used >= leaseStart);
        const named = new Set([...after.values()].flatMap(({ contents }) => contents));
        for (const [key, used] of uses) assert.ok(named.has(key) || used >= leaseStart / 1000 - 1, "held");
      }
      if (left === undefined && limits.length === 0) assert.equal(gone.length, 0);
    }),
    { numRuns: 60 },
  );
});

async function push(world: World, { kind, text }: PlannedRef, i: number): Promise<void> {
  const shared = `text ${text}`;
  if (kind === "artifact") await world.pushArtifact(`${i}`, shared);
  else if (kind === "old message") await world.pushOldMessage(`${i}`, shared);
  else if (kind === "source") await world.pushSource(`${i}`, shared);
  else if (kind === "result") await world.pushResult(`${i}`, shared);
  else if (kind === "commit") await world.pushCommit(`${i}`, shared);
  else if (kind === "blob") await world.pushBlob(`https://example.com/${i}`, await putBlob(world.blobs, shared));
  else if (kind === "directory") {
    await world.pushDirectory(
      `https://example.com/${i}`,
      await putDirectory(world.blobs, { a: { b: shared }, c: shared }),
    );
  } else {
    const tree = await putTree(world.blobs, { a: { b: shared } });
    await world.pushBlob(`https://example.com/${i}`, tree, [{ walk: "tree", digest: tree }]);
  }
}

const endings = (i: number): string[] => [
  ...[`https://example.com/${i}`, `artifact:project/element/${i}`, `element/${i}`, `source:${i}`],
  digestOf(sha256, Buffer.from(`${i}`)).hash,
];

function nameOf(world: World, i: number) {
  const found = world.list().find(({ name }) => endings(i).some((ending) => name.endsWith(ending)));
  assert.ok(found);
  return found;
}

function use(world: World, i: number): void {
  world.refs.get(nameOf(world, i));
}

interface Kept {
  readonly space: Space;
  readonly used: number;
  readonly pinned: boolean;
  /** What it keeps alive and is there: found in another way than by what is tested. */
  readonly contents: string[];
}

function contentsOf(world: World): Map<string, Kept> {
  const there = new Set(world.census().map(keyOfDigest));
  const found = new Map<string, Kept>();
  for (const ref of world.list()) {
    const all = new Set<string>();
    for (const { roots, message } of world.refs.rootsOf([ref.id])) {
      for (const { walk, digest } of roots) follow(world, walk, digest, all);
      if (message !== undefined) followArtifact(world, message, all);
    }
    const { space, used, pinned } = ref;
    found.set(`${space} ${ref.name}`, {
      space,
      used,
      pinned,
      contents: [...all].filter((key) => there.has(key)).sort(),
    });
  }
  return found;
}

function follow(world: World, walk: string, digest: Digest, into: Set<string>): void {
  into.add(keyOfDigest(digest));
  const bytes = bytesOf(world, digest);
  if (walk === "blob" || bytes === undefined) return;
  if (walk === "directory") followDirectory(world, fromBinary(DirectorySchema, bytes), into);
  else if (walk === "artifact") followArtifact(world, bytes, into);
  else if (walk === "commit") followCommit(world, bytes, into);
  else if (walk === "source") followMessage(world, "directory", fromBinary(SourceSchema, bytes).files, into);
  else {
    const { root, children } = fromBinary(TreeSchema, bytes);
    for (const each of [root, ...children])
      for (const file of each?.files ?? []) followMessage(world, "blob", file.digest, into);
  }
}

function followDirectory(world: World, { files, directories }: Directory, into: Set<string>): void {
  for (const { digest } of files) followMessage(world, "blob", digest, into);
  for (const { digest } of directories) followMessage(world, "directory", digest, into);
}

function followCommit(world: World, bytes: Uint8Array, into: Set<string>): void {
  const { tree, treeMeta } = decodeCommit(bytes);
  followDirTree(world, tree, into);
  named(world, sha256, treeMeta, into);
}

function followDirTree(world: World, tree: string, into: Set<string>): void {
  const digest = named(world, sha256, tree, into);
  const bytes = digest && bytesOf(world, digest);
  if (bytes === undefined) return;
  const { files, directories } = decodeDirTree(bytes);
  for (const { checksum } of files) named(world, ostree, checksum, into);
  for (const { tree, meta } of directories) {
    followDirTree(world, tree, into);
    named(world, sha256, meta, into);
  }
}

function named(world: World, fn: DigestFunction, hash: string, into: Set<string>): Digest | undefined {
  const size = world.blobs.sizeOf(fn, hash);
  if (size === undefined) return undefined;
  into.add(keyOfDigest({ function: fn, hash, size }));
  return { function: fn, hash, size };
}

function followArtifact(world: World, bytes: Uint8Array, into: Set<string>): void {
  const message = fromBinary(ArtifactSchema, bytes);
  const { files, buildtree, sources, buildroot, publicData, lowDiversityMeta, highDiversityMeta, logs } = message;
  for (const tree of [files, buildtree, sources, buildroot]) followMessage(world, "directory", tree, into);
  const blobs = [publicData, lowDiversityMeta, highDiversityMeta, ...logs.map(({ digest }) => digest)];
  for (const blob of blobs) followMessage(world, "blob", blob, into);
}

function followMessage(world: World, walk: string, digest: DigestMessage | undefined, into: Set<string>): void {
  if (digest !== undefined) follow(world, walk, parseDigest(digest.hash, digest.sizeBytes, sha256), into);
}

function bytesOf(world: World, digest: Digest): Uint8Array | undefined {
  const blob = world.blobs.open(digest, true);
  if (blob === undefined) return undefined;
  const bytes = new Uint8Array(digest.size);
  void blob.read(bytes, 0);
  return bytes;
}

function blobUses(world: World): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { shelves } of world.blobs.census().tenants) {
    for (const shelf of shelves) {
      for (let n = 0; n < shelf.top; n++) if (shelf.has(n)) uses.set(keyOfDigest(shelf.digest(n)), shelf.used(n));
    }
  }
  return uses;
}
