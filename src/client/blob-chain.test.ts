import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { chainBlobs } from "./blob-chain.ts";
import { oneByOne, type TakeBatch } from "./blob-place.ts";
import { PlaceReader, type ReadableBlobs } from "./blob-reader.ts";

const { signal } = new AbortController();
const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const digest = (text: string): Digest => digestOf(sha256, bytesOf(text));
const large = "0123456789".repeat(60_000);

/** Has texts; a failing one fails after so many bytes of a stream, or at once. */
function source(
  texts: readonly string[],
  failing?: { after: number; code: "unavailable" | "corrupt" },
): ReadableBlobs & { asked: number } {
  const held = new Map(texts.map((text) => [digest(text).hash, bytesOf(text)]));
  const failure = () => new StillageError(failing?.code ?? "internal", "it failed");
  const made = {
    asked: 0,
    async readMany(digests: readonly Digest[], take: TakeBatch) {
      made.asked += 1;
      const missing: Digest[] = [];
      for (const each of digests) {
        if (failing !== undefined) throw failure();
        const bytes = held.get(each.hash);
        if (bytes === undefined) missing.push(each);
        else await take({ blobs: [{ digest: each, bytes }], memory: undefined });
      }
      return missing;
    },
    async *read({ hash }: Digest, offset: number) {
      made.asked += 1;
      const bytes = held.get(hash);
      if (bytes === undefined) throw new StillageError("not-found", "not here");
      for (let at = offset; at < bytes.length; at += 100_000) {
        if (failing !== undefined && at >= failing.after) throw failure();
        yield bytes.subarray(at, at + 100_000);
      }
    },
    async missing(digests: readonly Digest[]) {
      if (failing !== undefined) throw failure();
      return digests.filter(({ hash }) => !held.has(hash));
    },
  };
  return made;
}

async function readAll(blobs: ReadableBlobs, texts: readonly string[]): Promise<{ got: string[]; missing: number }> {
  const got: string[] = [];
  const take = oneByOne((_, bytes) => void got.push(Buffer.from(bytes).toString()));
  const missing = await blobs.readMany(texts.map(digest), take, signal);
  return { got: got.sort(), missing: missing.length };
}

async function stream(blobs: ReadableBlobs, text: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of blobs.read(digest(text), 0, signal)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe("several places as one", () => {
  test("what the first lacks the next gives, and what none has is missing", async () => {
    const chain = chainBlobs([async () => source(["a", "b"]), async () => undefined, async () => source(["b", "c"])]);
    assert.deepEqual(await readAll(chain, ["a", "b", "c", "d"]), { got: ["a", "b", "c"], missing: 1 });
    assert.deepEqual(await chain.missing(["a", "c", "d"].map(digest), signal), [digest("d")]);
  });

  test("what fails is passed over, once and for all, and told of where nobody else has the blob", async () => {
    const broken = source(["a"], { after: 0, code: "unavailable" });
    const chain = chainBlobs([async () => broken, async () => source(["a"])]);
    assert.deepEqual((await readAll(chain, ["a"])).got, ["a"]);
    assert.deepEqual((await readAll(chain, ["a"])).got, ["a"]);
    assert.equal(broken.asked, 1);
    await assert.rejects(readAll(chainBlobs([async () => source([], { after: 0, code: "unavailable" })]), ["a"]), {
      code: "unavailable",
    });
  });

  test("a stream that breaks off goes on elsewhere, where it broke", async () => {
    const broken = source([large], { after: 200_000, code: "unavailable" });
    assert.equal(await stream(chainBlobs([async () => broken, async () => source([large])]), large), large);
    await assert.rejects(stream(chainBlobs([async () => source(["a"])]), large), { code: "not-found" });
  });

  test("what goes on with other bytes is not taken for the whole", async () => {
    const broken = source([large], { after: 200_000, code: "unavailable" });
    const other = source([]);
    other.read = async function* (_, offset) {
      yield bytesOf("x".repeat(large.length - offset));
    };
    await assert.rejects(stream(chainBlobs([async () => broken, async () => other]), large), { code: "corrupt" });
  });
});

describe("a place as views read it", () => {
  test("a large blob is one stream for whoever reads on, and anywhere else for who does not", async () => {
    const place = source([large]);
    const blob = await new PlaceReader(place, signal).open(digest(large));
    assert.ok(blob);
    const read = async (at: number, length: number): Promise<string> => {
      const buffer = Buffer.alloc(length);
      await blob.read(buffer, at);
      return buffer.toString();
    };
    assert.equal(await read(0, 150_000), large.slice(0, 150_000));
    assert.equal(await read(150_000, 450_000), large.slice(150_000));
    assert.equal(place.asked, 1);
    assert.equal(await read(7, 5), large.slice(7, 12));
    assert.equal(place.asked, 2);
    blob.close();
    assert.equal(await new PlaceReader(place, signal).open(digest("none")), undefined);
    assert.equal(await new PlaceReader(place, signal).open(digest(`${large}.`)), undefined);
  });
});
