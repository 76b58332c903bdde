import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { explain, explainAsYaml } from "./explain.ts";
import { defaultConfig, isProblems, type Loaded, loadConfig, type Sources } from "./load.ts";
import { parseYaml } from "./yaml-file.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-config-"));
after(() => rmSync(folder, { recursive: true }));

const nothing: Sources = { flags: {}, file: undefined, environment: {}, folder: "/work-dir", systemFile: undefined };

function load(sources: Partial<Sources>): Loaded {
  const loaded = loadConfig({ ...nothing, ...sources });
  if (isProblems(loaded)) throw new Error(loaded.map(({ origin, message }) => `${origin}: ${message}`).join("\n"));
  return loaded;
}

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("without anything there are the defaults: safe ones", () => {
  const { config, origins, file } = load({});
  assert.deepEqual(config, {
    store: "/work-dir/cache",
    listeners: [{ address: "127.0.0.1:11001", push: true, tls: undefined }],
    instances: [""],
    services: "all",
    access: undefined,
    accessLog: undefined,
    receiveSocket: "auto",
    releases: undefined,
    quota: undefined,
    highMark: 95,
    lowMark: 85,
    leaseMs: 14_400_000,
    maxAgeMs: undefined,
    limits: [],
    durability: "on",
    maxBatchBytes: 4 * 1024 * 1024 - 64 * 1024,
    maxBlobBytes: undefined,
    maxConnections: 4096,
    maxClientConnections: 1024,
    maxCalls: 8192,
    maxClientCalls: 2048,
    maxUploads: 1024,
    maxClientUploads: 512,
    workers: 1,
    originFetch: "off",
    originAllow: [],
    originDeny: [],
    originMaxBytes: 4 * 1024 ** 3,
    originTimeoutMs: 600_000,
    scrubEveryMs: 14 * 24 * 3_600_000,
    scrubRate: 20 << 20,
    graceMs: 30_000,
    logLevel: "info",
    logFormat: "auto",
  });
  assert.deepEqual(new Set(Object.values(origins)), new Set(["default"]));
  assert.equal(file, undefined);
  assert.deepEqual(defaultConfig("/work-dir"), config);
});

test("the low mark is below the high one, and who says otherwise is told", () => {
  const file = fileWith("marks.yaml", "high-mark: 60%\nlow-mark: 70%\n");
  const cases: [Partial<Sources>, string][] = [
    [{ file }, `${file}:2:11`],
    [{ environment: { STILLAGE_HIGH_MARK: "50%" } }, "STILLAGE_HIGH_MARK"],
    [{ flags: { lowMark: { origin: "--low-mark", texts: ["95%"] } } }, "--low-mark"],
  ];
  for (const [sources, origin] of cases) {
    const loaded = loadConfig({ ...nothing, ...sources });
    assert.ok(isProblems(loaded));
    assert.deepEqual(
      loaded.map((problem) => problem.origin),
      [origin],
    );
    assert.match(loaded[0]?.message ?? "", /low-mark is \d+%, which is not below high-mark/);
  }
});

test("flags win over the environment, the environment over the file, the file over the defaults", () => {
  const file = fileWith("all.yaml", "store: data\nquota: 1G\ndurability: off\nlog-level: debug\ninstances: [f]\n");
  const environment = {
    STILLAGE_QUOTA: "2G",
    STILLAGE_LOG_LEVEL: "warn",
    STILLAGE_GRACE: "",
    STILLAGE_INSTANCES: "a b/c",
  };
  const flags = { logLevel: { origin: "--log-level", texts: ["error"] } };
  const { config, origins } = load({ file, environment, flags });
  assert.deepEqual([config.store, origins.store], [join(folder, "data"), `${file}:1:8`]);
  assert.deepEqual([config.durability, origins.durability], ["off", `${file}:3:13`]);
  assert.deepEqual([config.quota, origins.quota], [2e9, "STILLAGE_QUOTA"]);
  assert.deepEqual([config.logLevel, origins.logLevel], ["error", "--log-level"]);
  assert.deepEqual([config.graceMs, origins.graceMs], [30_000, "default"]);
  assert.deepEqual([config.instances, origins.instances], [["a", "b/c"], "STILLAGE_INSTANCES"]);
});

