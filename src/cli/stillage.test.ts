import assert from "node:assert/strict";
import { test } from "node:test";
import { CommanderError } from "commander";
import { shellWords } from "../receive/shell-words.ts";
import { bstArtifactReceiveProgram } from "./bst-artifact-receive.ts";
import { bstArtifactServerProgram } from "./bst-artifact-server.ts";
import { allShapes, shapeOf } from "./command-shape.ts";
import { stillageProgram } from "./stillage-program.ts";

const programs = {
  stillage: () => stillageProgram(() => {}),
  "bst-artifact-server": bstArtifactServerProgram,
  "bst-artifact-receive": bstArtifactReceiveProgram,
} as const;

test("each command says what it does, what its arguments and flags are, and how somebody would use it", () => {
  for (const program of Object.values(programs)) {
    for (const { path, says, arguments: all, options, subcommands, use } of allShapes(shapeOf(program()))) {
      const name = path.join(" ");
      assert.match(says, /^[A-Z].*[^.]$/s, name);
      for (const each of [...all, ...options]) assert.notEqual(each.says, "", `${name} ${JSON.stringify(each)}`);
      assert.equal(use.examples.length > 0, subcommands.length === 0, `${name} has examples`);
    }
  }
});

test("each example is a command line that the command takes", async () => {
  for (const [name, program] of Object.entries(programs)) {
    for (const { path, use } of allShapes(shapeOf(program()))) {
      for (const { run } of use.examples) await assertTaken(run, name, program, path);
    }
  }
});

class Taken extends Error {}

async function assertTaken(
  line: string,
  name: string,
  program: () => ReturnType<typeof stillageProgram>,
  path: readonly string[],
): Promise<void> {
  // Examples may be within others, as `eval "$(stillage completion bash)"` is, and end in a file or another program.
  const own = /(?:^|\$\()((?:stillage|bst-)[^|>)]*)/.exec(line)?.[1] ?? "";
  const words = shellWords(own);
  assert.deepEqual(words.slice(0, path.length), path, line);
  const command = program().hook("preAction", () => {
    throw new Taken();
  });
  const failure = await command.parseAsync(words.slice(1), { from: "user" }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof CommanderError) assert.fail(`${line}: ${failure.message}`);
  // A program that is one command has no action until it is run.
  assert.ok(failure instanceof Taken || (name !== "stillage" && failure === undefined), `${line}: ${String(failure)}`);
}
