import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary, Variant } from "../base/gvariant/value.ts";
import { ByteSource } from "../base/tar/byte-source.ts";
import { encodePushMessage, type PushMessage, readPushMessage } from "./push-message.ts";

const vectors = join(import.meta.dirname, "../../test/fixtures/ostree/push-v1.json");

/** A message of a recorded conversation: its bytes, and what the old programs take it for. */
interface Recorded {
  readonly command?: PushMessage["type"];
  readonly hex: string;
  readonly args: Readonly<Record<string, { readonly t: string; readonly v: unknown }>>;
}

const recorded = Object.entries(JSON.parse(readFileSync(vectors, "utf8")) as Record<string, Recorded[]>).flatMap(
  ([stream, messages]) => messages.filter(({ command }) => command !== undefined).map((each) => ({ ...each, stream })),
);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = (bytes: Uint8Array, size = 7) => readPushMessage(new ByteSource(inPieces(bytes, size)));

describe("a message of BuildStream 1.0's pushes", () => {
  test("that its programs have sent is read as what it is, and written as it was", async () => {
    assert.ok(recorded.length >= 9);
    for (const { stream, command, hex, args } of recorded) {
      const bytes = Buffer.from(hex, "hex");
      const message = await read(bytes);
      assert.equal(message?.type, command, stream);
      const shown = Object.fromEntries(
        message?.args.map(([name, { type, value }]) => [name, { t: type, v: value }]) ?? [],
      );
      assert.deepEqual(Object.keys(shown), Object.keys(args));
      for (const [name, { t, v }] of Object.entries(args)) {
        assert.equal(shown[name]?.t, t);
        if (typeof v !== "object") assert.equal(shown[name]?.v, v);
      }
      assert.ok(Buffer.from(encodePushMessage(message as PushMessage)).equals(bytes), stream);
    }
  });

  test("comes in either byte order, however its bytes come", async () => {
    const variant: fc.Arbitrary<Variant> = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "é", "日") }).map((value) => ({ type: "s", value })),
      fc.integer().map((value) => ({ type: "i", value: value | 0 })),
      fc.boolean().map((value) => ({ type: "b", value })),
    );
    const dictionary = fc.array(fc.tuple(fc.string({ unit: fc.constantFrom("a", "b", "/") }), variant));
    await fc.assert(
      fc.asyncProperty(dictionary, fc.boolean(), fc.integer({ min: 1, max: 50 }), async (args, bigEndian, size) => {
        const body = encode("a{sv}", args, { bigEndian });
        const header = Buffer.from([bigEndian ? 0x42 : 0x6c, 1, 3, 0, 0]);
        if (bigEndian) header.writeUInt16BE(body.length, 3);
        else header.writeUInt16LE(body.length, 3);
        assert.deepEqual(await read(Buffer.concat([header, body]), size), { type: "status", args });
      }),
    );
  });

  test("that is none, or another version's, is refused", async () => {
    for (const [bytes, code] of [
      [Buffer.from("Welcome to this machine\n"), "invalid"],
      [Buffer.from([0x6c, 0, 0, 0, 0]), "invalid"],
      [Buffer.from([0x6c, 2, 0, 0, 0]), "invalid"],
      [Buffer.from([0x6c, 1, 5, 0, 0]), "invalid"],
      [Buffer.from([0x6c, 1, 0, 3, 0, 1, 2, 3]), "invalid"],
      [Buffer.from([0x6c, 1, 0]), "failed-precondition"],
      [Buffer.from([0x6c, 1, 0, 3, 0]), "failed-precondition"],
      [Buffer.from([0x6c, 1, 0, 3, 0, 1, 2]), "failed-precondition"],
    ] as const) {
      await assert.rejects(read(bytes), { code }, bytes.toString("hex"));
    }
    assert.equal(await read(new Uint8Array(0)), undefined);
    const long: Dictionary = [["a", { type: "s", value: "x".repeat(65_536) }]];
    assert.throws(() => encodePushMessage({ type: "status", args: long }), { code: "invalid" });
  });
});
