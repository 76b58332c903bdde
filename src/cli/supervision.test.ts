import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { silentLog } from "../base/log.ts";
import type { Notice, ServiceManager } from "./service-manager.ts";
import { Supervision, statusOf } from "./supervision.ts";

const listeners = [
  { address: "0.0.0.0:11001", push: false, tls: false, clientCertificates: false },
  { address: "0.0.0.0:11002", push: true, tls: true, clientCertificates: true },
];

class Recorder implements ServiceManager {
  readonly told: Notice[] = [];
  readonly watchdogMs = 30;
  tell(notice: Notice): void {
    this.told.push(notice);
  }
  async settled(): Promise<void> {}
}

/** Lets what waits for promises alone go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a status says where and how full", () => {
  const usage = () => ({ blobs: 1, bytes: 1_500_000, live: 1_500_000, dead: 0, others: 0, quota: 10e9 });
  const places = "serves on 0.0.0.0:11001 (pull), 0.0.0.0:11002 (pull and push)";
  assert.equal(statusOf({ listeners }), places);
  assert.equal(statusOf({ listeners, usage }), `${places}; 1.5 MB of 10 GB`);
});

test("a start that takes long asks for more time until it is over", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const manager = new Recorder();
  using supervision = new Supervision(manager, "/store", silentLog);
  assert.deepEqual(manager.told, [{ EXTEND_TIMEOUT_USEC: "600000000", STATUS: "opens /store" }]);
  mock.timers.tick(400_000);
  assert.equal(manager.told.filter((each) => "EXTEND_TIMEOUT_USEC" in each).length, 3);
  supervision.ready({ listeners: [] });
  mock.timers.tick(20);
  assert.equal(manager.told.filter((each) => "EXTEND_TIMEOUT_USEC" in each).length, 3);
  mock.timers.reset();
});

test("signs of life come while the store answers, and while the server stops", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const manager = new Recorder();
  const signs = (): number => manager.told.filter((each) => each.WATCHDOG === "1").length;
  const failures: object[] = [];
  const log = { ...silentLog, error: (fields: object) => void failures.push(fields) };
  using supervision = new Supervision(manager, "/store", log);
  let answer = Promise.withResolvers<void>();
  supervision.ready({ listeners, answers: () => answer.promise });
  const tick = async (): Promise<number> => {
    mock.timers.tick(10);
    await turn();
    return signs();
  };
  assert.equal(await tick(), 0);
  assert.equal(await tick(), 0, "a sign is given while the store hangs");
  answer.resolve();
  await turn();
  assert.equal(signs(), 1);
  assert.equal(await tick(), 2);
  answer = Promise.withResolvers();
  answer.reject(new Error("the disk is broken"));
  assert.equal(await tick(), 2, "a sign is given while the store fails");
  assert.equal(failures.length, 1);
  supervision.stop(1000);
  assert.equal(await tick(), 3);
  mock.timers.reset();
});

test("a reload is between its beginning and its end, and a stop has the time of calls", async () => {
  const manager = new Recorder();
  using supervision = new Supervision(manager, "/store", silentLog);
  let during: readonly Notice[] = [];
  await supervision.reload({ listeners }, async () => {
    during = manager.told.slice(1);
  });
  assert.deepEqual(
    during.map((each) => each.RELOADING),
    ["1"],
  );
  assert.match(during[0]?.MONOTONIC_USEC ?? "", /^\d+$/);
  assert.equal(manager.told.at(-1)?.READY, "1");
  supervision.stop(30_000);
  const last = manager.told.at(-1);
  assert.deepEqual([last?.STOPPING, last?.EXTEND_TIMEOUT_USEC], ["1", "90000000"]);
});
