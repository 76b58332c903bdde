import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { ClientConfiguration } from "../../src/client/configuration/client-configuration.ts";
import { readClientConfiguration } from "../../src/client/configuration/read-configuration.ts";
import { isProblems } from "../../src/config/load.ts";
import type { Problem } from "../../src/config/problem.ts";
import type { Dialect } from "../../src/project/dialect.ts";
import { cases1 } from "./remotes/cases1.ts";
import { cases2 } from "./remotes/cases2.ts";
import { cases19 } from "./remotes/cases19.ts";
import type { ConfiguredCase } from "./remotes/configured-case.ts";
import { clientsFolder, installed } from "./support/checkout.ts";
import { runOk } from "./support/program.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

/** What the real program makes of a case: JSON of the scripts in `remotes/`. */
type Outcome = Readonly<Record<string, unknown>> & { readonly refusal?: string };

const generations = [
  {
    name: "BuildStream 2.8.1",
    cases: cases2,
    script: "remotes2.py",
    dialect: undefined,
    python: () => installed(join(clientsFolder, "bst-2.8.1/bin/python"), "bst.sh"),
  },
  {
    name: "BuildStream 1.93.4",
    cases: cases19,
    script: "remotes19.py",
    dialect: "1.9",
    // Where there is a Python 3.8 that runs it.
    python: async () => [join(clientsFolder, "bst-1.93.4.dev0/bin/python")].find(existsSync),
  },
  {
    name: "BuildStream 1.6.8",
    cases: cases1,
    script: "remotes1.py",
    dialect: undefined,
    python: async () => {
      await installed("/usr/bin/bst", "bst1.sh");
      return "/usr/bin/python3";
    },
  },
] as const;

for (const { name, cases, script, dialect, python } of generations) {
  suite(name, () => {
    const folders: string[] = [];
    let outcomes: readonly Outcome[] | undefined;
    let workspace: Workspace;
    before(async () => {
      workspace = await createWorkspace();
      for (const each of cases) folders.push(await layOut(workspace, each));
      const input = JSON.stringify(cases.map((each, i) => questionOf(each, folders[i] ?? "")));
      const program = join(import.meta.dirname, "remotes", script);
      const interpreter = await python();
      if (interpreter !== undefined) outcomes = JSON.parse(await runOk(interpreter, ["-B", program], { input }));
    });
    after(async () => workspace[Symbol.asyncDispose]());

    for (const [i, each] of cases.entries()) {
      test(each.says, (context) => {
        if (outcomes === undefined) return context.skip(`${name} is not here`);
        const [outcome, folder = ""] = [outcomes[i], folders[i]];
        assert.ok(outcome !== undefined);
        const read = ours(each, dialect, folder);
        if (outcome.refusal === undefined) {
          assert.ok(each.refused !== true, "BuildStream takes it");
          assert.ok(!isProblems(read), isProblems(read) ? read.map((problem) => problem.message).join("\n") : "");
          assert.deepEqual(comparable(read), outcome);
        } else {
          assert.ok(each.refused === true, `BuildStream refuses it: ${outcome.refusal}`);
          assert.ok(isProblems(read), `BuildStream refuses it, and we do not: ${outcome.refusal}`);
          assertSamePlace(read, outcome.refusal);
        }
      });
    }
  });
}

/** Writes the files of a case into a folder of its own. */
async function layOut(workspace: Workspace, { project, user, files }: ConfiguredCase): Promise<string> {
  const folder = await workspace.folder("case");
  const all: Record<string, string> = { "project/project.conf": project, "home/.config/nothing": "", ...files };
  if (user !== undefined) all["home/.config/buildstream.conf"] = user;
  for (const [path, content] of Object.entries(all)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

function environmentOf({ environment }: ConfiguredCase, folder: string): Record<string, string> {
  const more = Object.entries(environment ?? {}).map(([name, value]) => [name, value.replace("FOLDER", folder)]);
  return { PATH: process.env.PATH ?? "", HOME: join(folder, "home"), ...Object.fromEntries(more) };
}

function questionOf(each: ConfiguredCase, folder: string): object {
  return {
    environment: environmentOf(each, folder),
    workingDirectory: folder,
    directory: join(folder, each.directory ?? "project"),
    config: each.config ?? null,
    remotes: each.remotes ?? [],
    ignore: each.ignore ?? false,
    purpose: each.purpose ?? "all",
    options: each.options ?? [],
  };
}

function ours(
  each: ConfiguredCase,
  dialect: Dialect | undefined,
  folder: string,
): ClientConfiguration | readonly Problem[] {
  return readClientConfiguration({
    directory: join(folder, each.directory ?? "project"),
    workingDirectory: folder,
    environment: environmentOf(each, folder),
    dialect,
    buildstreamConfig: each.config,
    clientConfig: undefined,
    remotes: each.remotes ?? [],
    ignoreProjectRemotes: each.ignore ?? false,
    purpose: each.purpose ?? "all",
    cache: undefined,
    options: each.options ?? [],
  });
}

/** As the scripts give it. */
function comparable(configuration: ClientConfiguration): unknown {
  const { generation, project, fetchers, builders, pushers, networkRetries, onError } = configuration;
  const remotes = configuration.remotes.map(({ url, type, push, instanceName, auth, connection }) => ({
    url,
    type,
    push,
    instanceName,
    auth: orNull(auth),
    connection: orNull(connection),
  }));
  const cacheDirectory = configuration[generation === "1" ? "artifactDirectory" : "cacheDirectory"];
  return { remotes, project: project?.name, cacheDirectory, fetchers, builders, pushers, networkRetries, onError };
}

function orNull(values: object): object {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? null]));
}

/** Where BuildStream names a file and a line, one of our problems is there. */
function assertSamePlace(problems: readonly Problem[], refusal: string): void {
  const [, path, line] = /(\S+) \[line (\d+) column \d+\]/.exec(refusal) ?? [];
  for (const { origin } of problems) assert.ok(origin !== "", "every problem has its place");
  if (path === undefined) return;
  const places = problems.map(({ origin }) => basename(origin.replace(/:\d+$/, "")));
  assert.ok(places.includes(`${basename(path)}:${line}`), `${refusal}\n${JSON.stringify(problems, undefined, 1)}`);
}
