import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInGroup } from "./process-group.ts";

const never = new AbortController().signal;

describe("runInGroup", () => {
  it("gives what a program prints and how it ends", async () => {
    const printed = { stdout: "", stderr: "" };
    const words = ["-c", 'echo "$1"; echo wrong >&2; exit 3', "sh", "a b"];
    const end = await runInGroup("/bin/sh", words, { directory: "/", signal: never }, (stream, bytes) => {
      printed[stream] += bytes.toString();
    });
    assert.deepEqual(end, { status: 3, signal: undefined, stopped: false });
    assert.deepEqual(printed, { stdout: "a b\n", stderr: "wrong\n" });
  });

  it("says of a program that is not there what a shell says", async () => {
    const { status } = await runInGroup("no-such-program", [], { directory: "/", signal: never }, () => {});
    assert.equal(status, 127);
  });

  // Its output stays open as long as anything of it runs, so it ends only if all is ended.
  for (const [what, script, end] of [
    ["gently", "trap 'exit 7' INT; echo up; while :; do sleep 0.05; done", { status: 7, signal: undefined }],
    ["hard", "trap '' INT TERM; sleep 600 & echo up; wait", { status: undefined, signal: "SIGKILL" }],
  ] as const) {
    it(`ends a program and all that it has started, ${what}`, async () => {
      const stop = new AbortController();
      const options = { directory: "/", signal: stop.signal, graceMs: what === "hard" ? 10 : 60_000 };
      const ended = await runInGroup("/bin/sh", ["-c", script], options, () => stop.abort());
      assert.deepEqual(ended, { ...end, stopped: true });
    });
  }
});
