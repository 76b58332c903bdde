import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { checkout, type Outcome, runCommand } from "./support/programs.ts";

const programs = ["stillage", "bst-artifact-server", "bst-artifact-receive"];

/** What the launchers need of a system, without any Node. */
const systemPath = "/usr/bin:/bin";
const nodePath = join(process.execPath, "..");

/** A place like a checkout, in which each program prints its own name, its Node and its arguments. */
async function layOut(root: string): Promise<void> {
  for (const folder of ["bin", "dist", ".node/bin", "elsewhere"]) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, "package.json"), '{ "type": "module" }');
  for (const name of programs) {
    await copyFile(join(checkout, "bin", name), join(root, "bin", name));
    const program = "console.log(JSON.stringify([import.meta.filename, process.env.NODE, process.argv.slice(2)]))";
    await writeFile(join(root, "dist", `${name}.js`), program);
  }
}

/** A `node` that says that it is of this version, and otherwise passes everything on with its own path in NODE. */
async function placeNode(path: string, version: string): Promise<void> {
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo ${version}; exit; }
NODE=$0 exec ${process.execPath} "$@"
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
}

test("all launchers are one and the same, but for their names", async () => {
  const [first, ...others] = await Promise.all(programs.map((name) => readFile(join(checkout, "bin", name), "utf8")));
  for (const other of others) assert.equal(other, first);
});

test("a launcher runs its program from any directory and through links, with all arguments", async () => {
  await using folder = await newFolder();
  const root = join(folder.path, "a root");
  await layOut(root);
  await symlink("../bin", join(root, "elsewhere", "folder"));
  await symlink("folder/stillage", join(root, "elsewhere", "stillage"));
  await symlink(join(root, "bin", "bst-artifact-server"), join(root, "elsewhere", "short"));
  const args = ["serve", "a b", "", "$HOME", "--x='y'"];
  const calls: readonly (readonly [cwd: string, command: string, program: string])[] = [
    ["/", join(root, "bin/stillage"), "stillage"],
    [root, "bin/stillage", "stillage"],
    [join(root, "bin"), "./bst-artifact-server", "bst-artifact-server"],
    ["/", join(root, "elsewhere/stillage"), "stillage"],
    [join(root, "elsewhere"), "./stillage", "stillage"],
    ["/", join(root, "elsewhere/short"), "bst-artifact-server"],
  ];
  for (const [cwd, command, program] of calls) {
    const outcome = await launch(command, args, cwd, `${nodePath}:${systemPath}`);
    assert.equal(outcome.stderr, "");
    const [file, , given] = JSON.parse(outcome.stdout) as [string, unknown, string[]];
    assert.deepEqual([file, given], [join(root, "dist", `${program}.js`), args]);
  }
});

test("the checkout's own Node comes before the machine's", async () => {
  await using folder = await newFolder();
  const root = folder.path;
  await layOut(root);
  await placeNode(join(root, ".node/bin/node"), "v24.0.0");
  await placeNode(join(root, "elsewhere/node"), "v18.19.0");
  const { stdout } = await launch(join(root, "bin/stillage"), [], "/", `${root}/elsewhere:${systemPath}`);
  const [, node] = JSON.parse(stdout) as [string, string];
  assert.equal(node, join(root, ".node/bin/node"));
});

test("a Node that is too old, none at all, or no build: one sentence and the status 1", async () => {
  await using folder = await newFolder();
  const root = folder.path;
  await layOut(root);
  const tools = join(root, "tools");
  await mkdir(tools);
  for (const tool of ["sh", "readlink", "dirname"]) await symlink(`/usr/bin/${tool}`, join(tools, tool));
  const stillage = join(root, "bin/stillage");

  const none = await launch(stillage, [], "/", tools);
  const noNode = "stillage: Node 24 or newer is needed, and there is no node in PATH\n";
  assert.deepEqual(none, { status: 1, stdout: "", stderr: noNode });

  await placeNode(join(tools, "node"), "v18.19.0");
  const old = await launch(stillage, [], "/", tools);
  const oldNode = "stillage: Node 24 or newer is needed, and the node in PATH is v18.19.0\n";
  assert.deepEqual(old, { status: 1, stdout: "", stderr: oldNode });

  await mkdir(join(root, "unbuilt/bin"), { recursive: true });
  await copyFile(stillage, join(root, "unbuilt/bin/stillage"));
  const unbuilt = await launch(join(root, "unbuilt/bin/stillage"), [], "/", tools);
  assert.equal(unbuilt.status, 1);
  assert.match(
    unbuilt.stderr,
    /^stillage: .*unbuilt\/dist\/stillage\.js is missing; run 'make build' in .*unbuilt first\n$/,
  );
});

function launch(command: string, args: readonly string[], cwd: string, path: string): Promise<Outcome> {
  return runCommand(command, args, { cwd, env: { PATH: path } });
}
