import assert from "node:assert/strict";
import { test } from "node:test";
import { importProblems } from "./imports.ts";

const fine: [file: string, text: string][] = [
  ["src/store/disk/pack.ts", 'import { a } from "../../base/bytes.ts";'],
  ["src/store/disk/pack.ts", 'import { join } from "node:path";\nimport { z } from "zod";'],
  ["src/config/load.ts", 'import type { ServerOptions } from "../server/app.ts";'],
  ["src/server/grpc/cas.ts", 'import { readBatch } from "./cas-batch-read.ts";'],
  ["src/server/grpc/cas-batch-read.ts", 'import type { CasOptions } from "./cas.ts";'],
  ["src/server/grpc/cas.test.ts", 'import { callUnary } from "./calling.fixture.ts";'],
  ["src/cli/version.ts", 'import manifest from "../../package.json" with { type: "json" };'],
  ["src/main.ts", 'import { runStillage } from "./cli/stillage.ts";'],
  ["test/fault/refs.test.ts", 'import { systemClock } from "../../src/base/clock.ts";'],
  ["test/support/checkout.ts", 'export const checkout = join(here, "../..");'],
];

const wrong: [file: string, text: string, problem: RegExp][] = [
  ["src/base/x.ts", 'import { a } from "../store/blob-store.ts";', /base imports store .*may import nothing/],
  ["src/http2/x.ts", 'import {\n  a,\n  b,\n} from "../rpc/server.ts";', /http2 imports rpc/],
  ["src/store/x.ts", 'import type { Tenant } from "../cache/tenant.ts";', /store imports cache/],
  ["src/server/x.ts", 'import { a } from "../client/remote.ts";', /server imports client/],
  ["src/client/x.ts", 'const a = await import("../server/app.ts");', /client imports server/],
  ["src/config/load.ts", 'import { type ServerOptions } from "../server/app.ts";', /config imports server/],
  ["src/cache/x.ts", 'export { a } from "../server/app.ts";', /cache imports server/],
  ["src/attic/x.ts", 'import "../base/bytes.ts";', /the room attic/],
  ["src/base/x.ts", 'import { a } from "../../test/support/a.ts";', /is not in src/],
  ["src/base/x.ts", 'import { a } from "./bytes";', /does not end in .ts/],
  ["src/base/x.ts", 'import { a } from "./bytes.js";', /does not end in .ts/],
  ["src/server/grpc/cas.ts", 'import { a } from "./byte-stream.ts";', /another door/],
  ["src/server/grpc/cas.test.ts", 'import { a } from "./casual.ts";', /another door/],
  ["src/server/grpc/cas.ts", 'import { a } from "./calling.fixture.ts";', /another door/],
];

for (const [file, text] of fine) {
  test(`${file} may say: ${text}`, () => assert.deepEqual(importProblems(file, text), []));
}

for (const [file, text, problem] of wrong) {
  test(`${file} may not say: ${text}`, () => {
    const problems = importProblems(file, text);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", problem);
  });
}
