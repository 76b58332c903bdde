import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { StillageError } from "../../src/base/errors.ts";
import type { WholeBlob } from "../../src/client/blob-place.ts";
import { type ConnectionLimits, connectionLimits } from "../../src/client/connection/channel.ts";
import type { BlobPlace } from "../../src/client/place.ts";
import {
  type ConnectionFaults,
  type FaultPlan,
  type FaultProxy,
  startFaultProxy,
} from "../clients/support/fault-proxy.ts";
import { type Silence, startSilentServer } from "../clients/support/silent-server.ts";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { contentOf, gathered, gatheredMany, openStorage, randomBlob, remoteAt } from "../clients/support/storage.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const { signal } = new AbortController();
const mebibyte = 1 << 20;

/** For lines that are to be found silent soon, and long enough for a busy machine to answer in. */
const impatient: ConnectionLimits = { connectMs: 3000, pingAfterMs: 300, silentMs: 1500, stallMs: 3000 };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: ServerUnderTest;
const small = Array.from({ length: 300 }, (_, i) => randomBlob(1 + ((i * 997) % 9000)));
const large = randomBlob(12 * mebibyte);
before(async () => {
  directory = await temporaryDirectory();
  server = await startServer(directory.path);
  using direct = openStorage(remoteAt(`grpc://${server.address}`));
  await direct.blobs.writeMany(small, signal);
  await direct.blobs.write(large.digest, contentOf(large.bytes), signal);
});
after(async () => {
  await server.stop();
  await directory[Symbol.asyncDispose]();
});

/** Whether the server has it, and what it has are those bytes. */
async function isThere({ digest, bytes }: WholeBlob): Promise<boolean> {
  using direct = openStorage(remoteAt(`grpc://${server.address}`));
  return (await gathered(direct.blobs.read(digest, 0, signal))).equals(bytes);
}

/** A way to move blobs; fails where the outcome is not right. */
interface Work {
  readonly name: string;
  /** The direction in which most goes. */
  readonly mostly: "up" | "down";
  /** Whether wrong bytes are asked for again; of a stream some are the caller's by then. */
  readonly mends: boolean;
  readonly run: (blobs: BlobPlace) => Promise<void>;
}

const works: readonly Work[] = [
  {
    name: "reading small blobs",
    mostly: "down",
    mends: true,
    run: async (blobs) => {
      const { found, missing } = await gatheredMany(
        blobs,
        small.map(({ digest }) => digest),
        signal,
      );
      assert.deepEqual(missing, []);
      assert.equal(found.size, small.length);
      for (const { digest, bytes } of small) assert.ok(found.get(digest.hash)?.equals(bytes));
    },
  },
  {
    name: "reading a large blob",
    mostly: "down",
    mends: false,
    run: async (blobs) => {
      assert.ok((await gathered(blobs.read(large.digest, 0, signal))).equals(large.bytes));
    },
  },
  {
    name: "writing small blobs",
    mostly: "up",
    mends: true,
    run: async (blobs) => {
      const fresh = small.map(({ bytes }) => randomBlob(bytes.length));
      await blobs.writeMany(fresh, signal);
      assert.ok((await Promise.all(fresh.slice(0, 20).map(isThere))).every(Boolean));
    },
  },
  {
    name: "writing a large blob",
    mostly: "up",
    mends: true,
    run: async (blobs) => {
      const fresh = randomBlob(large.bytes.length);
      await blobs.write(fresh.digest, contentOf(fresh.bytes), signal);
      assert.ok(await isThere(fresh));
    },
  },
  {
    name: "asking what is missing",
    mostly: "up",
    mends: true,
    run: async (blobs) => {
      const stranger = randomBlob(1000);
      const asked = [...small, stranger].map(({ digest }) => digest);
      assert.deepEqual(await blobs.missing(asked, signal), [stranger.digest]);
    },
  },
];

async function through(
  plan: FaultPlan,
  use: (blobs: BlobPlace, proxy: FaultProxy) => Promise<void>,
  limits = connectionLimits,
): Promise<void> {
  await using proxy = await startFaultProxy(server.address, plan);
  using storage = openStorage(remoteAt(`grpc://${proxy.address}`), limits);
  await use(storage.blobs, proxy);
}

const once =
  (faults: ConnectionFaults): FaultPlan =>
  (connection) =>
    connection === 0 ? faults : undefined;

describe("a line that fails once", { concurrency: 6 }, () => {
  const harms: readonly (readonly [string, ConnectionFaults])[] = [
    ["is cut at once", { up: { cutAfter: 1 } }],
    ["is cut within what the server sends", { down: { cutAfter: 5000 } }],
    ["is cut within what the client sends", { up: { cutAfter: 5000 } }],
    ["stalls within what the server sends", { down: { stallAfter: 5000 } }],
    ["stalls within what the client sends", { up: { stallAfter: 5000 } }],
    ["is slow", { up: { delayMs: 5 }, down: { delayMs: 5 } }],
  ];
  for (const { name, run } of works) {
    for (const [what, faults] of harms) {
      it(`and ${what}: ${name} comes out right`, { timeout: 60_000 }, () => through(once(faults), run, impatient));
    }
  }
});

