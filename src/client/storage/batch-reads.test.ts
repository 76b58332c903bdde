import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha1, sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { oneByOne } from "../blob-place.ts";
import type { BlobPlace } from "../place.ts";
import { digestsOf, ErringCas, type Errors, randomBlob } from "./erring-cas.fixture.ts";

const { signal } = new AbortController();
const blobs = Array.from({ length: 40 }, (_, i) => randomBlob(100 + i));
const [first, second, third] = blobs as [(typeof blobs)[0], (typeof blobs)[0], (typeof blobs)[0]];

async function read(place: BlobPlace, digests: readonly Digest[]) {
  const found: string[] = [];
  const take = oneByOne((digest, bytes) => {
    assert.deepEqual(digestOf(sha256, bytes), digest);
    found.push(digest.hash);
  });
  const missing = await place.readMany(digests, take, signal);
  return { found: found.sort(), missing };
}

async function stream(place: BlobPlace, digest: Digest, offset: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of place.read(digest, offset, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sorted = (digests: readonly Digest[]): string[] => digests.map(({ hash }) => hash).sort();

async function withCas(errors: Errors, use: (cas: ErringCas) => Promise<void>): Promise<void> {
  await using cas = await ErringCas.start(errors);
  cas.keep(...blobs);
  await use(cas);
}

describe("reading small blobs", () => {
  it("gives each once, those that are not there, and the empty one without asking", () =>
    withCas({}, async (cas) => {
      const stranger = randomBlob(50);
      const empty = digestOf(sha256, new Uint8Array(0));
      const asked = [...digestsOf(blobs), stranger.digest, first.digest, empty];
      const { found, missing } = await read(cas.place(), asked);
      assert.deepEqual(found, sorted([...digestsOf(blobs), empty]));
      assert.deepEqual(missing, [stranger.digest]);
      assert.deepEqual(cas.entries, [blobs.length + 1]);
    }));

  it("fills batches up to the server's limit, 256 bytes reckoned for each entry", () =>
    withCas({}, async (cas) => {
      await read(cas.place({ maxBatchBytes: 4000 }), digestsOf(blobs));
      assert.equal(
        cas.entries.reduce((a, b) => a + b),
        blobs.length,
      );
      assert.ok(cas.entries.every((count) => count <= 11) && cas.entries.length <= 4);
    }));

  it("reads what fits no batch by a stream", () =>
    withCas({}, async (cas) => {
      const { found } = await read(cas.place({ maxBatchBytes: 370 }), digestsOf(blobs));
      assert.deepEqual(found, sorted(digestsOf(blobs)));
      assert.equal(cas.calls.Read, 25, "those of 115 bytes and more");
    }));

  it("reads everything by streams where there are no batches", () =>
    withCas({ without: ["BatchReadBlobs"] }, async (cas) => {
      const { found, missing } = await read(cas.place(), [...digestsOf(blobs), randomBlob(9).digest]);
      assert.deepEqual([found, missing.length], [sorted(digestsOf(blobs)), 1]);
    }));

  it("halves a batch that is too large for the server, whatever it said", async () => {
    const cas = new Map<string, number>();
    const failCall = (method: string): StillageError | undefined => {
      cas.set(method, (cas.get(method) ?? 0) + 1);
      return cas.get("BatchReadBlobs") === 1 ? new StillageError("exhausted", "message too large") : undefined;
    };
    await withCas({ failCall }, async (server) => {
      assert.equal((await read(server.place(), digestsOf(blobs))).found.length, blobs.length);
      assert.deepEqual(server.entries, [20, 20]);
    });
  });

  it("asks again only for those that failed in passing, and alone for those that failed otherwise", () => {
    const status = (hash: string, before: number): number | undefined => {
      if (hash === first.digest.hash && before < 2) return grpcStatus.unavailable;
      if (hash === second.digest.hash) return grpcStatus.internal;
      return undefined;
    };
    return withCas({ status }, async (cas) => {
      assert.deepEqual((await read(cas.place(), digestsOf(blobs))).found, sorted(digestsOf(blobs)));
      assert.deepEqual([cas.entries, cas.calls.Read], [[40, 1, 1], 1]);
    });
  });

  it("asks again for bytes that are wrong, once", () =>
    withCas({ damaged: (hash, before) => hash === third.digest.hash && before === 0 }, async (cas) => {
      assert.deepEqual((await read(cas.place(), digestsOf(blobs))).found, sorted(digestsOf(blobs)));
      assert.deepEqual(cas.entries, [40, 1]);
    }));

  it("gives no wrong bytes", () =>
    withCas({ damaged: (hash) => hash === third.digest.hash }, async (cas) => {
      await assert.rejects(read(cas.place(), digestsOf(blobs)), { code: "corrupt", message: /^cache .*/ });
    }));

  it("tries a call again that fails in passing, not one that is refused", async () => {
    const failing = (code: "unavailable" | "forbidden", times: number): Errors => ({
      failCall: (_, call) => (call < times ? new StillageError(code, "not now") : undefined),
    });
    await withCas(failing("unavailable", 4), async (cas) => {
      assert.equal((await read(cas.place(), digestsOf(blobs))).found.length, blobs.length);
    });
    await withCas(failing("unavailable", 5), async (cas) => {
      await assert.rejects(read(cas.place(), digestsOf(blobs)), { code: "unavailable" });
    });
    await withCas(failing("forbidden", 1), async (cas) => {
      await assert.rejects(read(cas.place(), digestsOf(blobs)), { code: "forbidden", hint: /access-token/ });
      assert.equal(cas.calls.BatchReadBlobs, 1);
    });
  });

  it("leaves failures of whoever takes the bytes as they are", () =>
    withCas({}, async (cas) => {
      const full = new StillageError("unavailable", "our own disk");
      const fail = async (): Promise<void> => Promise.reject(full);
      await assert.rejects(cas.place().readMany(digestsOf(blobs), fail, signal), (error) => error === full);
      assert.equal(cas.calls.BatchReadBlobs, 1);
    }));

  it("knows SHA-256 alone", () =>
    withCas({}, async (cas) => {
      const other = digestOf(sha1, Uint8Array.of(1));
      await assert.rejects(read(cas.place(), [other]), { code: "unsupported" });
    }));
});

describe("reading one blob by a stream", () => {
  it("goes on behind each call that took as long as it may", async () => {
    const large = randomBlob(100_000);
    const lateAfter = (call: number): number | undefined => (call < 3 ? 30_000 : undefined);
    await withCas({ callMs: 60_000, lateAfter }, async (cas) => {
      cas.keep(large);
      assert.ok((await stream(cas.place(), large.digest, 0)).equals(large.bytes));
      assert.equal(cas.calls.Read, 4);
    });
  });

  it("is not tried again where nothing comes any more, and waited for no longer because it is large", () =>
    withCas({ callMs: 60_000, stallMs: 50, hangAfter: () => 10 }, async (cas) => {
      const large = randomBlob(1_000_000);
      cas.keep(large);
      await assert.rejects(stream(cas.place(), large.digest, 0), { code: "deadline", message: /come for 50 ms/ });
      assert.equal(cas.calls.Read, 1);
    }));

  it("begins where it is told, and verifies the whole", () =>
    withCas({ damaged: (hash) => hash === second.digest.hash }, async (cas) => {
      const place = cas.place();
      assert.ok((await stream(place, first.digest, 30)).equals(first.bytes.subarray(30)));
      await assert.rejects(stream(place, second.digest, 0), { code: "corrupt" });
      await assert.rejects(stream(place, randomBlob(9).digest, 0), { code: "not-found" });
    }));
});
