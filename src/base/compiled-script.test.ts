import assert from "node:assert/strict";
import childProcess from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { codePath, compileScript, loadScript, runScript, sealedCode } from "./compiled-script.ts";

const source = `
const { basename } = require("node:path");
module.exports = { name: basename(__filename), twice: (n) => 2 * n, fails() { throw new Error("here"); } };
`;

interface Exports {
  readonly name: string;
  twice(n: number): number;
  fails(): never;
}

async function withScript(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stillage-script-"));
  try {
    const path = join(folder, "program.cjs");
    await writeFile(path, source);
    await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a script runs with its code, which is that of this Node, and names itself in traces", () =>
  withScript(async (path) => {
    const script = compileScript(path, undefined);
    assert.equal((runScript(script, path) as Exports).twice(2), 4);
    const code = script.createCachedData();
    assert.equal(compileScript(path, code).cachedDataRejected, false);
    assert.match(basename(codePath(path)), new RegExp(`^program\\.${process.version}-${process.arch}\\.code$`));
    await writeFile(codePath(path), sealedCode(path, code));
    const loaded = loadScript(path) as Exports;
    assert.deepEqual([loaded.name, loaded.twice(3)], ["program.cjs", 6]);
    assert.throws(
      () => loaded.fails(),
      ({ stack = "" }: Error) => stack.includes(`${path}:3:`),
    );
  }));

test("it runs without code as well, and with what is none for it", () =>
  withScript(async (path) => {
    const ofAnother = sealedCode(path, compileScript(path, undefined).createCachedData());
    // Of the same length, by which alone V8 would know it.
    await writeFile(path, source.replace("2 * n", "3 * n").replace("here", "there").replace("fails() ", "fails()"));
    for (const code of [undefined, ofAnother, ofAnother.subarray(0, 100), Buffer.alloc(0), Buffer.from("no code")]) {
      if (code !== undefined) await writeFile(codePath(path), code);
      assert.equal((loadScript(path) as Exports).twice(3), 9);
    }
  }));

test("a part of Node that is loaded when it is used has all its names, as a bundle copies them", () =>
  withScript(async (path) => {
    await writeFile(
      path,
      `const rare = require("node:child_process");
      module.exports = { names: Object.getOwnPropertyNames(rare), has: "spawn" in rare, copy: { ...rare } };`,
    );
    const { names, has, copy } = loadScript(path) as { names: string[]; has: boolean; copy: { execFile: unknown } };
    assert.deepEqual([names, has], [Object.getOwnPropertyNames(childProcess), true]);
    assert.equal(copy.execFile, childProcess.execFile);
  }));

test("traces name the columns of the first line as they are in the file", () =>
  withScript(async (path) => {
    await writeFile(path, `module.exports = () => { throw new Error("here"); };`);
    assert.throws(loadScript(path) as () => never, ({ stack = "" }: Error) => stack.includes(`${path}:1:32`));
  }));