test("none takes away what a weaker source has set", () => {
  const file = fileWith("quota.yaml", "quota: 1G\n");
  assert.equal(load({ file, environment: { STILLAGE_QUOTA: "none" } }).config.quota, undefined);
});

test("the file is the flag's, else the environment's, else the system's where there is one", () => {
  const [flag, variable, system] = ["flag", "variable", "system"].map((name) =>
    fileWith(`${name}.yaml`, `store: ${name}\n`),
  );
  const environment = { STILLAGE_CONFIG: variable };
  const storeOf = (sources: Partial<Sources>): string => load(sources).config.store;
  assert.equal(storeOf({ file: flag, environment, systemFile: system }), join(folder, "flag"));
  assert.equal(storeOf({ environment, systemFile: system }), join(folder, "variable"));
  assert.equal(storeOf({ systemFile: system }), join(folder, "system"));
  assert.equal(storeOf({ systemFile: join(folder, "none.yaml") }), "/work-dir/cache");
});

test("what is wrong in a weaker source is said although a stronger one wins", () => {
  const file = fileWith("wrong.yaml", "quota: much\nlisteners: [127.0.0.1:1, 127.0.0.1:1]\ninstances: []\n");
  const flags = { quota: { origin: "--quota", texts: ["1G"] } };
  const problems = loadConfig({
    ...nothing,
    file,
    flags,
    environment: { STILLAGE_QUOTA: "little", STILLAGE_QUOT: "x" },
  });
  assert.ok(isProblems(problems));
  assert.deepEqual(
    problems.map(({ origin }) => origin.replace(`${folder}/`, "")),
    ["STILLAGE_QUOT", "STILLAGE_QUOTA", "wrong.yaml:1:8", "wrong.yaml:2:26", "wrong.yaml:3:12"],
  );
});

test("what is shown as a file sets the same again", () => {
  const listen = ["unix:s", "address=0.0.0.0:2,push=false,cert=c,key=k,client-certs=a", "[::]:3"];
  const loaded = load({
    flags: {
      listeners: { origin: "--listen", texts: listen },
      instances: { origin: "--instance", texts: ["", "true", "007", "a/b"] },
      quota: { origin: "--quota", texts: ["1.5GiB"] },
      graceMs: { origin: "--grace", texts: ["90s"] },
    },
  });
  const shown = explainAsYaml(loaded);
  assert.match(shown, /^quota: 1536MiB # --quota$/m);
  assert.match(shown, /^# --listen\nlisteners:$/m);
  const file = fileWith("shown.yaml", shown);
  assert.deepEqual(load({ file }).config, loaded.config);
  assert.equal(isProblems(parseYaml("shown.yaml", shown)), false);
  assert.deepEqual(explain(loaded)["max-batch-bytes"], { value: "4032KiB", origin: "default" });
});

test("hosts are checked one by one, and none is a list without any", () => {
  const file = fileWith("hosts.yaml", "origin-allow: [Mirror.example:8080, 10.0.0.0/8]\norigin-deny: none\n");
  const { config } = load({ file, flags: { originDeny: { origin: "--origin-deny", texts: ["none"] } } });
  assert.deepEqual(
    config.originAllow.map(({ text, kind, port }) => [text, kind, port]),
    [
      ["Mirror.example:8080", "name", 8080],
      ["10.0.0.0/8", "network", undefined],
    ],
  );
  assert.deepEqual(config.originDeny, []);
  const flags = { originAllow: { origin: "--origin-allow", texts: ["http://x", "*.example", "none", "*.example"] } };
  const problems = loadConfig({ ...nothing, flags });
  assert.ok(isProblems(problems));
  assert.deepEqual(
    problems.map(({ message }) => message.replace(/:.*/, "")),
    ['"http', '"none" is not a host', '"*.example" is there twice'],
  );
});
