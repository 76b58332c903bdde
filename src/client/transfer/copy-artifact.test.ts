import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { Folder } from "../../cache/tree.fixture.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { maxSmallBytes } from "../blob-place.ts";
import { type CopyOptions, copyArtifact, copyBudget, whyIncomplete } from "./copy-artifact.ts";
import { hold, holdArtifact, type MemoryPlace, memoryPlace, type PlaceCall } from "./memory-place.fixture.ts";
import { SourceRow } from "./source-row.ts";
import { TransferProgress } from "./transfer-progress.ts";

const large = "x".repeat(maxSmallBytes + 1);

const files: Folder = {
  bin: { tool: "#!/bin/sh\n", same: "same" },
  share: { doc: { a: "alpha", b: "beta", same: "same" }, empty: {}, nothing: "" },
  large,
};

const options = (more: Partial<CopyOptions> = {}): CopyOptions => ({
  optional: "none",
  budget: copyBudget(),
  signal: new AbortController().signal,
  ...more,
});

/** What a place that is asked for it says of an artifact: whether all that is required is there. */
async function isWhole(place: MemoryPlace, artifact: IndexedArtifact): Promise<boolean> {
  const nowhere = memoryPlace({ near: true });
  const { outcome } = await copyArtifact(artifact, [place], nowhere, options());
  return outcome === "copied";
}

const unavailable = (): never => {
  throw new StillageError("unavailable", "no connection");
};

for (const near of [false, true]) {
  test(`copies all that is required, once, to a place that is ${near ? "near" : "far"}`, async () => {
    const [from, to] = [memoryPlace(), memoryPlace({ near })];
    const artifact = holdArtifact(from, { files, buildtree: { "main.o": "object" } });
    const { outcome, moved, lacking } = await copyArtifact(artifact, [from], to, options());
    assert.deepEqual([outcome, lacking], ["copied", []]);
    assert.equal(new Set(to.written).size, to.written.length);
    assert.equal(moved.blobs, to.written.length);
    // All but the empty blob and the build tree, which are two.
    assert.equal(to.held.size, from.held.size - 3);
    assert.equal(to.names.size, 2);
    assert.deepEqual(to.calls.slice(-2), ["flush", "publish"]);
    to.names.clear();
    to.calls.length = 0;
    assert.equal((await copyArtifact(artifact, [from], to, options())).moved.blobs, 0);
    assert.deepEqual(to.calls.slice(-2), ["flush", "publish"], "what is there may be there since a moment ago");
    assert.equal((await copyArtifact(artifact, [from], to, options())).outcome, "present");
    assert.equal(moved.blobs, to.written.length);
  });
}

test("one hash in two sizes is two blobs, of which a source has one at most", async () => {
  const from = memoryPlace();
  const digest = hold(from, "twice");
  const other = { ...digest, size: 4 };
  const row = new SourceRow([from]);
  const given: Digest[] = [];
  const { signal } = options();
  assert.deepEqual(
    await row.readMany([digest, other], ({ blobs }) => void given.push(...blobs.map((each) => each.digest)), signal),
    [other],
  );
  assert.deepEqual(given, [digest]);
});

test("knows what it has to move before it has moved it", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files });
  const held = Promise.withResolvers<void>();
  const { blobs } = to;
  assert.ok(blobs);
  const slow = {
    ...blobs,
    writeMany: async (...all: Parameters<typeof blobs.writeMany>) => {
      await held.promise;
      await blobs.writeMany(...all);
    },
  };
  const progress = new TransferProgress(() => 0);
  progress.addItems(1);
  progress.itemBegins();
  progress.walkBegins();
  const copying = copyArtifact(artifact, [from], { ...to, blobs: slow }, options({ progress }));
  progress.walkEnds();
  while (!progress.state().allKnown) await new Promise((resolve) => setImmediate(resolve));
  const { blobs: counted } = progress.state();
  held.resolve();
  const { moved } = await copying;
  assert.equal(counted.all, moved.blobs);
  assert.ok(counted.done < counted.all);
});

test("counts what moves once over all tries, and not what was there already", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files });
  const parts = new Map<string, Buffer>();
  /** Keeps what has come of a blob that breaks off. */
  const write: typeof to.blobs.write = async (digest, content, signal) => {
    for await (const piece of content(parts.get(digest.hash)?.length ?? 0)) {
      parts.set(digest.hash, Buffer.concat([parts.get(digest.hash) ?? Buffer.alloc(0), piece]));
    }
    const whole = parts.get(digest.hash) ?? Buffer.alloc(0);
    await to.blobs.write(digest, () => Readable.from([whole]), signal);
  };
  const keeping = { ...to, blobs: { ...to.blobs, write } };
  const progress = new TransferProgress(() => 0);
  const largest = [...from.held].find(([, bytes]) => bytes.length === large.length)?.[0];
  for (const troubled of [largest, artifact.content.hash, undefined]) {
    from.trouble = (_, hash) => {
      if (hash !== undefined && hash === troubled) unavailable();
    };
    const { outcome } = await copyArtifact(artifact, [from], keeping, options({ progress }));
    assert.equal(outcome, troubled === undefined ? "copied" : "incomplete");
    const { bytes, blobs } = progress.state();
    assert.deepEqual([bytes.done, blobs.done], [bytes.all, blobs.all], "nothing more is known to be missing");
  }
  assert.ok([...parts].every(([hash, { length }]) => to.held.has(hash) && length === large.length));
  const sizes = [...to.held.values()].map(({ length }) => length);
  assert.deepEqual(progress.done, { blobs: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) });
});

