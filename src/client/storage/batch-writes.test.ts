import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { digestsOf, ErringCas, type Errors, randomBlob } from "./erring-cas.fixture.ts";

const { signal } = new AbortController();
const blobs = Array.from({ length: 40 }, (_, i) => randomBlob(100 + i));
const [first, second] = blobs as [(typeof blobs)[0], (typeof blobs)[0]];

async function withCas(errors: Errors, use: (cas: ErringCas) => Promise<void>): Promise<void> {
  await using cas = await ErringCas.start(errors);
  await use(cas);
}

describe("writing small blobs", () => {
  it("sends each once, and never the empty one", () =>
    withCas({}, async (cas) => {
      const empty = { digest: digestOf(sha256, new Uint8Array(0)), bytes: new Uint8Array(0) };
      await cas.place().writeMany([...blobs, first, empty], signal);
      assert.deepEqual([cas.entries, cas.stored.size], [[40], 40]);
    }));

  it("keeps to the server's limit, and sends by streams what fits no batch", () =>
    withCas({}, async (cas) => {
      await cas.place({ maxBatchBytes: 800 }).writeMany([...blobs, randomBlob(700)], signal);
      assert.ok(cas.entries.every((count) => count === 2));
      assert.deepEqual([cas.stored.size, cas.calls.Write], [41, 1]);
    }));

  it("sends everything by streams where there are no batches", () =>
    withCas({ without: ["BatchUpdateBlobs"] }, async (cas) => {
      await cas.place().writeMany(blobs, signal);
      assert.deepEqual([cas.stored.size, cas.calls.Write], [40, 40]);
    }));

  it("sends again only what failed in passing or was refused once, and takes what is there already as done", () => {
    const status = (hash: string, before: number): number | undefined => {
      if (hash === first.digest.hash && before === 0) return grpcStatus.unavailable;
      if (hash === second.digest.hash && before === 0) return grpcStatus.invalidArgument;
      return before === 0 ? grpcStatus.alreadyExists : undefined;
    };
    return withCas({ status }, async (cas) => {
      await cas.place().writeMany(blobs, signal);
      assert.deepEqual([cas.entries, cas.stored.size], [[40, 2], 2]);
    });
  });

  it("says what a server does not take", async () => {
    const always = (code: number): Errors => ({ status: (hash) => (hash === first.digest.hash ? code : undefined) });
    const codes = [
      [grpcStatus.invalidArgument, "corrupt"],
      [grpcStatus.resourceExhausted, "exhausted"],
      [grpcStatus.permissionDenied, "forbidden"],
      [grpcStatus.unavailable, "unavailable"],
    ] as const;
    for (const [status, code] of codes) {
      await withCas(always(status), async (cas) => {
        await assert.rejects(cas.place().writeMany(blobs, signal), { code, message: /^cache/ });
      });
    }
  });

  it("does not send half of it where the server is full", () => {
    const full = new StillageError("exhausted", "the quota is used up");
    return withCas({ failCall: () => full }, async (cas) => {
      await assert.rejects(cas.place().writeMany(blobs, signal), { code: "exhausted" });
      assert.equal(cas.calls.BatchUpdateBlobs, 1);
    });
  });
});

describe("asking for what is missing", () => {
  it("asks in pieces, for each once", () =>
    withCas({}, async (cas) => {
      cas.keep(first);
      const many = Array.from({ length: 9000 }, (_, i) => digestOf(sha256, Buffer.from(String(i))));
      const empty = digestOf(sha256, new Uint8Array(0));
      const missing = await cas.place().missing([first.digest, empty, ...many, ...many, ...digestsOf([first])], signal);
      assert.deepEqual(missing, many);
      assert.deepEqual(cas.entries.toSorted(), [809, 8192]);
    }));
});
