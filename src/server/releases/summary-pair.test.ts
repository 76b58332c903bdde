import assert from "node:assert/strict";
import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { newPeer } from "../http/asking.fixture.ts";
import { PromisedPairs } from "./promised-pairs.ts";
import { type SummaryFile, type SummaryPair, SummaryPairReader } from "./summary-pair.ts";

describe("the list of branches and its signature", () => {
  let directory: string;
  let later: number;
  let waited: () => Promise<void>;
  let reader: SummaryPairReader;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pair-"));
    later = 0;
    waited = async () => {};
    const wait = async (ms: number): Promise<void> => {
      later += ms;
      await waited();
    };
    reader = new SummaryPairReader(directory, { clock: () => Date.now() + later, wait });
  });

  afterEach(() => rm(directory, { recursive: true }));

  /** Replaces a file as publishers do, with a time of its own or one that is given. */
  async function replace(name: string, text: string, time?: number): Promise<void> {
    const made = join(directory, `.${name}`);
    await writeFile(made, text);
    if (time !== undefined) await utimes(made, time, time);
    await rename(made, join(directory, name));
  }

  const textOf = (file: SummaryFile | undefined): string | undefined => file && Buffer.from(file.bytes).toString();
  const told = async (): Promise<(string | undefined)[]> => {
    const { summary, signature } = await reader.current();
    return [textOf(summary), textOf(signature)];
  };

  it("are taken at once where their times are the same, and not while one is old", async () => {
    await replace("summary", "1", 1000);
    await replace("summary.sig", "of 1", 1000);
    assert.deepEqual(await told(), ["1", "of 1"]);
    await replace("summary", "2", 1001);
    assert.deepEqual(await told(), ["1", "of 1"]);
    await replace("summary.sig", "of 2", 1001);
    assert.deepEqual(await told(), ["2", "of 2"]);
    await replace("summary.sig", "of 3", 1002);
    assert.deepEqual(await told(), ["2", "of 2"]);
    await replace("summary", "3", 1002);
    assert.deepEqual(await told(), ["3", "of 3"]);
    assert.equal(later, 0);
  });

  it("are taken once they have settled where their times say nothing, also the first time", async () => {
    await replace("summary", "1");
    waited = async () => {
      waited = async () => {};
      await replace("summary.sig", "of 1");
    };
    assert.deepEqual(await told(), ["1", "of 1"]);
    assert.ok(later >= 1900 && later < 4000, String(later));
    later = 0;
    await rm(join(directory, "summary.sig"));
    await replace("summary", "2");
    assert.deepEqual(await told(), ["1", "of 1"]);
    await replace("summary.sig", "of 2", 5);
    assert.deepEqual(await told(), ["1", "of 1"]);
    later = 3000;
    assert.deepEqual(await told(), ["2", "of 2"]);
  });

  it("need no signature", async () => {
    await replace("summary", "1");
    later = 3000;
    assert.deepEqual(await told(), ["1", undefined]);
    later = 0;
    await replace("summary", "2");
    assert.deepEqual(await told(), ["2", undefined]);
    await rm(join(directory, "summary"));
    assert.deepEqual(await told(), [undefined, undefined]);
  });
});

describe("whoever got a signature", () => {
  const pair = (key: string): SummaryPair => ({ key, summary: undefined, signature: undefined });
  const [one, two] = [pair("1"), pair("2")];
  let now: number;
  let promised: PromisedPairs;

  beforeEach(() => {
    now = 0;
    promised = new PromisedPairs(() => now);
  });

  it("gets what it is of for a minute, though somebody else got a newer one at the same time", () => {
    const [first, second, third] = [newPeer(), newPeer(), newPeer("127.0.0.2")];
    promised.promise(first, one);
    promised.promise(second, two);
    assert.equal(promised.of(first, two), one);
    assert.equal(promised.of(second, two), two);
    assert.equal(promised.of(third, two), two);
    now = 59_999;
    assert.equal(promised.of(first, two), one);
    now = 60_000;
    assert.equal(promised.of(first, two), two);
  });

  it("gets it by another connection for ten seconds", () => {
    promised.promise(newPeer(), one);
    now = 9_999;
    assert.equal(promised.of(newPeer(), two), one);
    assert.equal(promised.of(newPeer("127.0.0.2"), two), two);
    now = 10_000;
    assert.equal(promised.of(newPeer(), two), two);
  });

  it("gets what his address got after it: a proxy's connections are anybody's", () => {
    const [first, second] = [newPeer(), newPeer()];
    promised.promise(first, one);
    now = 5000;
    promised.promise(second, two);
    assert.equal(promised.of(first, pair("3")), two);
  });

  it("gets it by his own connection at once, whatever another at his address has got meanwhile", () => {
    const first = newPeer();
    promised.promise(first, one);
    now = 100;
    promised.promise(newPeer(), two);
    now = 999;
    assert.equal(promised.of(first, two), one);
    now = 1000;
    assert.equal(promised.of(first, two), two);
  });

  it("has the newest instead where there are too many", () => {
    const first = newPeer();
    promised.promise(first, one);
    for (let i = 0; i < 16; i++) promised.promise(newPeer(), pair(`later ${i}`));
    assert.equal(promised.of(first, two), two);
  });
});
