import assert from "node:assert/strict";
import { test } from "node:test";
import { workerUrl } from "./worker.ts";

test("a worker is the source beside a source, and the script beside a bundle", () => {
  const from = (url: string): string => workerUrl("./ref-writer.worker.ts", url).href;
  assert.equal(from("file:///src/store/sqlite/ref-writer.ts"), "file:///src/store/sqlite/ref-writer.worker.ts");
  assert.equal(from("file:///dist/stillage.js"), "file:///dist/ref-writer.worker.js");
});
