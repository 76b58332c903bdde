import assert from "node:assert/strict";
import { it } from "node:test";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { type ErrorCode, StillageError } from "../../base/errors.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import type { BlobPlace } from "../place.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import type { Blocked } from "./reachability.ts";
import type { RemotePlace } from "./remote-place.ts";
import { watchedRemote } from "./watched-remote.ts";

const { signal } = new AbortController();
const question = { project: "p", element: "e", keys: ["0".repeat(64)] };
const digest = digestOf(sha256, Buffer.from("bytes"));

async function all(content: AsyncIterable<Uint8Array> = assert.fail()): Promise<void> {
  for await (const _ of content);
}

/** A remote that is watched. It answers as `answer` says when it is called, with an error where it is a code. */
function watched() {
  const told: string[] = [];
  const memory = { until: undefined as number | undefined, failed: 0, reached: 0 };
  const state: { answer: ErrorCode | undefined; calls: number } = { answer: undefined, calls: 0 };
  const answer = async (): Promise<void> => {
    state.calls++;
    if (state.answer !== undefined) throw new StillageError(state.answer, `it says ${state.answer}`);
  };
  const index = { generations: ["2.x"], find: async () => void (await answer()) } as unknown as ArtifactIndex;
  const blobs = {
    async readMany([one]: readonly unknown[], take: (digest: unknown, bytes: Uint8Array) => unknown) {
      await answer();
      await take(one, Buffer.from("bytes"));
      return [];
    },
    async *read() {
      yield Buffer.from("by");
      await answer();
      yield Buffer.from("tes");
    },
    async write(_: unknown, content: (offset: number) => AsyncIterable<Uint8Array>) {
      for await (const _bytes of content(0)) await answer();
    },
  } as unknown as BlobPlace;
  const place = watchedRemote(
    { name: "office", spec: remoteAt("https://office"), index, blobs, writable: true } as unknown as RemotePlace,
    {
      blocked: () => (memory.until === undefined ? undefined : ({ until: memory.until } as Blocked)),
      failed: async () => {
        memory.failed++;
        memory.until = 1000;
      },
      reached: async () => void memory.reached++,
    },
    ({ message }) => told.push(message),
  );
  const outcome = (call: Promise<unknown> | undefined) =>
    call?.then(
      () => "answered",
      (error: StillageError) => error.message,
    );
  return {
    ...{ told, memory, state },
    find: () => outcome(place.index?.find(question, signal)),
    readMany: (take: () => Promise<void>) => outcome(place.blobs?.readMany([digest], take, signal)),
    read: () => outcome(all(place.blobs?.read(digest, 0, signal))),
    write: (content: () => AsyncIterable<Uint8Array>) => outcome(place.blobs?.write(digest, content, signal)),
  };
}

const left = "office has stopped answering, and is left out for a while";

it("a server that leaves two calls in a row unanswered, of whatever kind, is not called before its time", async () => {
  const { state, memory, told, find, read } = watched();
  for (const answer of ["deadline", "not-found", "deadline", undefined, "deadline", "unavailable"] as const) {
    state.answer = answer;
    await find();
  }
  assert.deepEqual([told, memory.failed], [[], 0]);
  state.answer = "deadline";
  assert.equal(await read(), "it says deadline");
  assert.deepEqual([told, memory.failed], [["it says deadline"], 1]);
  const { calls } = state;
  assert.deepEqual([await find(), await read(), state.calls], [left, left, calls]);
});

it("when its time has come, one call shows whether it is back", async () => {
  const { state, memory, told, find } = watched();
  state.answer = "deadline";
  await Promise.all([find(), find(), find()]);
  assert.equal(told.length, 1);
  memory.until = undefined;
  assert.deepEqual(await Promise.all([find(), find()]), ["it says deadline", left]);
  assert.equal(await find(), left);
  memory.until = undefined;
  state.answer = undefined;
  assert.deepEqual(await Promise.all([find(), find()]), ["answered", left]);
  assert.equal(memory.reached, 1);
  assert.deepEqual(await Promise.all([find(), find()]), ["answered", "answered"]);
  assert.equal(told.length, 1);
});

it("what those do who take from it or give to it is not its fault", async () => {
  const { memory, readMany, write, find } = watched();
  const failing = async (): Promise<never> => {
    throw new StillageError("deadline", "another one is silent");
  };
  const failingContent = async function* () {
    yield Buffer.from("by");
    await failing();
  };
  for (let time = 0; time < 3; time++) {
    assert.equal(await readMany(failing), "another one is silent");
    assert.equal(await write(failingContent), "another one is silent");
  }
  assert.equal(memory.failed, 0);
  assert.equal(await find(), "answered");
});
