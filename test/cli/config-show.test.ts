import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { type RunOptions, run } from "./support/programs.ts";

type Shown = Record<string, { value: unknown; origin: string }>;

async function show(args: readonly string[], options: RunOptions): Promise<Shown> {
  const { status, stdout, stderr } = await run("stillage", ["config", "show", "--json", ...args], options);
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return JSON.parse(stdout) as Shown;
}

test("the defaults are safe", async () => {
  await using folder = await newFolder();
  const shown = await show([], { cwd: folder.path });
  assert.deepEqual(new Set(Object.values(shown).map(({ origin }) => origin)), new Set(["default"]));
  const values = Object.fromEntries(Object.entries(shown).map(([name, { value }]) => [name, value]));
  assert.deepEqual(values, {
    store: join(folder.path, "cache"),
    listeners: [{ address: "127.0.0.1:11001", push: true }],
    "receive-socket": "auto",
    releases: "none",
    instances: [""],
    services: "all",
    access: "none",
    "access-log": "none",
    quota: "none",
    "high-mark": "95%",
    "low-mark": "85%",
    lease: "4h",
    "max-age": "none",
    limits: "none",
    durability: "on",
    "scrub-every": "14d",
    "scrub-rate": "20MiB",
    "max-batch-bytes": "4032KiB",
    "max-blob-bytes": "none",
    "max-connections": 4096,
    "max-client-connections": 1024,
    "max-calls": 8192,
    "max-client-calls": 2048,
    "max-uploads": 1024,
    "max-client-uploads": 512,
    workers: 1,
    "origin-fetch": "off",
    "origin-allow": "none",
    "origin-deny": "none",
    "origin-max-bytes": "4GiB",
    "origin-timeout": "10m",
    grace: "30s",
    "log-level": "info",
    "log-format": "auto",
  });
});

test("flags come before the environment, that before the file, that before the default", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const file = join(cwd, "conf.yaml");
  await writeFile(file, "quota: 1G\ngrace: 1m\ndurability: off\nlisteners:\n- address: 127.0.0.1:1\n");
  const env = { STILLAGE_CONFIG: file, STILLAGE_QUOTA: "2G", STILLAGE_GRACE: "2m" };
  const shown = await show(["--quota", "3G", "--listen", "127.0.0.1:2", "--listen", "127.0.0.1:3"], { cwd, env });
  assert.deepEqual(shown.quota, { value: "3G", origin: "--quota" });
  assert.deepEqual(shown.grace, { value: "2m", origin: "STILLAGE_GRACE" });
  assert.deepEqual(shown.durability, { value: "off", origin: `${file}:3:13` });
  assert.deepEqual(shown.services, { value: "all", origin: "default" });
  assert.deepEqual(shown.listeners, {
    value: [
      { address: "127.0.0.1:2", push: true },
      { address: "127.0.0.1:3", push: true },
    ],
    origin: "--listen",
  });
});

