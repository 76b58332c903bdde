import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { character } from "../base/gvariant/arbitrary.fixture.ts";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import { decodeSummary, encodeSummary, findRef, type SummaryRef } from "./summary.ts";
import { expiry, lastModified, refMetadata, repositoryMetadata } from "./summary-metadata.ts";
import { hex, tinyAnswers, tinyRepository } from "./vectors.fixture.ts";

const type = "(a(s(taya{sv}))a{sv})";
const real = tinyRepository().get("summary") ?? new Uint8Array();

test("a real summary is read, and written as it was", () => {
  assert.equal(hex(real), tinyAnswers.summary_hex);
  const summary = decodeSummary(real);
  assert.deepEqual(Object.fromEntries(summary.refs.map(({ name, commit }) => [name, commit])), tinyAnswers.commits);
  assert.deepEqual(
    summary.refs.map(({ commitBytes }) => commitBytes),
    [86, 110, 246, 292],
  );
  assert.equal(lastModified(summary.metadata), 1795226028);
  assert.equal(hex(encodeSummary(summary)), tinyAnswers.summary_hex);
});

test("the metadata of refs and repositories is written as ostree writes it", () => {
  const { refs, metadata } = decodeSummary(real);
  assert.deepEqual(refMetadata(1577934999, "1.2.3"), refs[2]?.metadata);
  assert.deepEqual(refMetadata(1577934245), refs[1]?.metadata);
  const about = repositoryMetadata({ lastModified: 1795226028 });
  assert.deepEqual(
    about,
    metadata.filter(([key]) => key !== "ostree.static-deltas"),
  );
  assert.equal(expiry(about), undefined);
  const whole = repositoryMetadata({ lastModified: 1, expires: 2, tombstones: true, collection: "org.example" });
  assert.deepEqual([lastModified(whole), expiry(whole), whole.length], [1, 2, 6]);
});

const sum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex);
const metadata: fc.Arbitrary<Dictionary> = fc
  .array(
    fc.tuple(
      fc.string({ unit: "grapheme-ascii", maxLength: 9 }),
      fc.string({ maxLength: 9 }).map((value) => ({ type: "ay", value: Buffer.from(value) })),
    ),
    { maxLength: 3 },
  )
  .map((entries) => entries.map(([key, { type, value }]) => [key, { type, value: Uint8Array.from(value) }] as const));
const name = fc.string({ unit: character, maxLength: 30 });
const refs = fc.uniqueArray(
  fc.tuple(name, sum, fc.nat(1_000_000), metadata).map(([name, commit, commitBytes, metadata]): SummaryRef => {
    return { name, commit, commitBytes, metadata };
  }),
  { selector: ({ name }) => name, maxLength: 40 },
);

test("what is written is sorted by bytes and has one form, and every ref is found", () => {
  fc.assert(
    fc.property(refs, metadata, (unsorted, about) => {
      const bytes = encodeSummary({ refs: unsorted, metadata: about });
      const summary = decodeSummary(bytes);
      assert.deepEqual(
        summary.refs.map(({ name }) => name),
        unsorted.map(({ name }) => name).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      assert.equal(hex(encode(type, decode(type, bytes))), hex(bytes));
      assert.deepEqual(summary.metadata, about);
      for (const ref of unsorted) assert.deepEqual(findRef(summary, ref.name), ref);
      assert.equal(findRef(summary, "no/such\u{10ffff}"), undefined);
    }),
  );
});

const commit = "00".repeat(32);
const entry = (name: string, bytes = new Uint8Array(32), size = 1n) => [name, [size, bytes, []]];

const bad: Record<string, Uint8Array> = {
  "no bytes": new Uint8Array(),
  "refs that are not in order": encode(type, [[entry("b"), entry("a")], []]),
  "a ref twice": encode(type, [[entry("a"), entry("a")], []]),
  "refs in the order of JavaScript": encode(type, [[entry("\u{1d4b3}"), entry("\uffee")], []]),
  "a checksum of 31 bytes": encode(type, [[entry("a", new Uint8Array(31))], []]),
  "a commit that is too large": encode(type, [[entry("a", new Uint8Array(32), 1n << 40n)], []]),
  "a cut one": real.subarray(0, -1),
  "one with a byte behind it": Uint8Array.from([...real, 0]),
  "one that is too large": new Uint8Array(10 * 1024 * 1024 + 1),
};

for (const [what, bytes] of Object.entries(bad)) {
  test(`refuses ${what}`, () => assert.throws(() => decodeSummary(bytes), { code: "invalid" }));
}

test("a summary is not written with a ref twice, nor larger than clients read", () => {
  const ref = (name: string): SummaryRef => ({ name, commit, commitBytes: 1, metadata: [] });
  assert.throws(() => encodeSummary({ refs: [ref("a"), ref("a")], metadata: [] }), { code: "invalid" });
  const long = Array.from({ length: 12 }, (_, i) => ref(`${i}-${"x".repeat(1_000_000)}`));
  assert.throws(() => encodeSummary({ refs: long, metadata: [] }), { code: "exhausted", message: /12 refs/ });
});
