import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runOk } from "../clients/support/program.ts";
import { newFolder } from "./support/folder.ts";
import { checkout, run } from "./support/programs.ts";

/** What somebody has typed, and the last word that a shell has to make of it. */
const cases: readonly (readonly [typed: string, last: string])[] = [
  ["stillage stor", "store"],
  ["stillage store fs", "fsck"],
  ["stillage store fsck --rep", "--repair"],
  ["stillage store fsck --store . --rep", "--repair"],
  ["stillage pin --space actio", "action"],
  ["stillage completion fi", "fish"],
];

async function completionFor(shell: string): Promise<string> {
  const { status, stdout, stderr } = await run("stillage", ["completion", shell], { cwd: checkout });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout;
}

test("bash completes commands, flags and values", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "stillage"), await completionFor("bash"));
  const lines = cases.map(([typed]) => {
    const words = typed.split(" ");
    return `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _stillage; echo "\${COMPREPLY[*]}"`;
  });
  const script = `. ./stillage; complete -p stillage >&2; ${lines.join("\n")}`;
  const printed = await runOk("bash", ["--norc", "-euc", script], { cwd: folder.path });
  assert.deepEqual(printed.trimEnd().split("\n"), lastWords());
});

test("bash takes --flag=value for what it is", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "stillage"), await completionFor("bash"));
  const script = `. ./stillage; COMP_WORDS=(stillage pin --space = ref); COMP_CWORD=4; _stillage; echo "\${COMPREPLY[*]}"`;
  assert.equal(await runOk("bash", ["--norc", "-c", script], { cwd: folder.path }), "reference\n");
});

test("fish completes commands, flags and values, and says what they are", async () => {
  await using folder = await newFolder();
  const file = join(folder.path, "stillage.fish");
  await writeFile(file, await completionFor("fish"));
  const script = `source ${file}\n${cases.map(([typed]) => `complete -C "${typed}"`).join("\n")}`;
  const printed = await runOk("fish", ["--no-config", "-c", script], {
    cwd: folder.path,
    env: shellEnvironment(folder),
  });
  const offered = printed.trimEnd().split("\n");
  assert.deepEqual(
    offered.map((line) => line.split("\t")[0]),
    lastWords(),
  );
  assert.match(offered[2] ?? "", /^--repair\tMend what can be mended/);
});

test("zsh completes commands, flags and values", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "_stillage"), await completionFor("zsh"));
  const script = join(import.meta.dirname, "support/completed.zsh");
  const typed = cases.map(([line]) => line);
  const printed = await runOk("zsh", ["-f", script, folder.path, ...typed], {
    cwd: folder.path,
    env: shellEnvironment(folder),
  });
  assert.deepEqual(
    printed
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(" ").at(-1)),
    lastWords(),
  );
});

function lastWords(): string[] {
  return cases.map(([, last]) => last);
}

/** Nothing of the user's own. */
function shellEnvironment({ path }: { readonly path: string }): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: path, LANG: "C.UTF-8", TERM: "dumb" };
}
