import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { type SilentServer, startSilentServer } from "../support/silent-server.ts";
import type { Workspace } from "../support/workspace.ts";
import { type BuildRun, createMachine, type Machine } from "./machine.ts";

/** Elements of the project that are built, each with a source that has to be fetched; one is of a subproject. */
const built = ["one.bst", "sub.bst:three.bst", "two.bst"];

/**
 * Builds where three servers for sources are silent: one of the user, one of the project and one of its subproject, with a good one of the user behind the first; and then elsewhere, where only that one has the sources. BuildStream's
 * own processes connect to no silent one.
 */
export async function buildPastSilentSources(workspace: Workspace, good: string): Promise<void> {
  await using servers = new AsyncDisposableStack();
  const start = async (): Promise<SilentServer> => servers.use(await startSilentServer("mute"));
  const silent = await Promise.all([start(), start(), start()]);
  const [ofUser, ofProject, ofSubproject] = silent;
  const url = ({ address }: { address: string }): string => `http://${address}`;
  const folder = await workspace.folder("silent-sources");
  const upstream = await writeProjects(folder, url(ofProject), url(ofSubproject));
  const project = { folder, upstream };
  const goodOne = { url: good, push: true };
  const caches = { "source-caches": { servers: [{ url: url(ofUser), push: true }, goodOne] } };
  const connections = (): number[] => silent.map((each) => each.connections);

  const machine = await createMachine(await workspace.folder("past-silent"), project, [], caches);
  const first = await machine.build(["one.bst", "two.bst"]);
  check(first, built);
  for (const each of silent) {
    const told = notes(first).filter((text) => text.includes(url(each)));
    assert.equal(told.length, 1, told.join("\n"));
    assert.match(told[0] ?? "", /is left out for sources until \S+Z, as it does not answer .*`stillage remote check`/);
  }
  assert.deepEqual(connections(), [1, 1, 1], "BuildStream has waited for silent servers");

  const remembered = await lengthened(machine);
  const second = await machine.build(["--deps", "none", "later.bst"]);
  check(second, ["later.bst"]);
  assert.deepEqual(connections(), [1, 1, 1], "servers were asked that are known to be silent");
  assert.equal(notes(second).filter((text) => text.includes(url(ofUser))).length, 1);

  // What the silent ones left to the good one: all sources were pushed there.
  await rm(upstream, { recursive: true });
  const next = await createMachine(await workspace.folder("behind-silent"), project, [], caches);
  await put(memoryOf(next), remembered);
  check(await next.build(["one.bst", "two.bst"]), built);
  assert.deepEqual(connections(), [1, 1, 1], "servers were asked that are known to be silent");
}

const memoryOf = ({ folder }: Machine): string => join(folder, "home/.local/state/stillage/unreachable.json");

/** Has the machine remember for half an hour what it would for half a minute, which a busy machine may take for this; returns what it remembers. */
async function lengthened(machine: Machine): Promise<string> {
  const memory = JSON.parse(await readFile(memoryOf(machine), "utf8"));
  for (const failure of Object.values<{ until: number }>(memory.servers)) failure.until = Date.now() + 1_800_000;
  const text = JSON.stringify(memory);
  await put(memoryOf(machine), text);
  return text;
}

const notes = ({ events }: BuildRun): string[] =>
  events.flatMap(({ event, text }) => (event === "note" && text !== undefined ? [text] : []));

function check(run: BuildRun, names: readonly string[]): void {
  assert.equal(run.status, 0, run.stderr + JSON.stringify(run.summary));
  assert.deepEqual(run.settled("built").sort(), names);
}

/** Returns the folder of what is to be fetched. */
async function writeProjects(folder: string, ofProject: string, ofSubproject: string): Promise<string> {
  const upstream = join(folder, "upstream");
  const conf = (name: string, server: string): string =>
    stringify({ name, "min-version": "2.0", "element-path": "elements", "source-caches": [{ url: server }] });
  const element = async (path: string, needs: readonly string[]): Promise<void> => {
    const content = `${path}\n`;
    const source = join(upstream, path.replaceAll("/", "-"));
    await put(source, content);
    const ref = createHash("sha256").update(content).digest("hex");
    const sources = [{ kind: "remote", url: `file://${source}`, ref }];
    await put(join(folder, path), stringify({ kind: "import", sources, "build-depends": needs }));
  };
  await put(join(folder, "project.conf"), conf("outer", ofProject));
  await put(join(folder, "sub/project.conf"), conf("inner", ofSubproject));
  const junction = { kind: "junction", sources: [{ kind: "local", path: "sub" }] };
  await put(join(folder, "elements/sub.bst"), stringify(junction));
  await element("sub/elements/three.bst", []);
  await element("elements/one.bst", []);
  await element("elements/two.bst", ["sub.bst:three.bst"]);
  await element("elements/later.bst", []);
  return upstream;
}

async function put(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
