import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog } from "../base/log.ts";
import { AccessFile } from "./access-file.ts";
import { AccessLog, type AccessRecord } from "./access-log.ts";

test("each line is JSON that says what happened, whatever clients call things", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stillage-access-log-"));
  try {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }),
      fc.constant('"\\\n\u2028\x7f'),
    );
    const number = fc.nat();
    const belongs = fc.record({ tool: text, action: text, invocation: text, correlated: text });
    const record = fc.record<AccessRecord>({
      id: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
      who: text,
      peer: text,
      call: text,
      instance: text,
      what: text,
      status: fc.constantFrom("OK", "NOT_FOUND", "200"),
      in: number,
      out: number,
      ms: number,
      metadata: fc.option(belongs, { nil: undefined }),
    });
    const records = fc.sample(record, 300);
    const file = join(folder, "log");
    let now = Date.UTC(2026, 0, 1);
    const to = await AccessFile.open(file, Date.now, silentLog);
    const log = new AccessLog(to, () => now++);
    for (const each of records) log.write(each);
    await to.close();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      records.map(({ metadata = {}, ...rest }, i) => ({
        time: new Date(Date.UTC(2026, 0, 1) + i).toISOString(),
        ...rest,
        ...Object.fromEntries(Object.entries(metadata).filter(([, said]) => said !== "")),
      })),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("what is long is cut", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stillage-access-log-"));
  try {
    const file = join(folder, "log");
    const to = await AccessFile.open(file, Date.now, silentLog);
    const log = new AccessLog(to, Date.now);
    const base = { id: "i", who: "a", peer: "b", call: "c", instance: "", status: "OK", in: 0, out: 0, ms: 1.23456 };
    log.write({ ...base, what: "x".repeat(10_000) });
    await to.close();
    const { what, ms } = JSON.parse(await readFile(file, "utf8"));
    assert.deepEqual([what, ms], [`${"x".repeat(500)}…`, 1.235]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
