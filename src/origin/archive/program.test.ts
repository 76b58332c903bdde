import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { throughProgram } from "./program.ts";

const forever = new AbortController().signal;
const through = (program: string, args: readonly string[], source: AsyncIterable<Uint8Array>, signal = forever) =>
  throughProgram(program, args, source, signal);

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
    assert.equal(await lengthOf(through("cat", [], pieces(50))), 5_000_000);
  });

  it("that is not there is said to be missing", async () => {
    await assert.rejects(lengthOf(through("no-such-program", [], pieces(50))), {
      code: "failed-precondition",
      message: /no-such-program, which reads such archives, is not on the server/,
    });
  });

  it("that fails says why, whether or not it has read everything", async () => {
    const failing = ["-c", "echo why >&2; exit 3"];
    await assert.rejects(lengthOf(through("sh", failing, pieces(50))), { message: /cannot be taken: why/ });
    const late = ["-c", "cat >/dev/null; exit 3"];
    await assert.rejects(lengthOf(through("sh", late, pieces(50))), { message: /sh fails/ });
  });

  it("whose input breaks off has broken off, too", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begun");
      throw new Error("the disk is gone");
    };
    await assert.rejects(lengthOf(through("cat", [], broken())), /the disk is gone/);
  });

  it("is ended where nobody wants more of it", async () => {
    const before = process.getActiveResourcesInfo().filter((each) => each === "ProcessWrap").length;
    for await (const chunk of through("yes", [], pieces(0))) {
      assert.ok(chunk.length > 0);
      break;
    }
    while (process.getActiveResourcesInfo().filter((each) => each === "ProcessWrap").length > before) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("is ended on the signal, also where nothing comes of it", async () => {
    const leaving = new AbortController();
    const reading = lengthOf(through("sleep", ["1000000"], pieces(0), leaving.signal));
    setImmediate(() => leaving.abort(new StillageError("deadline", "late")));
    await assert.rejects(reading, { code: "deadline" });
  });

  it("for whose pipes there are no files is not there just now", () => {
    const script = `
      import { openSync } from "node:fs";
      import { throughProgram } from ${JSON.stringify(new URL("./program.ts", import.meta.url).href)};
      try { for (;;) openSync("/dev/null"); } catch {}
      try {
        for await (const _ of throughProgram("cat", [], (async function* () {})(), new AbortController().signal));
      } catch ({ code }) {
        process.stdout.write(code);
      }`;
    const limited = `ulimit -n 100; exec "$0" --input-type=module -e "$1"`;
    assert.equal(execFileSync("sh", ["-c", limited, process.execPath, script]).toString(), "unavailable");
  });

  it("gets nothing of the environment but the path", async () => {
    process.env.XZ_DEFAULTS = "-v";
    let text = "";
    for await (const chunk of through("env", [], pieces(0))) text += Buffer.from(chunk).toString();
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