test("counts nothing of a large blob that somebody else has brought meanwhile", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files });
  const write: typeof to.blobs.write = async (digest) => {
    to.held.set(digest.hash, from.held.get(digest.hash) ?? Buffer.alloc(0));
  };
  const progress = new TransferProgress(() => 0);
  const place = { ...to, blobs: { ...to.blobs, write } };
  const { outcome, moved } = await copyArtifact(artifact, [from], place, options({ progress }));
  assert.equal(outcome, "copied");
  assert.equal(moved.blobs, to.written.length);
  assert.ok(moved.bytes < large.length);
  const { bytes, blobs } = progress.state();
  assert.deepEqual([bytes.all, blobs.all], [moved.bytes, moved.blobs]);
  assert.deepEqual([bytes.done, blobs.done], [moved.bytes, moved.blobs]);
});

test("copies build trees where they are asked for, and does without what is not there", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files, buildtree: { "main.o": "object" } });
  assert.deepEqual((await copyArtifact(artifact, [from], to, options({ optional: "those-there" }))).lacking, []);
  assert.equal(to.held.size, from.held.size - 1);
  const object = [...from.held].find(([, bytes]) => Buffer.from(bytes).toString() === "object")?.[0] ?? "";
  const other = memoryPlace();
  from.held.delete(object);
  const copied = await copyArtifact(artifact, [from], other, options({ optional: "those-there" }));
  assert.equal(copied.outcome, "copied");
  assert.deepEqual(
    copied.lacking.map(({ part, count, first }) => [part.name, count, first.hash]),
    [["buildtree", 1, object]],
  );
});

test("leaves a source that lacks something or fails for the next one", async () => {
  const [first, second, to] = [memoryPlace({ name: "first" }), memoryPlace({ name: "second" }), memoryPlace()];
  const artifact = holdArtifact(first, { files });
  holdArtifact(second, { files });
  const hashes = [...first.held.keys()];
  // Neither has all of it.
  for (const [i, hash] of hashes.entries()) (i % 2 === 0 ? first : second).held.delete(hash);
  const { outcome, faults } = await copyArtifact(artifact, [first, second], to, options());
  assert.deepEqual([outcome, faults], ["copied", []]);
  assert.ok(await isWhole(to, artifact));
});

test("goes on with a large blob at another source where one breaks off, and begins anew where one gave other bytes", async () => {
  for (const breakOff of [
    (place: MemoryPlace, hash: string) => {
      place.trouble = (call, asked) => void (call === "read" && asked === hash && unavailable());
    },
    (place: MemoryPlace, hash: string) => place.held.set(hash, Buffer.from("y".repeat(large.length))),
  ]) {
    const [first, second, to] = [memoryPlace({ name: "first" }), memoryPlace({ name: "second" }), memoryPlace()];
    const artifact = holdArtifact(first, { files });
    holdArtifact(second, { files });
    const hash = [...first.held].find(([, bytes]) => bytes.length === large.length)?.[0] ?? "";
    breakOff(first, hash);
    const { outcome, faults } = await copyArtifact(artifact, [first, second], to, options());
    assert.deepEqual([outcome, faults.map(({ place }) => place)], ["copied", ["first"]]);
    assert.equal(Buffer.from(to.held.get(hash) ?? []).toString(), large);
  }
});

test("asks once more for a large blob that came damaged, and no more often", async () => {
  for (const [damagedReads, outcome, reads] of [
    [1, "copied", 2],
    [9, "incomplete", 2],
  ] as const) {
    const [from, to] = [memoryPlace(), memoryPlace()];
    const artifact = holdArtifact(from, { files });
    const [hash, right] = [...from.held].find(([, bytes]) => bytes.length === large.length) ?? ["", Buffer.alloc(0)];
    let left = damagedReads;
    from.trouble = (call, asked) => {
      if (call === "read" && asked === undefined)
        from.held.set(hash, left-- > 0 ? Buffer.from("y".repeat(large.length)) : right);
    };
    const result = await copyArtifact(artifact, [from], to, options());
    assert.equal(result.outcome, outcome);
    assert.equal(from.calls.filter((call) => call === "read").length, reads);
  }
});

