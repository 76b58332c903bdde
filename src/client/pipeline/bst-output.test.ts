import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BstOutput } from "./bst-output.ts";

/** As BuildStream 2.8.1 prints it. */
const printed = `
    Log Files:               /logs of mine
===============================================================================
@stillage START   | harbour/bad/df5dbb8d-fetch.1.log | fetch:bad.bst           
@stillage SUCCESS | harbour/bad/df5dbb8d-fetch.1.log | fetch:bad.bst           
@stillage START   | harbour/bad/df5dbb8d-build.1.log | build:bad.bst           
@stillage START   | Running commands | build:bad.bst           
    echo "@stillage SUCCESS | x.log | build:bad.bst"
@stillage FAILURE | Running commands | build:bad.bst           
@stillage SUCCESS | Caching artifact | build:bad.bst           
@stillage FAILURE | Command failed | build:bad.bst           
    Printing the last 5 lines from log file:
@stillage START   | sub/grüße/4114f0ca-build.1.log | build:sub.bst:grüße.bst
@stillage SUCCESS | sub/grüße/4114f0ca-build.1.log | build:sub.bst:grüße.bst
@stillage FAILURE | Build |  main:core activity 
`;

describe("BstOutput", () => {
  for (const size of [1, 7, 10_000]) {
    it(`tells what jobs do, ${size} bytes at a time`, () => {
      const told: string[] = [];
      const output = new BstOutput({
        started: (element, log) => told.push(`started ${element} ${log}`),
        built: (element) => told.push(`built ${element}`),
      });
      const bytes = Buffer.from(printed);
      for (let i = 0; i < bytes.length; i += size) output.take(bytes.subarray(i, i + size));
      output.end();
      assert.deepEqual(told, [
        "started bad.bst /logs of mine/harbour/bad/df5dbb8d-build.1.log",
        "started sub.bst:grüße.bst /logs of mine/sub/grüße/4114f0ca-build.1.log",
        "built sub.bst:grüße.bst",
      ]);
      const log = "/logs of mine/harbour/bad/df5dbb8d-build.1.log";
      assert.deepEqual([...output.failures], [["bad.bst", { why: "Command failed", log }]]);
    });
  }
});
