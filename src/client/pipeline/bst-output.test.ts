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

    some more of it
    Printing the last 1 lines from log file:
    nowhere

    Printing the last 1 lines from log file:
    /logs of mine/harbour/bad/df5dbb8d-build.1.log
    ======================================================================
    [00:00:00] FAILURE [df5dbb8d] bad.bst: Command failed
    ======================================================================

@stillage ERROR | something is wrong |     main:core activity
    and this is it
@stillage START   | harbour/far/90a1b2c3-fetch.1.log | fetch:far.bst           
@stillage START   | harbour/near/90a1b2c4-fetch.1.log | fetch:near.bst           
@stillage FAILURE | Try #1 failed, retrying | fetch:far.bst           

    Printing the last 1 lines from log file:
    /logs of mine/harbour/far/90a1b2c3-fetch.1.log

@stillage FAILURE | Try #1 failed, retrying | fetch:near.bst           
@stillage START   | harbour/far/90a1b2c3-fetch.2.log | fetch:far.bst           
@stillage SUCCESS | harbour/near/90a1b2c4-fetch.1.log | fetch:near.bst           
@stillage FAILURE | no answer | fetch:far.bst           

    Printing the last 1 lines from log file:
    /logs of mine/harbour/far/90a1b2c3-fetch.2.log
@stillage FAILURE | Fetching something | fetch:later.bst           
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
        fetched: (element) => told.push(`fetched ${element}`),
        failed: (element) => told.push(`failed ${element}: ${output.failures.get(element)?.why}`),
      });
      const bytes = Buffer.from(printed);
      for (let i = 0; i < bytes.length; i += size) output.take(bytes.subarray(i, i + size));
      output.end();
      assert.deepEqual(told, [
        "fetched bad.bst",
        "started bad.bst /logs of mine/harbour/bad/df5dbb8d-build.1.log",
        "failed bad.bst: Command failed",
        "fetched near.bst",
        "failed far.bst: its sources could not be fetched: no answer",
        "started sub.bst:grüße.bst /logs of mine/sub/grüße/4114f0ca-build.1.log",
        "built sub.bst:grüße.bst",
      ]);
      const log = "/logs of mine/harbour/bad/df5dbb8d-build.1.log";
      assert.deepEqual(output.failures.get("bad.bst"), { why: "Command failed", log });
      assert.deepEqual([...output.failures.keys()], ["bad.bst", "far.bst", "later.bst"]);
      assert.deepEqual(output.lines.slice(-2), ["something is wrong", "    and this is it"]);
    });
  }
});
