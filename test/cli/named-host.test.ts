import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { run, serve } from "./support/programs.ts";

test("clients find servers by the names of their hosts, and go on beside a name that is none", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using server = await serve("stillage", ["serve", "store", "--listen", `${hostname()}:0`], { cwd });
  const port = server.listeners[0]?.address.split(":").at(-1);
  const env = { HOME: cwd };
  const check = (host: string) => run("stillage", ["remote", "check", `http://${host}:${port}`], { cwd, env });
  const [named, none] = await Promise.all([check(hostname()), check("no-such-host.invalid")]);
  assert.deepEqual([named.status, named.stderr], [0, ""], named.stdout);
  assert.equal(none.status, 1);
  assert.match(`${none.stdout}${none.stderr}`, /no-such-host\.invalid/);
  assert.match(`${none.stdout}${none.stderr}`, /ENOTFOUND|EAI_AGAIN/);
});
