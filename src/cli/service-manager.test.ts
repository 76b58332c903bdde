import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../base/log.ts";
import { openServiceManager, watchdogMs, wordsOf } from "./service-manager.ts";

test("nobody is told where nobody asks", () => {
  for (const environment of [{}, { NOTIFY_SOCKET: "" }]) {
    assert.equal(openServiceManager(environment, 1, silentLog), undefined);
  }
});

test("signs of life are for the process that they are asked of", () => {
  assert.equal(watchdogMs({ WATCHDOG_USEC: "60000000" }, 7), 60_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "7" }, 7), 60_000);
  const none = [{}, { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "8" }, { WATCHDOG_USEC: "0" }, { WATCHDOG_USEC: "-5" }];
  for (const environment of none) assert.equal(watchdogMs(environment, 7), undefined);
});

test("no value begins another assignment", () => {
  assert.deepEqual(wordsOf({ READY: "1", STATUS: "opens /a\nMAINPID=1" }), ["READY=1", "STATUS=opens /a MAINPID=1"]);
});

test("where the program that tells is not there, that is said once", async () => {
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warned.push(message) };
  const manager = openServiceManager({ NOTIFY_SOCKET: "/nowhere", PATH: "/nowhere" }, 1, log);
  manager?.tell({ READY: "1" });
  manager?.tell({ WATCHDOG: "1" });
  await manager?.settled();
  assert.deepEqual(warned, ["the service manager is told nothing: systemd-notify cannot be run"]);
});
