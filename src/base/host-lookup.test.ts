import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type LookupAddress, lookup } from "node:dns";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { lookupHost } from "./host-lookup.ts";

type Found = [code: string | undefined, address: string | LookupAddress[], family?: number | undefined];

const by = (how: typeof lookupHost, host: string, options: object): Promise<Found> =>
  new Promise((resolve) => how(host, options, (error, ...found) => resolve([error?.code, ...found])));

test("gives what the system gives", async () => {
  for (const host of ["localhost", "127.0.0.1", hostname(), "ip6-localhost"]) {
    for (const options of [{ all: true }, {}, { family: 4 }, { family: 6, all: true }]) {
      const [own, system] = [await by(lookupHost, host, options), await by(lookup as typeof lookupHost, host, options)];
      const what = `${host} ${JSON.stringify(options)}`;
      assert.equal(own[0], system[0], what);
      if (system[0] !== undefined) continue;
      const addresses = ([, found]: Found) =>
        Array.isArray(found) ? found.map(({ address }) => address).sort() : found;
      assert.deepEqual(addresses(own), addresses(system), what);
    }
  }
});

test("what is no name is none", async () => {
  for (const host of ["--help", "-s", "a b", "a\0b", "no.such.host.invalid"]) {
    const [code] = await by(lookupHost, host, { all: true });
    assert.ok(code !== undefined, host);
  }
});

test("where no other program can be started, names are looked up here", async () => {
  const program = `
    import { lookupHost } from "${import.meta.dirname}/host-lookup.ts";
    // Longer than the system takes it.
    process.env.LARGE = "x".repeat(1 << 20);
    lookupHost("${hostname()}", { all: true }, (error, found) => console.log(error?.code, found.length > 0));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000 });
  const [code, , found] = await by(lookup as typeof lookupHost, hostname(), {});
  assert.deepEqual([`${stdout}`, `${stderr}`], [`${code} ${found !== undefined}\n`, ""]);
});

test("takes addresses from what `getent` says, and asks here where it says none", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-lookup-"));
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });
  process.env.PATH = folder;
  const [here] = await by(lookup as typeof lookupHost, "no.such.host.invalid", {});
  const found = async (script: string | undefined) => {
    if (script !== undefined) writeFileSync(join(folder, "getent"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return by(lookupHost, "no.such.host.invalid", { all: true });
  };
  const none = [here, []];
  for (const script of [undefined, "exit 2", "echo no address here"]) {
    const [code, addresses = []] = await found(script);
    assert.deepEqual([code, addresses], none, script ?? "no such program");
  }
  const said = "echo '192.0.2.1 STREAM a'; echo '192.0.2.1 DGRAM'; echo; echo wrong; echo 'fe80::1%lo RAW'";
  assert.deepEqual(await found(said), [
    undefined,
    [
      { address: "192.0.2.1", family: 4 },
      { address: "fe80::1%lo", family: 6 },
    ],
  ]);
});

test("a process ends though a name is still being looked up, and leaves nobody behind who does so", {
  timeout: 30_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "stillage-lookup-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const getent = `#!/bin/sh\necho $$ > ${folder}/asked\nexec sleep 100\n`;
  writeFileSync(join(folder, "getent"), getent, { mode: 0o755 });
  const program = `
    import { existsSync } from "node:fs";
    import { lookupHost } from "${import.meta.dirname}/host-lookup.ts";
    lookupHost("host.invalid", {}, () => process.exit(1));
    setInterval(() => existsSync("${folder}/asked") && process.exit(7), 10);`;
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { env, timeout: 60_000 });
  assert.equal(status, 7);
  const pid = readFileSync(join(folder, "asked"), "utf8").trim();
  assert.match(pid, /^\d+$/);
  while (isRunning(Number(pid))) await setImmediate();
});

/** Whether a process does anything yet: of one that was killed an entry may be left. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
