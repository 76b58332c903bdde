import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { throughProgram } from "./program.ts";

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(100_000, i);
}

async function lengthOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return length;
}

describe("a program", () => {
  it("takes everything and gives what it makes of it", async () => {
    assert.equal(await lengthOf(throughProgram("cat", [], pieces(50))), 5_000_000);
  });

  it("that is not there is said to be missing", async () => {
    await assert.rejects(lengthOf(throughProgram("no-such-program", [], pieces(50))), {
      code: "failed-precondition",
      message: /no-such-program, which reads such archives, is not on the server/,
    });
  });

  it("that fails says why, whether or not it has read everything", async () => {
    const failing = ["-c", "echo why >&2; exit 3"];
    await assert.rejects(lengthOf(throughProgram("sh", failing, pieces(50))), { message: /cannot be taken: why/ });
    const late = ["-c", "cat >/dev/null; exit 3"];
    await assert.rejects(lengthOf(throughProgram("sh", late, pieces(50))), { message: /sh fails/ });
  });

  it("whose input breaks off has broken off, too", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begun");
      throw new Error("the disk is gone");
    };
    await assert.rejects(lengthOf(throughProgram("cat", [], broken())), /the disk is gone/);
  });

  it("is ended where nobody wants more of it", async () => {
    const before = process.getActiveResourcesInfo().filter((each) => each === "ProcessWrap").length;
    for await (const chunk of throughProgram("yes", [], pieces(0))) {
      assert.ok(chunk.length > 0);
      break;
    }
    while (process.getActiveResourcesInfo().filter((each) => each === "ProcessWrap").length > before) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("gets nothing of the environment but the path", async () => {
    process.env.XZ_DEFAULTS = "-v";
    let text = "";
    for await (const chunk of throughProgram("env", [], pieces(0))) text += Buffer.from(chunk).toString();
    delete process.env.XZ_DEFAULTS;
    assert.deepEqual(
      text
        .trim()
        .split("\n")
        .map((line) => line.replace(/=.*/, ""))
        .sort(),
      ["LC_ALL", "PATH"],
    );
  });
});