test("names nothing that no source has all of", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files });
  const alpha = [...from.held].find(([, bytes]) => Buffer.from(bytes).toString() === "alpha")?.[0] ?? "";
  from.held.delete(alpha);
  const { outcome, lacking } = await copyArtifact(artifact, [from], to, options());
  assert.deepEqual([outcome, lacking.map(({ part }) => part.name)], ["incomplete", ["files"]]);
  assert.equal(to.names.size, 0);
  from.trouble = (call) => void (call === "readMany" && unavailable());
  const failed = await copyArtifact(artifact, [from], to, options());
  assert.deepEqual([failed.outcome, whyIncomplete(failed)?.code], ["incomplete", "unavailable"]);
  assert.equal(to.names.size, 0);
});

test("lets no tree in whose names lead elsewhere", async () => {
  for (const near of [false, true]) {
    const [from, to] = [memoryPlace(), memoryPlace({ near })];
    const artifact = holdArtifact(from, { files: { share: { "../profile": "x" } } });
    await assert.rejects(copyArtifact(artifact, [from], to, options()), { code: "corrupt" });
    assert.equal(to.names.size, 0);
  }
});

test("stops when it is told to, and goes on from there", async () => {
  const [from, to] = [memoryPlace(), memoryPlace()];
  const artifact = holdArtifact(from, { files });
  const stop = new AbortController();
  to.trouble = (call) => {
    if (call === "write" && to.written.length === 5) stop.abort(new StillageError("cancelled", "enough"));
  };
  await assert.rejects(copyArtifact(artifact, [from], to, options({ signal: stop.signal })), { code: "cancelled" });
  assert.equal(to.names.size, 0);
  const before = to.written.length;
  to.trouble = () => {};
  const { outcome, moved } = await copyArtifact(artifact, [from], to, options());
  assert.equal(outcome, "copied");
  assert.equal(moved.blobs, to.written.length - before);
  assert.equal(new Set(to.written).size, to.written.length);
});

const name = fc.constantFrom("a", "b", "c", "d");
const folder = fc.letrec<{ folder: Folder }>((tie) => ({
  folder: fc.dictionary(
    name,
    fc.oneof({ maxDepth: 3 }, fc.constantFrom("", "one", "two", "three", large), tie("folder")),
    {
      maxKeys: 4,
    },
  ),
})).folder;

/** Calls that fail: which, from which on, and how many of them. */
const troubles = fc.array(
  fc.record({
    place: fc.constantFrom("first", "second", "to"),
    call: fc.constantFrom<PlaceCall>("missing", "readMany", "read", "writeMany", "write", "flush", "publish"),
    after: fc.nat(6),
    times: fc.integer({ min: 1, max: 3 }),
    code: fc.constantFrom("unavailable", "not-found", "corrupt", "exhausted" as const),
  }),
  { maxLength: 4 },
);

test("whatever fails where, nothing is named that is not whole, and a second run moves what is missing", async () => {
  const run = async (
    tree: Folder,
    bad: readonly number[],
    list: typeof troubles extends fc.Arbitrary<infer T> ? T : never,
    near: boolean,
  ) => {
    const [first, second, to] = [
      memoryPlace({ name: "first" }),
      memoryPlace({ name: "second" }),
      memoryPlace({ name: "to", near }),
    ];
    const artifact = holdArtifact(first, { files: tree, buildtree: { tree } });
    holdArtifact(second, { files: tree, buildtree: { tree } });
    const hashes = [...first.held.keys()];
    for (const i of bad) first.held.delete(hashes[i % hashes.length] ?? "");
    for (const place of [first, second, to]) {
      const own = list.filter((each) => each.place === place.name).map((each) => ({ ...each }));
      place.trouble = (call) => {
        for (const each of own) {
          if (each.call !== call || each.times === 0 || each.after-- > 0) continue;
          each.times -= 1;
          throw new StillageError(each.code, `${place.name} fails at ${call}`);
        }
      };
    }
    const asked = options({ optional: "those-there" });
    const before = await copyArtifact(artifact, [first, second], to, asked).catch((error) => {
      assert.ok(error instanceof StillageError, String(error));
    });
    assert.equal(before !== undefined && before.outcome !== "incomplete", to.names.size > 0);
    for (const place of [first, second, to]) place.trouble = () => {};
    if (to.names.size > 0) assert.ok(await isWhole(to, artifact));
    const [written, had] = [to.written.length, to.held.size];
    const { outcome, moved } = await copyArtifact(artifact, [first, second], to, options());
    assert.notEqual(outcome, "incomplete");
    assert.ok(await isWhole(to, artifact));
    // Only what was not there: no more than has come.
    assert.equal(to.written.length - written, moved.blobs);
    assert.equal(to.held.size - had, moved.blobs);
  };
  await fc.assert(fc.asyncProperty(folder, fc.array(fc.nat(30), { maxLength: 6 }), troubles, fc.boolean(), run), {
    numRuns: 60,
  });
});
