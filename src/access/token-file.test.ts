import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { changeTokens, readTokens } from "./token-file.ts";
import { parseTokens, showTokens, type TokenEntry } from "./token-list.ts";

let folder: string;
let path: string;
let access: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stillage-tokens-"));
  path = join(folder, "tokens");
  access = join(folder, "access.yaml");
  await writeFile(access, "", { mode: 0o644 });
});
afterEach(() => rm(folder, { recursive: true }));

const entry = (name: string): TokenEntry => ({ name, sha256: "ab".repeat(32), created: 1000, expires: undefined });

describe("a token file", () => {
  it("is empty where there is none, and then holds what it was changed to", async () => {
    assert.deepEqual(await readTokens(path), []);
    await changeTokens(path, access, (entries) => [...entries, entry("a")]);
    await changeTokens(path, access, (entries) => [...entries, entry("b")]);
    assert.deepEqual(await readTokens(path), [entry("a"), entry("b")]);
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.deepEqual(await readdir(folder), ["access.yaml", "tokens"]);
  });

  it("keeps its mode, and stays as it was where a change fails", async () => {
    await changeTokens(path, access, () => [entry("a")]);
    await chmod(path, 0o604);
    const before = await readFile(path, "utf8");
    const fails = changeTokens(path, access, () => {
      throw new Error("no");
    });
    await assert.rejects(fails);
    assert.equal(await readFile(path, "utf8"), before);
    await changeTokens(path, access, (entries) => [...entries, entry("b")]);
    assert.equal((await stat(path)).mode & 0o777, 0o604);
    assert.deepEqual(await readdir(folder), ["access.yaml", "tokens"]);
  });

  it("is changed by one at a time; what a killed command left is no obstacle for long", async () => {
    await writeFile(`${path}.new`, "");
    await assert.rejects(
      changeTokens(path, access, () => []),
      { code: "unavailable" },
    );
    await utimes(`${path}.new`, 0, 0);
    await changeTokens(path, access, () => [entry("a")]);
    assert.deepEqual(await readTokens(path), [entry("a")]);
  });

  it("with a line that is none of ours is refused, naming the line", () => {
    const good = `a sha256:${"0".repeat(64)} 2026-01-01T00:00:00Z never\n`;
    for (const bad of [
      "a",
      good.replace("never", "later"),
      good.replace("sha256:0", "sha256:x"),
      good.replace("a ", "-a "),
      good.replace("2026-01-01T00:00:00Z", "once"),
      good,
    ]) {
      assert.throws(() => parseTokens(`# comment\n\n${good}${bad}`, "F"), { message: /^F:4: / }, bad);
    }
  });

  it("says the same when it is read again", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@/-]{0,20}$/);
    const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
    const one = fc.record(
      {
        name,
        sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
        created: time,
        expires: fc.option(time, { nil: undefined }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: (each) => each.name }), (entries) => {
        assert.deepEqual(parseTokens(showTokens(entries), "F"), entries);
      }),
    );
  });
});