test("every setting has a variable and, but for the directory, a flag", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const tls = "cert=server.crt,key=/k/server.key,client-certs=clients.crt";
  const spec = `address=[::1]:11002,push=false,${tls}`;
  const texts: Readonly<Record<string, readonly [flag: string, text: string]>> = {
    LISTENERS: ["--listen", spec],
    RECEIVE_SOCKET: ["--receive-socket", "run/receive"],
    RELEASES: ["--releases", "/srv/releases"],
    INSTANCES: ["--instance", "team/os"],
    SERVICES: ["--services", "index"],
    ACCESS: ["--access", "access.yaml"],
    ACCESS_LOG: ["--access-log", "access.log"],
    QUOTA: ["--quota", "500GiB"],
    HIGH_MARK: ["--high-mark", "90%"],
    LOW_MARK: ["--low-mark", "80.5%"],
    LEASE: ["--lease", "1h"],
    MAX_AGE: ["--max-age", "30d"],
    LIMITS: ["--limit", "instance=team/os,space=action,size=10GiB,age=30d"],
    DURABILITY: ["--durability", "off"],
    SCRUB_EVERY: ["--scrub-every", "30d"],
    SCRUB_RATE: ["--scrub-rate", "5MiB"],
    MAX_BATCH_BYTES: ["--max-batch-bytes", "1MiB"],
    MAX_BLOB_BYTES: ["--max-blob-bytes", "4GiB"],
    MAX_CONNECTIONS: ["--max-connections", "1"],
    MAX_CLIENT_CONNECTIONS: ["--max-client-connections", "2"],
    MAX_CALLS: ["--max-calls", "3"],
    MAX_CLIENT_CALLS: ["--max-client-calls", "4"],
    MAX_UPLOADS: ["--max-uploads", "5"],
    MAX_CLIENT_UPLOADS: ["--max-client-uploads", "6"],
    WORKERS: ["--workers", "2"],
    ORIGIN_FETCH: ["--origin-fetch", "verified"],
    ORIGIN_ALLOW: ["--origin-allow", "*.mirror.example:8080"],
    ORIGIN_DENY: ["--origin-deny", "*"],
    ORIGIN_MAX_BYTES: ["--origin-max-bytes", "1GiB"],
    ORIGIN_TIMEOUT: ["--origin-timeout", "1h"],
    GRACE: ["--grace", "2m"],
    LOG_LEVEL: ["--log-level", "debug"],
    LOG_FORMAT: ["--log-format", "text"],
  };
  const variables = Object.entries(texts).map(([name, [, text]]) => [`STILLAGE_${name}`, text]);
  const env = { STILLAGE_STORE: "some/store", ...Object.fromEntries(variables) };
  const byVariable = await show([], { cwd, env });
  const byFlag = await show(["some/store", ...Object.values(texts).flat()], { cwd });
  const values = (shown: Shown): unknown[] => Object.values(shown).map(({ value }) => value);
  assert.deepEqual(values(byVariable), values(byFlag));
  assert.equal(byVariable.store?.value, join(cwd, "some/store"));
  assert.deepEqual(byFlag.listeners?.value, [
    {
      address: "[::1]:11002",
      push: false,
      tls: {
        certificate: join(cwd, "server.crt"),
        key: "/k/server.key",
        "client-certificates": join(cwd, "clients.crt"),
        "client-auth": "required",
      },
    },
  ]);
  assert.ok(Object.values(byVariable).every(({ origin }) => origin.startsWith("STILLAGE_")));
});

test("the empty instance name can be asked for beside others", async () => {
  await using folder = await newFolder();
  const shown = await show(["--instance", "", "--instance", "a/b"], { cwd: folder.path });
  assert.deepEqual(shown.instances?.value, ["", "a/b"]);
});

test("relative paths in a file are seen from its folder", async () => {
  await using folder = await newFolder();
  const file = join(folder.path, "conf.yaml");
  await writeFile(file, "store: data\nlisteners:\n- address: unix:run/socket\n");
  const shown = await show(["--config", file], { cwd: "/" });
  assert.equal(shown.store?.value, join(folder.path, "data"));
  assert.deepEqual(shown.listeners?.value, [{ address: `unix:${join(folder.path, "run/socket")}`, push: true }]);
});

test("what config show prints is a file that says the same", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const args = [
    "data",
    "--quota=1536MiB",
    "--instance=",
    "--instance=x",
    "--grace=90s",
    "--listen",
    "unix:s",
    "--origin-allow=10.0.0.0/8",
  ];
  const first = await run("stillage", ["config", "show", ...args], { cwd });
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /^quota: 1536MiB # --quota$/m);
  const file = join(cwd, "shown.yaml");
  await writeFile(file, first.stdout);
  const values = (shown: Shown): unknown[] => Object.values(shown).map(({ value }) => value);
  assert.deepEqual(values(await show(["--config", file], { cwd: "/" })), values(await show(args, { cwd })));
});
