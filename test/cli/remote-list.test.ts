import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openReachability } from "../../src/client/connection/reachability.ts";
import { remoteAt } from "../../src/client/remote-spec.fixture.ts";
import { newFolder } from "./support/folder.ts";
import { run } from "./support/programs.ts";

test("`stillage remote list` says which remotes are used, which are left alone, and what is wrong", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const env = { HOME: join(cwd, "home"), XDG_STATE_HOME: join(cwd, "state") };
  await mkdir(join(cwd, "home"));
  await writeFile(
    join(cwd, "project.conf"),
    'name: app\nmin-version: 2.0\nartifacts:\n- url: https://a.example.com\n  instance-name: "a\\e[1m"\n- url: https://b.example.com\n(@): other.bst:file.yml\n',
  );
  const dead = remoteAt("https://b.example.com");
  await openReachability(join(cwd, "state/stillage/unreachable.json"), Date.now).failed(dead, "connection refused");

  const [lines, json, wrong] = await Promise.all([
    run("stillage", ["remote", "list"], { cwd, env }),
    run("stillage", ["remote", "list", "--json", "--remote", "url=https://c.example.com,push=false"], { cwd, env }),
    run("stillage", ["remote", "list", "--remote", "c", "-o", "far=1", "--buildstream", "1"], { cwd, env }),
  ]);
  const [first, second] = lines.stdout.split("\n").map((line) => line.split("\t"));
  assert.deepEqual(first?.slice(0, 6), [
    "1",
    "https://a.example.com",
    "https://a.example.com",
    "all",
    "pull",
    "a\\x1b[1m",
  ]);
  assert.match(second?.[7] ?? "", /^not tried until \S+Z: it does not answer since \S+Z \(connection refused\)$/);
  assert.match(lines.stderr, /^stillage: note: \S+project.conf:7:6: other\.bst:file\.yml is in another project/);
  assert.equal(lines.status, 0);

  const { project, remotes, notes } = JSON.parse(json.stdout);
  assert.deepEqual(project, { name: "app", directory: cwd });
  assert.equal(notes.length, 1);
  assert.deepEqual(
    remotes.map(({ place, url, push, why }: Record<string, unknown>) => [place, url, push, why]),
    [
      [1, "https://c.example.com", false, null],
      [2, "https://a.example.com", false, null],
      [3, "https://b.example.com", false, second?.[7]],
    ],
  );
  assert.equal(json.status, 0);

  assert.equal(wrong.status, 2);
  assert.equal(wrong.stdout, "");
  assert.match(
    wrong.stderr,
    /project\.conf:2:14: this is a project for BuildStream 2.*\n.*--option far: the project has no option far\n.*--remote: there is no remote "c"/s,
  );
});

test("a terminal of 80 columns shows URLs whole, and without any remote both commands say so", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const terminal = `--import=data:text/javascript,${encodeURIComponent("process.stdout.isTTY = true; process.stdout.columns = 80;")}`;
  const env = { HOME: cwd, XDG_STATE_HOME: join(cwd, "state") };
  const ports = ["1", "2"];
  for (const [command, host] of [
    ["list", "http://cache.of-a-project-with-a-long-name.example.com:1710"],
    ["check", "http://127.0.0.1:"],
  ] as const) {
    const remotes = ports.flatMap((port) => ["--remote", `url=${host}${port},instance-name=of-a-project-with-a-name`]);
    const options = { cwd, env: { ...env, NODE_OPTIONS: terminal } };
    const { stdout } = await run("stillage", ["remote", command, ...remotes], options);
    for (const port of ports) assert.match(stdout, new RegExp(`^(?:\\d +)?${host}${port} {2,}`, "m"), command);
    const none = await run("stillage", ["remote", command], { cwd, env });
    assert.deepEqual(none, { status: 0, stdout: "", stderr: "stillage: no remote is configured\n" });
  }
});
