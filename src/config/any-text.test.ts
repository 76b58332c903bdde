import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { address } from "./address.ts";
import { bad, type Check } from "./check.ts";
import { checked } from "./checking.fixture.ts";
import { instanceName } from "./instance-name.ts";
import { listener, specKeys } from "./listener.ts";

/** Text from anywhere, and text made of what the parsers look for. */
const pieces = [...Object.keys(specKeys), "unix:", "[::1]", "127.0.0.1", "host", "0", "99999", "true", "blobs"];
const marks = ["=", ",", ":", "/", "[", "]", "%", ".", " ", "\0", "船", "\ud800"];
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.array(fc.constantFrom(...pieces, ...marks), { maxLength: 20 }).map((parts) => parts.join("")),
);

for (const [name, check] of Object.entries({ address, instanceName, listener }) as [string, Check<unknown>][]) {
  test(`${name} takes any text, and either has a value for it or says what is wrong`, () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const outcome = checked(check, text);
        if ("value" in outcome) assert.notEqual(outcome.value, bad);
        else {
          assert.ok(outcome.findings.length > 0);
          for (const { message } of outcome.findings) assert.ok(message.length > 0 && message.length < 1000, message);
        }
      }),
      { numRuns: 1000 },
    );
  });
}
