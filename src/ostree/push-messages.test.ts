import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../base/gvariant/gvariant.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import { bytesOfHex, filesOfTar, hex, readJson } from "./vectors.fixture.ts";

interface Message {
  readonly at: number;
  readonly command?: string;
  readonly hex?: string;
  readonly args?: Readonly<Record<string, { readonly t: string; readonly v: unknown }>>;
}

const conversations = readJson<Readonly<Record<string, readonly Message[]>>>("push-v1.json");
const recorded = filesOfTar("push-v1.tar.gz");

/** The header of a message: its byte order, its version, its type, the length of what follows. */
const headerBytes = 5;

test("what BuildStream 1.0 says and hears when it pushes is read, and written as it was", () => {
  let count = 0;
  for (const [name, messages] of Object.entries(conversations)) {
    const bytes = recorded.get(`${name}.bin`);
    assert.ok(bytes !== undefined);
    for (const { at, hex: text = "", args = {} } of messages.filter(({ command }) => command !== undefined)) {
      const message = bytesOfHex(text);
      assert.equal(hex(bytes.subarray(at, at + message.length)), text);
      const body = message.subarray(headerBytes);
      assert.equal(new DataView(message.buffer).getUint16(3, true), body.length);
      const said = decode("a{sv}", body) as Dictionary;
      assert.deepEqual(
        said,
        Object.entries(args).map(([key, { t, v }]) => [key, { type: t, value: v }]),
      );
      assert.equal(hex(encode("a{sv}", said)), hex(body));
      assert.deepEqual(decode("a{sv}", encode("a{sv}", said, { bigEndian: true }), { bigEndian: true }), said);
      count++;
    }
  }
  assert.equal(count, 10);
});
