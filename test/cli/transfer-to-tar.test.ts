import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { programFile } from "../support/program-file.ts";
import { fillCache } from "./support/cache-with-artifacts.ts";
import { type Folder, newFolder } from "./support/folder.ts";
import { run } from "./support/programs.ts";

const key = "a".repeat(64);
const preload = `--import=${join(import.meta.dirname, "support/odd-sync.ts")}`;

describe("what goes to a tar file", () => {
  let folder: Folder;
  const mirror = ["mirror", "cache", "x.tar", "--json"];
  const env = (sync: string) => ({ HOME: folder.path, NODE_OPTIONS: preload, ODD_SYNC: sync });
  before(async () => {
    folder = await newFolder();
    await fillCache(join(folder.path, "cache"), [{ name: "os/app", key, files: { tool: "tool" } }]);
  });
  after(() => folder[Symbol.asyncDispose]());

  const eventsIn = (stdout: string): Record<string, unknown>[] =>
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));

  test("has failed where the file cannot be written, and the end comes last", async () => {
    const { status, stdout } = await run("stillage", mirror, { cwd: folder.path, env: env("full") });
    const events = eventsIn(stdout).filter(({ event }) => event !== "progress");
    assert.deepEqual(
      events.map(({ event, result }) => [event, result]),
      [
        ["artifact", "failed"],
        ["end", undefined],
      ],
    );
    for (const { error } of events) assert.equal((error as { code: string } | undefined)?.code, "exhausted");
    assert.deepEqual([status, readdirSync(folder.path)], [1, ["cache"]]);
  });

  test("is not told of where it was not written, and a second signal takes away what was half written", async () => {
    const words = [programFile("stillage"), ...mirror];
    const child = spawn(process.execPath, words, {
      cwd: folder.path,
      env: { ...process.env, ...env("hung") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(child, "close");
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    while (child.exitCode === null && !readdirSync(folder.path).some((name) => name.endsWith(".part"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGINT");
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [1, null]);
    assert.match(await stderr, /what has come is being written to .*x\.tar\n.*stopped at once: .*tar file/);
    assert.ok(eventsIn(await stdout).every(({ event }) => event === "progress"));
    assert.deepEqual(readdirSync(folder.path), ["cache"]);
  });
});