describe("a line that changes a byte", () => {
  for (const { name, mostly, mends, run } of works) {
    it(`${name} comes out right, or with an error that says so`, { timeout: 120_000 }, async () => {
      let right = 0;
      const offsets = Array.from({ length: 16 }, (_, i) => (i < 12 ? i * 41 : i * 3001));
      await Promise.all(
        offsets.map(async (corruptAt) => {
          try {
            await through(once({ [mostly]: { corruptAt } }), run, impatient);
            right++;
          } catch (error) {
            assert.ok(error instanceof StillageError && error.code !== "internal", String((error as Error).stack));
          }
        }),
      );
      assert.ok(right >= offsets.length / (mends ? 2 : 8), `only ${right} of ${offsets.length} came out right`);
    });
  }
});

describe("a line that is cut again and again", () => {
  it("a large blob is read on where it broke each time", async () => {
    await through(
      () => ({ down: { cutAfter: 3 * mebibyte } }),
      async (blobs, { passed }) => {
        assert.ok((await gathered(blobs.read(large.digest, 0, signal))).equals(large.bytes));
        assert.ok(passed.connections >= 4, `${passed.connections} connections`);
        // What was on its way to the client when it was cut comes twice.
        assert.ok(passed.down < 20 * mebibyte, `${passed.down} bytes`);
      },
    );
  });

  it("a large blob is written on where it broke each time", async () => {
    const fresh = randomBlob(40 * mebibyte);
    await through(
      () => ({ up: { cutAfter: 16 * mebibyte } }),
      async (blobs, { passed }) => {
        await blobs.write(fresh.digest, contentOf(fresh.bytes), signal);
        assert.ok(await isThere(fresh));
        assert.ok(passed.connections >= 3, `${passed.connections} connections`);
        assert.ok(passed.up < 60 * mebibyte, `${passed.up} bytes`);
      },
    );
  });

  it("and brings nothing forward, is an error that names the server", async () => {
    await through(
      () => ({ up: { cutAfter: 100 } }),
      async (blobs) => {
        const failure = { code: "unavailable", message: /^cache/ };
        await assert.rejects(blobs.missing([large.digest], signal), failure);
        await assert.rejects(gathered(blobs.read(large.digest, 0, signal)), failure);
      },
    );
  });
});

describe("what an earlier process began to write", () => {
  it("is gone on with", async () => {
    const fresh = randomBlob(24 * mebibyte);
    const stop = new AbortController();
    const content = async function* (offset: number): AsyncGenerator<Uint8Array> {
      for (let at = offset; at < fresh.bytes.length; at += mebibyte) {
        if (at === 16 * mebibyte) stop.abort();
        yield fresh.bytes.subarray(at, at + mebibyte);
      }
    };
    using first = openStorage(remoteAt(`grpc://${server.address}`));
    await assert.rejects(first.blobs.write(fresh.digest, content, stop.signal), { code: "cancelled" });
    await through(
      () => undefined,
      async (blobs, { passed }) => {
        await blobs.write(fresh.digest, contentOf(fresh.bytes), signal);
        assert.ok(await isThere(fresh));
        assert.ok(passed.up < 16 * mebibyte, `${passed.up} bytes were sent again`);
      },
    );
  });
});

describe("a server that stays silent", () => {
  const limits: ConnectionLimits = { connectMs: 200, pingAfterMs: 50, silentMs: 200, stallMs: 400 };
  const cases: readonly (readonly [Silence, string])[] = [
    ["mute", "unavailable"],
    ["settings", "unavailable"],
    ["pings", "deadline"],
  ];
  for (const [silence, code] of cases) {
    it(`and knows ${silence === "mute" ? "nothing" : silence} is found out, by each operation`, async () => {
      await using silent = await startSilentServer(silence);
      using storage = openStorage(remoteAt(`grpc://${silent.address}`), limits);
      const { blobs } = storage;
      const failure = { code, message: /^cache/ };
      await Promise.all([
        assert.rejects(blobs.missing([large.digest], signal), failure),
        assert.rejects(gatheredMany(blobs, [large.digest], signal), failure),
        assert.rejects(gathered(blobs.read(large.digest, 0, signal)), failure),
        assert.rejects(blobs.writeMany(small.slice(0, 5), signal), failure),
        assert.rejects(blobs.write(large.digest, contentOf(large.bytes), signal), failure),
      ]);
    });
  }

  it("is left at once when the signal says so", async () => {
    await using silent = await startSilentServer("pings");
    using storage = openStorage(remoteAt(`grpc://${silent.address}`));
    const { blobs } = storage;
    const stop = new AbortController();
    const all = Promise.all([
      assert.rejects(blobs.missing([large.digest], stop.signal), { code: "cancelled" }),
      assert.rejects(
        gatheredMany(
          blobs,
          small.map(({ digest }) => digest),
          stop.signal,
        ),
        { code: "cancelled" },
      ),
      assert.rejects(gathered(blobs.read(large.digest, 0, stop.signal)), { code: "cancelled" }),
      assert.rejects(blobs.writeMany(small, stop.signal), { code: "cancelled" }),
      assert.rejects(blobs.write(large.digest, contentOf(large.bytes), stop.signal), { code: "cancelled" }),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await all;
  });
});
