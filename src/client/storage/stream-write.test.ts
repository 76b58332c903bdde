import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { ErringCas, type Errors, randomBlob } from "./erring-cas.fixture.ts";

const { signal } = new AbortController();
const blob = randomBlob(5 << 20);

async function* content(offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < blob.bytes.length; at += 700_000) yield blob.bytes.subarray(at, at + 700_000);
}

async function withCas(errors: Errors, use: (cas: ErringCas) => Promise<void>): Promise<void> {
  await using cas = await ErringCas.start(errors);
  await use(cas);
}

const isStored = (cas: ErringCas): boolean => cas.stored.get(blob.digest.hash)?.equals(blob.bytes) === true;

describe("writing one blob by a stream", () => {
  it("asks first how much of it is there", () =>
    withCas({}, async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.ok(isStored(cas));
      await cas.place().write(blob.digest, content, signal);
      assert.deepEqual(cas.calls, { QueryWriteStatus: 2, Write: 1 });
    }));

  it("does without where the server does not know the question", () =>
    withCas({ without: ["QueryWriteStatus"] }, async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.ok(isStored(cas));
    }));

  it("believes an answer that comes early and says all", () =>
    withCas({ commitEarly: (received, size) => (received > 1_000_000 ? size : undefined) }, async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.equal(cas.calls.Write, 1);
    }));

  it("goes on where an early answer says less", () => {
    let answered = false;
    const commitEarly = (received: number): number | undefined => {
      if (answered || received < 2_000_000) return undefined;
      answered = true;
      return received;
    };
    return withCas({ commitEarly }, async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.ok(isStored(cas));
      assert.deepEqual(cas.writeOffsets, [0, 2_100_000]);
    });
  });

  it("takes a blob that exists as written, and gives up where it is refused twice", async () => {
    const failing = (code: "exists" | "invalid"): Errors => ({
      failCall: (method) => (method === "Write" ? new StillageError(code, "no") : undefined),
    });
    await withCas(failing("exists"), async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.equal(cas.calls.Write, 1);
    });
    await withCas(failing("invalid"), async (cas) => {
      await assert.rejects(cas.place().write(blob.digest, content, signal), { code: "corrupt" });
      assert.equal(cas.calls.Write, 2);
    });
  });

  it("takes another name where somebody else goes on with it", () => {
    const failCall = (method: string, call: number): StillageError | undefined =>
      method === "Write" && call === 0 ? new StillageError("aborted", "continued by another call") : undefined;
    return withCas({ failCall }, async (cas) => {
      await cas.place().write(blob.digest, content, signal);
      assert.ok(isStored(cas));
    });
  });

  it("gives up where it gets no further, whatever the server says of how far it is", async () => {
    const unavailable = new StillageError("unavailable", "gone");
    const aborted = new StillageError("aborted", "continued by another call");
    const sayings: [said: (question: number) => number, failure: (call: number) => StillageError][] = [
      [(question) => (question % 2 === 0 ? 3 << 20 : 0), () => unavailable],
      [(question) => question, () => unavailable],
      [() => 3 << 20, (call) => (call % 2 === 0 ? unavailable : aborted)],
    ];
    for (const [committed, failure] of sayings) {
      // Refused in the end, so that to go on for ever fails the test.
      const failCall = (method: string, call: number): StillageError | undefined =>
        method !== "Write" ? undefined : call < 30 ? failure(call) : new StillageError("invalid", "no");
      await withCas({ committed, failCall }, async (cas) => {
        await assert.rejects(cas.place().write(blob.digest, content, signal), ({ code }) => code !== "corrupt");
        assert.equal(cas.calls.Write, 5);
      });
    }
  });

  it("ends with the signal, also while the content is waited for", () =>
    withCas({}, async (cas) => {
      const stop = new AbortController();
      const slow = async function* (): AsyncGenerator<Uint8Array> {
        setImmediate(() => stop.abort());
        await new Promise(() => {});
        yield blob.bytes;
      };
      await assert.rejects(cas.place().write(blob.digest, slow, stop.signal), { code: "cancelled" });
    }));

  it("is done once where two want it at the same time, and by the second where the first fails", () =>
    withCas({}, async (cas) => {
      const place = cas.place();
      await Promise.all([1, 2, 3].map(() => place.write(blob.digest, content, signal)));
      assert.equal(cas.calls.Write, 1);
      const other = randomBlob(1000);
      const bad = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(1);
      };
      const good = async function* (): AsyncGenerator<Uint8Array> {
        yield other.bytes;
      };
      const first = assert.rejects(place.write(other.digest, bad, signal), { code: "corrupt" });
      await Promise.all([first, place.write(other.digest, good, signal)]);
      assert.ok(cas.stored.get(other.digest.hash)?.equals(other.bytes));
    }));

  it("leaves failures of the content as they are, and finds out one of another length", () =>
    withCas({}, async (cas) => {
      let opened = 0;
      const broken = new StillageError("unavailable", "our own disk");
      const bad = async function* (): AsyncGenerator<Uint8Array> {
        opened++;
        yield blob.bytes.subarray(0, 1000);
        throw broken;
      };
      await assert.rejects(cas.place().write(blob.digest, bad, signal), (error) => error === broken);
      for (const length of [1000, blob.bytes.length + 1]) {
        const wrong = async function* (): AsyncGenerator<Uint8Array> {
          opened++;
          yield new Uint8Array(length);
        };
        await assert.rejects(cas.place().write(blob.digest, wrong, signal), { code: "corrupt" });
      }
      assert.equal(opened, 3);
    }));
});
