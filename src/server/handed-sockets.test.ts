import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../base/log.ts";
import { takeHandedSockets, withSockets } from "./handed-sockets.ts";
import type { ListenerConfig } from "./listener.ts";

const taken = (environment: NodeJS.ProcessEnv): object => Object.fromEntries(takeHandedSockets(environment, 7));
const listener = (address: string): ListenerConfig => ({ address, push: true, tls: undefined });

test("sockets are those of this process, by name", () => {
  const cases: readonly (readonly [NodeJS.ProcessEnv, object])[] = [
    [{}, {}],
    [
      { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "pull:push" },
      { pull: [3], push: [4] },
    ],
    [
      { LISTEN_PID: "7", LISTEN_FDS: "3", LISTEN_FDNAMES: "pull:push:pull" },
      { pull: [3, 5], push: [4] },
    ],
    [{ LISTEN_PID: "7", LISTEN_FDS: "2" }, { unknown: [3, 4] }],
    [
      { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "a" },
      { a: [3], unknown: [4] },
    ],
    [{ LISTEN_PID: "8", LISTEN_FDS: "1" }, {}],
    [{ LISTEN_FDS: "1" }, {}],
    [{ LISTEN_PID: "7" }, {}],
    [{ LISTEN_PID: "7", LISTEN_FDS: "-1" }, {}],
    [{ LISTEN_PID: "7", LISTEN_FDS: "99999" }, {}],
    [{ LISTEN_PID: "7", LISTEN_FDS: "1e3" }, {}],
  ];
  for (const [environment, sockets] of cases) assert.deepEqual(taken(environment), sockets);
});

test("no child of this process takes them for its own", () => {
  const environment = { LISTEN_PID: "8", LISTEN_FDS: "1", LISTEN_FDNAMES: "x", PATH: "/bin" };
  taken(environment);
  assert.deepEqual(environment, { PATH: "/bin" });
});

test("a listener is opened once for each socket of its name", () => {
  const sockets = new Map([["pull", [3, 5]]]);
  const opened = withSockets([listener("127.0.0.1:1"), listener("systemd:pull")], sockets, silentLog);
  assert.deepEqual(
    opened.map(({ address, descriptor }) => [address, descriptor]),
    [
      ["127.0.0.1:1", undefined],
      ["systemd:pull", 3],
      ["systemd:pull", 5],
    ],
  );
});

test("a name that was not handed over is refused, a socket that nobody asks for is warned of", () => {
  const sockets = new Map([["pull", [3]]]);
  assert.throws(() => withSockets([listener("systemd:push")], sockets, silentLog), /systemd:push: .* only "pull"/);
  assert.throws(() => withSockets([listener("systemd:push")], new Map(), silentLog), /none at all/);
  const warned: object[] = [];
  withSockets([listener("127.0.0.1:1")], sockets, { ...silentLog, warn: (fields) => void warned.push(fields) });
  assert.deepEqual(warned, [{ name: "pull" }]);
});
