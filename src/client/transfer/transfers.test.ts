import assert from "node:assert/strict";
import { test } from "node:test";
import { StillageError } from "../../base/errors.ts";
import type { ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import { AwayError } from "../connection/away-error.ts";
import type { Place } from "../place.ts";
import { copyBudget } from "./copy-artifact.ts";
import { hold, holdArtifact, type MemoryPlace, memoryPlace } from "./memory-place.fixture.ts";
import { mirrorArtifacts, mirrorThese } from "./mirror-artifacts.ts";
import { pullArtifacts } from "./pull-artifacts.ts";
import { pushArtifacts } from "./push-artifacts.ts";
import type { ItemOutcome } from "./transfer-outcome.ts";
import { TransferProgress } from "./transfer-progress.ts";
import type { TransferOptions } from "./transfer-queue.ts";

const files = { bin: { tool: "#!/bin/sh\n" }, "top.txt": "top" };

const unavailable = (): never => {
  throw new StillageError("unavailable", "no connection");
};

const questionOf = ({ project, element, keys }: IndexedArtifact): ArtifactQuestion => ({ project, element, keys });

/** Options that note outcomes. */
function noting(more: Partial<TransferOptions> = {}): { options: TransferOptions; outcomes: ItemOutcome[] } {
  const outcomes: ItemOutcome[] = [];
  const signal = new AbortController().signal;
  const options: TransferOptions = {
    width: 4,
    retries: 2,
    optional: "none",
    budget: copyBudget(),
    done: (outcome) => outcomes.push(outcome),
    signal,
    pause: async () => {},
    ...more,
  };
  return { options, outcomes };
}

async function pull(questions: readonly ArtifactQuestion[], to: Place, remotes: readonly Place[]) {
  const { options, outcomes } = noting();
  await pullArtifacts(questions, { ...options, to, remotes: async () => remotes });
  return outcomes;
}

async function push(questions: readonly ArtifactQuestion[], from: Place, to: readonly Place[]) {
  const { options, outcomes } = noting();
  const summary = await pushArtifacts(questions, { ...options, from, to });
  return { outcomes, summary };
}

const named = (name: string, near = false): MemoryPlace => memoryPlace({ name, near });
const withoutBlobs = (place: MemoryPlace): Place => ({ ...place, blobs: undefined });
const withoutIndex = (place: MemoryPlace): Place => ({ ...place, index: undefined });

/** A tree that an artifact's message names. */
const hashOfTop = ({ held }: MemoryPlace): string | undefined =>
  [...held].find(([, bytes]) => Buffer.from(bytes).includes("top.txt"))?.[0];

test("pulls from the first index that has it, and then asks nobody", async () => {
  const [to, first, second] = [named("local", true), named("first"), named("second")];
  const question = questionOf(holdArtifact(second, { files }));
  const [outcome] = await pull([question], to, [first, second]);
  assert.deepEqual([outcome?.result, outcome?.place, outcome?.notes], ["copied", "second", []]);
  let asked = false;
  const { options, outcomes } = noting();
  const remotes = async () => {
    asked = true;
    return [];
  };
  await pullArtifacts([question], { ...options, to, remotes });
  assert.deepEqual([outcomes[0]?.result, asked], ["present", false]);
});

test("no remote that fails keeps another from serving, and each is told of", async () => {
  const [to, dead, lying, good] = [named("local", true), named("dead"), named("lying"), named("good")];
  const question = questionOf(holdArtifact(good, { files }));
  holdArtifact(lying, { files });
  dead.trouble = unavailable;
  for (const hash of lying.held.keys()) lying.held.set(hash, Buffer.from("other"));
  const [outcome] = await pull([question], to, [dead, lying, good]);
  assert.equal(outcome?.result, "copied");
  assert.match(outcome?.notes.join("\n") ?? "", /^dead: no connection\n.*lying/s);
});

test("takes the artifact of another index where that of the first is nowhere whole", async () => {
  const [to, first, second] = [named("local", true), named("first"), named("second")];
  holdArtifact(first, { files: { other: "one" } });
  for (const [hash, bytes] of first.held) if (Buffer.from(bytes).toString() === "one") first.held.delete(hash);
  const artifact = holdArtifact(second, { files });
  const [outcome] = await pull([questionOf(artifact)], to, [first, second]);
  assert.deepEqual([outcome?.result, outcome?.place], ["copied", "second"]);
  assert.equal([...to.names.values()][0]?.content.hash, artifact.content.hash);
});

test("tells what is missing from what failed, and tries again what passes", async () => {
  const [to, first, second] = [named("local", true), named("first"), named("second")];
  const question = questionOf(holdArtifact(second, { files }));
  assert.equal((await pull([{ ...question, element: "none" }], to, [first, second]))[0]?.result, "missing");
  let failures = 0;
  second.trouble = (call) => void (call === "find" && failures++ < 2 && unavailable());
  assert.equal((await pull([question], to, [first, second]))[0]?.result, "copied");
  const again = named("again", true);
  failures = 0;
  second.trouble = () => void (failures++ < 1e9 && unavailable());
  const [outcome] = await pull([question], again, [first, second]);
  assert.deepEqual([outcome?.result, outcome?.error?.code, failures], ["failed", "unavailable", 3]);
});

test("pulls into what was left half done, and what is here without a remote stays", async () => {
  const [to, remote] = [named("local", true), named("remote")];
  const artifact = holdArtifact(to, { files, buildtree: { "main.o": "object" } });
  holdArtifact(remote, { files, buildtree: { "main.o": "object" } });
  const top = [...to.held].find(([, bytes]) => Buffer.from(bytes).toString() === "top")?.[0] ?? "";
  to.held.delete(top);
  assert.deepEqual(
    (await pull([questionOf(artifact)], to, [])).map(({ result }) => result),
    ["missing"],
  );
  const [outcome] = await pull([questionOf(artifact)], to, [remote]);
  assert.deepEqual([outcome?.result, outcome?.blobs, to.written], ["copied", 1, [top]]);
});

test("pushes to all, storages before indexes, and asks two questions about what is there", async () => {
  const [from, whole, storage, index] = [named("local", true), named("whole"), named("storage"), named("index")];
  const artifact = holdArtifact(from, { files });
  const targets = [withoutBlobs(index), whole, withoutIndex(storage)];
  const { outcomes } = await push([questionOf(artifact)], from, targets);
  assert.deepEqual([outcomes[0]?.result, outcomes[0]?.place], ["copied", "index, whole"]);
  assert.deepEqual([whole.held, storage.held, index.held.size], [from.held, from.held, 0]);
  assert.deepEqual([whole.names.size, index.names.size, storage.names.size], [2, 2, 0]);
  whole.calls.length = 0;
  assert.equal((await push([questionOf(artifact)], from, [whole])).outcomes[0]?.result, "present");
  assert.deepEqual(whole.calls, ["find", "missing", "flush"]);
  // A server that has lost blobs gets them again, and one that has what is not whole here is not the worse for it.
  const [top] = [...whole.held].find(([, bytes]) => Buffer.from(bytes).toString() === "top") ?? [];
  whole.held.delete(top ?? "");
  const healed = await push([questionOf(artifact)], from, [whole]);
  assert.deepEqual(
    [healed.outcomes[0]?.result, healed.outcomes[0]?.blobs, healed.outcomes[0]?.place],
    ["copied", 1, "whole"],
  );
  assert.deepEqual(whole.held, from.held);
  from.held.delete(artifact.content.hash);
  assert.equal((await push([questionOf(artifact)], from, [whole])).outcomes[0]?.result, "present");
  assert.equal(
    (await push([{ ...questionOf(artifact), element: "none" }], from, [whole])).outcomes[0]?.result,
    "missing",
  );
});

test("a destination that fails leaves the others alone, and no index is told of what is nowhere", async () => {
  const [from, good, full, index] = [named("local", true), named("good"), named("full"), named("index")];
  const artifact = holdArtifact(from, { files });
  full.trouble = (call) => {
    if (call === "writeMany") throw new StillageError("exhausted", "the disk is full");
  };
  const { outcomes } = await push([questionOf(artifact)], from, [good, full]);
  assert.deepEqual([outcomes[0]?.result, outcomes[0]?.place], ["failed", "good"]);
  assert.deepEqual([outcomes[0]?.notes, full.names.size], [["full: the disk is full"], 0]);
  await push([questionOf(artifact)], from, [withoutIndex(full), withoutBlobs(index)]);
  assert.equal(index.names.size, 0);
  // Where the blobs are known to be at another place, an index alone is told.
  await push([questionOf(artifact)], from, [good, withoutBlobs(index)]);
  assert.equal(index.names.size, 2);
});

test("pushes nothing that is not whole here", async () => {
  const [from, to] = [named("local", true), named("remote")];
  const artifact = holdArtifact(from, { files });
  from.held.delete(artifact.content.hash);
  const { outcomes } = await push([questionOf(artifact)], from, [to]);
  assert.deepEqual([outcomes[0]?.result, to.names.size], ["missing", 0]);
});

test("mirrors what is new or other, passes over what a place cannot have, and goes on after a stop", async () => {
  const [from, to] = [named("from"), memoryPlace({ name: "to", generations: ["2.x"] })];
  for (let i = 0; i < 20; i++) holdArtifact(from, { element: `app${i}`, files: { ...files, own: `${i}` } });
  const directory = { ...holdArtifact(from, { element: "old", files }), generation: "1.x" as const };
  for (const key of directory.keys) from.names.set(`harbour/old/${key}`, directory);
  holdArtifact(to, { element: "app3", files: { own: "what was built before" } });
  const all = [{ project: "*", element: "*", key: "*" }];
  const stop = new AbortController();
  let done = 0;
  const first = noting({ signal: stop.signal, done: () => ++done === 5 && stop.abort() });
  assert.equal((await mirrorArtifacts(all, { ...first.options, from, to })).stopped, true);
  const before = new Set(to.names.values()).size;
  const { options, outcomes } = noting();
  const { results, stopped } = await mirrorArtifacts(all, { ...options, from, to });
  assert.deepEqual([results.skipped, results.failed, results.missing, stopped], [1, 0, 0, false]);
  assert.equal(results.copied + results.present, 20);
  assert.ok(results.present > 0 && results.present >= before - 1, `${results.present} of ${before}`);
  assert.match(
    outcomes.find(({ result }) => result === "skipped")?.notes[0] ?? "",
    /takes no artifacts of BuildStream 1\.x/,
  );
  assert.deepEqual((await mirrorArtifacts(all, { ...options, from, to })).results.present, 20);
  // A name whose message, or what that leads to, has been lost is no reason to pass an artifact over.
  for (const lost of [from.names.values().next().value?.content.hash, hashOfTop(from)]) {
    assert.ok(lost !== undefined && to.held.delete(lost));
    const { blobs } = await mirrorArtifacts(all, { ...options, from, to });
    assert.ok(blobs > 0 && to.held.has(lost));
  }
  // Names that are not there count, and are looked up in their turn.
  const asked = [...from.names.values()].slice(0, 2).map(questionOf);
  const some = await mirrorThese([...asked, { ...questionOf(directory), element: "none" }], { ...options, from, to });
  assert.deepEqual([some.results.present, some.results.missing], [2, 1]);
  const closed = memoryPlace({ listable: false });
  assert.equal((await mirrorArtifacts(all, { ...options, from: closed, to })).error?.code, "unsupported");
});

test("a list that breaks off, or is stopped, leaves what was done counted", async () => {
  const from = named("from");
  for (let i = 0; i < 4; i++) holdArtifact(from, { element: `app${i}`, files: { own: `${i}` } });
  const all = [{ project: "*", element: "*", key: "*" }];
  const { index } = from;
  const broken = (fail: () => void): Place => ({
    ...from,
    index: {
      ...index,
      async *list(globs, signal) {
        let count = 0;
        for await (const each of index.list(globs, signal)) {
          if (count++ === 2) fail();
          yield each;
        }
      },
    },
  });
  const { options } = noting();
  const failed = await mirrorArtifacts(all, { ...options, from: broken(unavailable), to: named("one") });
  assert.deepEqual([failed.results.copied, failed.stopped, failed.error?.code], [2, false, "unavailable"]);
  assert.ok(failed.blobs > 0);
  const stop = new AbortController();
  const stopping = broken(() => {
    stop.abort(new Error("stopped"));
    stop.signal.throwIfAborted();
  });
  const stopped = await mirrorArtifacts(all, { ...options, signal: stop.signal, from: stopping, to: named("two") });
  assert.deepEqual([stopped.stopped, stopped.error], [true, undefined]);
});

test("waits before it tries again, longer each time, and tells what moved for what failed or was stopped", async () => {
  const [from, to] = [named("from"), named("to", true)];
  const question = questionOf(holdArtifact(from, { files }));
  to.trouble = (call) => void (call === "publish" && unavailable());
  const pauses: number[] = [];
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  const progress = new TransferProgress(() => 0);
  const { options, outcomes } = noting({ retries: 3, pause, random: () => 1, progress });
  const summary = await pullArtifacts([question], { ...options, to, remotes: async () => [from] });
  assert.deepEqual(pauses, [500, 1000, 2000]);
  const { result, blobs, bytes } = outcomes[0] as ItemOutcome;
  assert.deepEqual([result, blobs > 0, bytes > 0], ["failed", true, true]);
  assert.deepEqual([summary.blobs, summary.bytes], [blobs, bytes]);
  assert.deepEqual([progress.state().blobs.done, progress.state().items], [blobs, { done: 1, all: 1 }]);
  const stop = new AbortController();
  const other = named("other", true);
  other.trouble = (call) => {
    if (call !== "publish") return;
    stop.abort(new Error("stopped"));
    unavailable();
  };
  const stopped = await pullArtifacts([question], {
    ...{ ...options, to: other, signal: stop.signal, progress: undefined },
    remotes: async () => [from],
  });
  assert.deepEqual([stopped.stopped, stopped.blobs, stopped.results.failed], [true, blobs, 0]);
});

test("does not wait for a server that is away, or asks to be left alone for long", async () => {
  const [from, to] = [named("from"), named("to", true)];
  const question = questionOf(holdArtifact(from, { files }));
  const pause = async (): Promise<void> => assert.fail("it waits");
  for (const error of [
    new AwayError("from", 2000),
    new StillageError("unavailable", "too much to do", { retryAfterMs: 25_000 }),
  ]) {
    for (const failing of ["find", "readMany"]) {
      let asked = 0;
      from.trouble = (call) => {
        if (call !== failing) return;
        asked += 1;
        throw error;
      };
      const { options, outcomes } = noting({ pause });
      await pullArtifacts([question], { ...options, to, remotes: async () => [from] });
      assert.deepEqual([outcomes[0]?.error?.code, asked], ["unavailable", 1]);
    }
  }
});

test("copies artifacts of BuildStream 1, whose directories hold all of them", async () => {
  const [from, to] = [named("from"), named("to", true)];
  const message = holdArtifact(from, { element: "old", files });
  const tree = [...from.held].find(([, bytes]) => Buffer.from(bytes).includes("top.txt"));
  const content = hold(from, tree?.[1] ?? "");
  const directory: IndexedArtifact = { ...message, generation: "1.x", content };
  for (const key of directory.keys) from.names.set(`harbour/old/${key}`, directory);
  const [outcome] = await pull([questionOf(directory)], to, [from]);
  assert.deepEqual([outcome?.result, outcome?.blobs, to.held.size], ["copied", 4, 4]);
});
