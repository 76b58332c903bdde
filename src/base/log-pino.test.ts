import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { StillageError } from "./errors.ts";
import { type LogOptions, openLog } from "./log-pino.ts";

/** What a log has written at the moment when `use` returns. */
function written(options: Omit<LogOptions, "fd">, use: (log: ReturnType<typeof openLog>) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "stillage-log-"));
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  try {
    use(openLog({ ...options, fd }));
    return readFileSync(path, "utf8");
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

test("each message is a JSON line with the level as a word and the time as ISO 8601, there at once", () => {
  const error = new StillageError("corrupt", "bad blob", { cause: new Error("underneath") });
  const lines = written({ level: "info", format: "json" }, (log) => {
    log.debug({}, "not shown");
    log.info({ listeners: [{ address: "127.0.0.1:1" }] }, "ready");
    log.error({ err: error }, "failed");
  });
  const [ready, failed, ...more] = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(more, []);
  assert.equal(new Date(ready.time).toISOString(), ready.time);
  assert.deepEqual(
    { ...ready, time: "" },
    { level: "info", time: "", msg: "ready", listeners: [{ address: "127.0.0.1:1" }] },
  );
  assert.equal(failed.level, "error");
  assert.match(failed.err.stack, /bad blob[\s\S]*underneath/);
});

test("or a line for people", () => {
  const text = written({ level: "warn", format: "text" }, (log) => {
    log.info({}, "not shown");
    log.warn({ blob: "abc/3" }, "slow");
  });
  assert.match(text, /^\d\d:\d\d:\d\d warn {2}slow {2}blob=abc\/3\n$/);
});
