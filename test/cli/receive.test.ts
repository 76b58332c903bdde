import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { type Outcome, run, serve } from "./support/programs.ts";
import { pushArtifact } from "./support/push-artifact.ts";

const key = `9f31${"0".repeat(60)}`;
const access = `rights:
- { who: { ssh: ci }, may: release, repositories: os, branches: os/stable }
- { who: { ssh: reader }, may: release, repositories: os, instances: other }
`;

let workspace: Workspace;
let cwd: string;

before(async () => {
  workspace = await createWorkspace();
  cwd = workspace.path;
  {
    await using server = await serve("stillage", ["serve", join(cwd, "store"), "--listen", "127.0.0.1:0"], { cwd });
    const endpoint = openEndpoint(`http://${server.listeners[0]?.address}`);
    await pushArtifact(endpoint, "harbour/base", key, "#!/bin/sh\n");
    await endpoint.channel.close();
  }
  await mkdir(join(cwd, "releases"));
  const { status, stderr } = await run("stillage", ["release", "init", "os", "--releases", "releases"], { cwd });
  assert.equal(status, 0, stderr);
  await writeFile(join(cwd, "access.yaml"), access);
});
after(() => workspace?.[Symbol.asyncDispose]());

/** A session of somebody who asks for a command; sshd has checked his key. */
function session(name: string, command: string): Promise<Outcome> {
  const flags = ["--as", name, "--releases", "releases", "--store", "store", "--access", "access.yaml"];
  return run("stillage", ["receive", ...flags], {
    cwd,
    env: { SSH_ORIGINAL_COMMAND: command },
  });
}

test("stillage release over ssh: what one may, on the branches that are one's own", async () => {
  const created = await session("ci", "stillage release create base.bst --branch os/stable --version '1 or so'");
  assert.equal(created.status, 0, created.stderr);
  assert.match(created.stderr, /^stillage: nobody signs this release; [^\n]*\n$/);
  assert.match(created.stdout, /^os\/stable 1 or so: [0-9a-f]{64} published$/m);
  const ended = await session("ci", "stillage release end-of-life os/stable --message 'It is over; go on'");
  assert.deepEqual([ended.status, ended.stderr], [0, created.stderr]);
  const listed = await session("ci", "stillage release list");
  assert.match(listed.stdout, /^os\/stable\t1 or so\t[0-9a-f]{64}\t.*\(end of life\)$/m);
});

const refusals: [name: string, command: string, message: RegExp][] = [
  ["ci", "stillage release create base.bst --branch os/stable --branch os/beta", /may not release on "os\/beta" in os/],
  ["reader", "stillage release create base.bst --branch b", /reader may not pull in the instance ""/],
  ["ci", "stillage release create --tree=/etc --branch os/stable", /over ssh: Unknown option '--tree'/],
  ["ci", "bst-artifact-receive /srv/artifacts", /not for pushes of BuildStream 1\.0/],
];

test("everything else is refused in a sentence", async () => {
  for (const [name, command, message] of refusals) {
    const outcome = await session(name, command);
    assert.equal(outcome.status, 1, `${command}: ${outcome.stderr}`);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stdout, "");
  }
});

test("the receiver says its version", async () => {
  assert.match((await session("ci", "ostree-receive --version")).stdout, /^ostree-receive \(Stillage\) \d/);
});
