import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Broken, Quarantine } from "./quarantine.ts";

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), "stillage-quarantine-"));
});
afterEach(() => rmSync(store, { recursive: true }));

const broken: Broken = { instance: "", digest: undefined, file: "a", offset: 0, reason: "does not verify" };
const held = (): string[] => readdirSync(join(store, "quarantine")).filter((name) => name.endsWith(".bytes"));
const bytesHeld = (): number => held().reduce((sum, name) => sum + statSync(join(store, "quarantine", name)).size, 0);

describe("the quarantine", () => {
  it("never holds more bytes than it may, also those of an earlier process, and keeps the newest", async () => {
    let now = 1e12;
    const earlier = new Quarantine(store, () => now, 10_000);
    for (let i = 0; i < 9; i++) await earlier.keepBytes(broken, Buffer.alloc(1000, i));
    now += 1000;
    const quarantine = new Quarantine(store, () => now, 10_000);
    await Promise.all(Array.from({ length: 5 }, (_, i) => quarantine.keepBytes(broken, Buffer.alloc(1000, 100 + i))));
    assert.ok(bytesHeld() <= 10_000 && bytesHeld() >= 6000, `${bytesHeld()} bytes`);
    const kept = held().map((name) => readFileSync(join(store, "quarantine", name))[0] as number);
    for (let i = 100; i < 105; i++) assert.ok(kept.includes(i));
    const described = readdirSync(join(store, "quarantine")).filter((name) => name.endsWith(".json"));
    assert.equal(described.length, kept.length, "each entry goes as a whole");
  });

  it("says of a file that is larger than all that it may hold what it was, and keeps the others", async () => {
    const quarantine = new Quarantine(store, () => 1e12, 10_000);
    await quarantine.keepBytes(broken, Buffer.alloc(1000));
    const file = join(store, "large");
    writeFileSync(file, Buffer.alloc(20_000));
    await quarantine.keepFile(broken, file);
    assert.ok(existsSync(file));
    await quarantine.takeFile(broken, file);
    assert.ok(!existsSync(file), "nobody is served it");
    assert.equal(bytesHeld(), 1000);
    const told = readdirSync(join(store, "quarantine")).filter((name) => name.endsWith(".json"));
    assert.equal(told.length, 3);
    assert.match(readFileSync(join(store, "quarantine", told.sort().at(-1) as string), "utf8"), /20000 bytes are more/);
  });
});
